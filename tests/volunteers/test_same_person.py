"""Match people who share a contact, and people with several contacts.

For example, family members share a phone after its owner is erased, or a donor books with a mailbox that they typed
earlier but did not verify.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from drives.booking import verify
from drives.models import Booking, BookingState
from drives.privacy import erase
from drives.refusals import Refusal
from organizations.models import AuditEntry, Organization, Role
from tests import builders
from tests.builders import NOW
from tests.cases import list_cases
from tests.drives import coordinator, donor
from tests.drives.caller import Api
from volunteers.matching import BookingFor
from volunteers.models import Contact, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
MAIL = "ana@example.org"
LATER = NOW + timedelta(hours=1)  # after the limit on codes for one contact


def family(of: Organization, *names: str) -> list[Booking]:
    """Book for a family with one phone. The visits are an hour apart, and the first person owns the phone."""
    drive = builders.drive(of)
    return [
        builders.booked(drive, n=4 * n, name=name, is_for_other=n > 0, visit="first") for n, name in enumerate(names)
    ]


def erase_owner(booking: Booking) -> None:
    assert booking.volunteer is not None
    erase.erase_volunteer(volunteer_id=booking.volunteer.pk, reason="asked", actor="donor", now=NOW)


def book_next_day(of: Organization, booking_for: BookingFor = "", **person: object) -> Booking:
    drive = builders.drive(of, day=builders.DRIVE_DAY + timedelta(days=1))
    held = builders.held(drive, now=LATER, **person)  # type: ignore[arg-type]
    number = person.get("number", 42)
    return verify.verify_booking(
        booking_id=held.pk,
        code=builders.code_of(held),
        bound_to=f"browser-{number}",
        booking_for=booking_for,
        now=LATER,
    )


@pytest.mark.parametrize("name", ["Test Bo Alder", "Test Bö Alder", "Alder, Test Bo"])
@pytest.mark.parametrize("others", [("Test Bo Alder",), ("Test Bo Alder", "Test Cy Alder")])
def test_the_next_of_a_family_keeps_their_history_when_the_owner_is_erased(name: str, others: tuple[str, ...]) -> None:
    hope = builders.organization()
    ana, *known = family(hope, "Test Ana Alder", *others)
    erase_owner(ana)
    with pytest.raises(Refusal) as refused:
        book_next_day(hope, name=name)
    assert refused.value.codes == ["interval_too_short"]
    assert Volunteer.objects.known().count() == len(known)


def test_the_next_of_a_family_becomes_the_owner_of_the_phone() -> None:
    hope = builders.organization()
    ana, bo, _cy = family(hope, "Test Ana Alder", "Test Bo Alder", "Test Cy Alder")
    erase_owner(ana)
    later = builders.booked(
        builders.drive(hope, day=builders.DRIVE_DAY + timedelta(days=4)), now=LATER, name="Test Bo Alder"
    )
    assert later.volunteer == bo.volunteer
    assert Contact.objects.get().owner == bo.volunteer


def test_a_name_that_no_one_in_the_family_has_is_a_new_person() -> None:
    hope = builders.organization()
    ana, *_others = family(hope, "Test Ana Alder", "Test Bo Alder", "Test Cy Alder")
    erase_owner(ana)
    assert book_next_day(hope, name="Test Dee Alder").state == BookingState.BOOKED
    assert Volunteer.objects.known().count() == 3


def test_two_short_forms_are_not_guessed() -> None:
    hope = builders.organization()
    ana, *_others = family(hope, "Test Ana Alder", "Test Bo Alder", "Test Bea Alder")
    erase_owner(ana)
    assert book_next_day(hope, name="Test B. Alder").state == BookingState.BOOKED


def test_a_donor_with_a_phone_then_with_their_mailbox_alone_is_asked_and_the_interval_holds() -> None:
    hope = builders.organization()
    ana = builders.booked(builders.drive(hope), email=MAIL).volunteer
    with pytest.raises(Refusal) as asked:
        book_next_day(hope, phone="", email=MAIL, number=43)
    assert asked.value.codes == ["other_name"]
    assert asked.value.reasons[0].detail.endswith("a phone number that ends in 42. Is that you?")
    with pytest.raises(Refusal) as refused:
        book_next_day(hope, "me", phone="", email=MAIL, number=43)
    assert refused.value.codes == ["interval_too_short"]
    assert Volunteer.objects.get() == ana


def test_the_same_donor_becomes_the_owner_of_the_mailbox() -> None:
    hope = builders.organization()
    ana = builders.booked(builders.drive(hope), email=MAIL).volunteer
    drive = builders.drive(hope, day=builders.DRIVE_DAY + timedelta(days=4))
    held = builders.held(drive, phone="", email=MAIL, number=43)
    same = verify.verify_booking(
        booking_id=held.pk, code=builders.code_of(held), bound_to="browser-43", booking_for="me", now=NOW
    )
    assert (same.volunteer, Contact.objects.get(kind="email").owner) == (ana, ana)


def test_a_stranger_who_typed_the_name_and_mailbox_before_gets_no_access() -> None:
    hope = builders.organization()
    mallory = builders.booked(builders.drive(hope), email=MAIL, number=77).volunteer
    ana = book_next_day(hope, "other", phone="", email=MAIL, number=43).volunteer
    assert ana != mallory
    assert Contact.objects.get(kind="email").owner == ana


def test_the_page_and_the_api_ask() -> None:
    hope, browser = builders.organization(), Client()
    builders.booked(builders.drive(hope), email=MAIL)
    drive = builders.drive(hope, day=builders.DRIVE_DAY + timedelta(days=4))
    held = donor.kept(browser, drive, phone="", email=MAIL)
    asked = donor.prove(browser, held)
    assert asked.status_code == 409
    assert "a phone number that ends in 42. Is that you?" in donor.text(asked)
    assert "Who is this for? For me For someone else" in donor.text(asked)
    answer = browser.post(reverse("booking_verify", args=[held.token]), {"booking_for": "me"})
    assert answer.status_code == 303
    other = Booking.objects.get(pk=Api().book(slot=str(builders.slot(drive, 8).pk), phone="", email=MAIL).json()["id"])
    again = Api().post(f"bookings/{other.token}/verify/", {"code": builders.code_of(other)})
    assert [reason["code"] for reason in again.json()["reasons"]] == ["already_booked"]
    assert Volunteer.objects.count() == 1


def test_the_desk_shows_people_with_the_same_name() -> None:
    hope = builders.organization()
    drive = builders.drive(hope)
    first = builders.booked(drive, number=42, name="José Test Alder")
    second = builders.booked(drive, n=4, number=43, name="Jose Test Alder")
    other = builders.booked(drive, n=8, number=44, name="Test Ivo Alder")
    builders.booked(builders.drive(), number=45, name="José Test Alder")  # of another organization
    browser = coordinator.signed_in(builders.member(hope, Role.COORDINATOR))
    assert first.volunteer is not None
    assert second.volunteer is not None
    assert other.volunteer is not None
    page = browser.get(reverse("organizer_person", args=[first.volunteer.pk]))
    merge = reverse("organizer_merge_people", args=[first.volunteer.pk, second.volunteer.pk])
    assert page.content.decode().count(merge) == 1
    assert "(201) 555-0143" in donor.text(page)
    assert "(201) 555-0145" not in donor.text(page)
    assert "Maybe the same person: Jose Test Alder" in donor.text(
        browser.get(reverse("organizer_booking", args=[first.pk]))
    )
    for address in (
        reverse("organizer_person", args=[other.volunteer.pk]),
        reverse("organizer_booking", args=[other.pk]),
    ):
        assert "Maybe the same person" not in donor.text(browser.get(address))


@pytest.mark.parametrize("case", list_cases("K11"))
def test_a_coordinator_corrects_a_name_and_the_audit_log_names_the_coordinator(case: dict[str, Any]) -> None:
    booking = builders.booked(builders.drive(), name="Test Jsoé Alder")
    member = builders.member(booking.drive.organization, Role.COORDINATOR)
    browser, person = coordinator.signed_in(member), booking.volunteer
    assert person is not None
    address = reverse("organizer_rename_person", args=[person.pk])
    assert 'value="Test Jsoé Alder"' in browser.get(reverse("organizer_person", args=[person.pk])).content.decode()
    done = browser.post(address, {"name": " Test José  Alder "}, follow=True)
    assert "Name corrected." in donor.text(done)
    person.refresh_from_db()
    assert (person.name, person.folded_name) == ("Test José Alder", "test jose alder")
    entry = AuditEntry.objects.filter(verb="renamed").get()
    assert (entry.actor, entry.about, entry.fields) == (f"user:{member.user.pk}", f"volunteer:{person.pk}", ["name"])
    browser.post(address, {"name": "Test José Alder"})
    assert AuditEntry.objects.filter(verb="renamed").count() == 1  # the same name is no correction


@pytest.mark.parametrize("name", ["", "Ana bit.ly/x"])
def test_a_correction_refuses_what_is_no_name(name: str) -> None:
    booking = builders.booked(builders.drive())
    browser = coordinator.signed_in(builders.member(booking.drive.organization, Role.COORDINATOR))
    shown = browser.post(reverse("organizer_rename_person", args=[booking.volunteer_id]), {"name": name})
    assert shown.status_code == 422
    assert "There is a problem" in donor.text(shown)
    assert Volunteer.objects.get().name == "Test Ana Alder"


@pytest.mark.parametrize("role", [Role.CHECK_IN, Role.VIEWER])
def test_only_planners_correct_names(role: str) -> None:
    booking = builders.booked(builders.drive())
    browser = coordinator.signed_in(builders.member(booking.drive.organization, role))
    address = reverse("organizer_rename_person", args=[booking.volunteer_id])
    assert browser.post(address, {"name": "Test Eve"}).status_code == 403
    page = browser.get(reverse("organizer_person", args=[booking.volunteer_id]))
    assert address not in page.content.decode()
