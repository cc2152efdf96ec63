"""A coordinator downloads and erases a volunteer's data."""

import json

import pytest
from django.urls import reverse

from drives.attendance import check_in
from drives.models import Booking
from organizations.models import AuditEntry, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from volunteers.models import Contact, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
YES = {"because": "asked", "sure": "on"}


def known() -> tuple[Booking, Volunteer]:
    booking = builders.booked(builders.drive())
    assert booking.volunteer
    return booking, booking.volunteer


def test_the_export_is_never_cached() -> None:
    booking, person = known()
    ben = coordinator.signed_in(builders.member(person.organization, Role.COORDINATOR))
    page = ben.get(reverse("organizer_booking", args=[booking.pk]))
    address = reverse("organizer_export_person", args=[person.pk])
    assert address in page.content.decode()
    answer = ben.get(address)
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"] == f'attachment; filename="my-data-{person.organization.slug}.json"'
    assert json.loads(answer.content)["person"]["name"] == "Test Ana Alder"


def test_the_page_asks_for_a_reason_and_a_confirmation_before_it_erases() -> None:
    booking, person = known()
    ben = coordinator.signed_in(builders.member(person.organization, Role.COORDINATOR))
    address = reverse("organizer_erase_person", args=[person.pk])
    assert "Erase Test Ana Alder’s data?" in text(ben.get(address))
    for missing in ("because", "sure"):
        refused = ben.post(address, {name: value for name, value in YES.items() if name != missing})
        assert refused.status_code == 422
        assert "There is a problem" in text(refused)
    assert not Volunteer.objects.exclude(erased_at=None).exists()
    answer = ben.post(address, YES, follow=True)
    assert "This person’s data has been erased" in text(answer)
    booking.refresh_from_db()
    assert booking.state == "cancelled"
    assert not Contact.objects.exists()
    line = AuditEntry.objects.get(verb="erased")
    assert line.fields == ["asked"]
    assert (
        ben.get(address).status_code == ben.get(reverse("organizer_export_person", args=[person.pk])).status_code == 404
    )
    assert "Erased" in text(ben.get(reverse("organizer_booking", args=[booking.pk])))


def test_the_page_says_why_a_checked_in_donor_cannot_be_erased(time_machine: object) -> None:
    booking, person = known()
    time_machine.move_to(booking.starts_at, tick=False)  # type: ignore[attr-defined]
    ben = coordinator.signed_in(builders.member(person.organization, Role.OWNER))
    check_in.check_in_donor(booking_id=booking.pk, actor="user:7", now=booking.starts_at)
    refused = ben.post(reverse("organizer_erase_person", args=[person.pk]), YES)
    assert refused.status_code == 422
    assert "checked in at a drive that’s under way" in text(refused)


@pytest.mark.parametrize("role", [Role.CHECK_IN, Role.VIEWER])
@pytest.mark.parametrize("name", ["organizer_export_person", "organizer_erase_person"])
def test_helpers_and_viewers_neither_download_nor_erase(role: str, name: str) -> None:
    booking, person = known()
    eli = coordinator.signed_in(builders.member(person.organization, role))
    assert eli.get(reverse(name, args=[person.pk])).status_code == 403
    assert "Personal data" not in text(eli.get(reverse("organizer_booking", args=[booking.pk])))


def test_only_the_owner_sets_the_retention_period() -> None:
    _booking, person = known()
    organization, address = person.organization, reverse("organizer_retention")
    ben = coordinator.signed_in(builders.member(organization, Role.OWNER))
    assert ben.post(address, {"months": "12"}).status_code == 302
    organization.refresh_from_db()
    assert organization.retention_months == 12
    assert AuditEntry.objects.get(verb="changed").fields == ["retention_months"]
    assert "12 months after the last contact" in text(ben.get(reverse("organizer_settings")))
    for wrong in ("2", "121", "", "x"):
        assert ben.post(address, {"months": wrong}).status_code == 422
    dana = coordinator.signed_in(builders.member(organization, Role.COORDINATOR))
    assert dana.post(address, {"months": "6"}).status_code == 403
    organization.refresh_from_db()
    assert organization.retention_months == 12
