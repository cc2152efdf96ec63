from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from drives.attendance import queries as attendance_queries
from drives.booking import changes
from drives.eligibility import history
from drives.models import Booking, CancelledBy, Drive, SelfReportedDonation
from drives.privacy import erase, merge
from drives.refusals import Refusal
from notifications.models import ConsentEntry, Message
from organizations.models import AuditEntry, Organization, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from volunteers import queries as volunteers_queries
from volunteers.models import Contact, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def lax_drive(of: Organization) -> Drive:
    return builders.drive(of, builders.plan(builders.site(of), policy_id=builders.lax().pk))


def two(of: Organization) -> list[Volunteer]:
    """Create Ana twice, under two numbers, each time with a booking at a different drive.

    Return both, the older row first.
    """
    bookings = [
        builders.booked(lax_drive(of), number=number, now=NOW + timedelta(minutes=number), name=name)
        for number, name in ((1, "Test Ana Alder"), (2, "Test Ana Birch"))
    ]
    return [booking.volunteer for booking in bookings if booking.volunteer]


def merged(of: Organization, one: Volunteer, other: Volunteer) -> Volunteer:
    return merge.merge_volunteers(organization=of, one_id=one.pk, other_id=other.pk, actor="user:1", now=NOW)


def test_the_older_row_gets_everything() -> None:
    here = builders.organization()
    ana, again = two(here)
    again_id = again.pk
    lines = ConsentEntry.objects.count()
    assert merged(here, again, ana) == ana
    assert list(Volunteer.objects.values_list("name", flat=True)) == ["Test Ana Alder"]
    assert set(Booking.objects.values_list("volunteer", flat=True)) == {ana.pk}
    assert set(Contact.objects.values_list("owner", flat=True)) == {ana.pk}
    assert not Message.objects.filter(recipient=f"volunteer:{again_id}").exists()
    assert ConsentEntry.objects.count() == lines
    assert not Volunteer.filter_by_token(again.token).exists()


@pytest.mark.parametrize(("called", "name", "language"), [(0, "Test Ana Alder", "en"), (1, "Test Ana Birch", "es")])
def test_the_coordinator_chooses_whose_name_and_language_stay(called: int, name: str, language: str) -> None:
    here = builders.organization()
    ana, again = two(here)
    Volunteer.objects.filter(pk=again.pk).update(language="es")
    chosen = (ana, again)[called].pk
    ben = coordinator.signed_in(builders.member(here, Role.COORDINATOR))
    for address in ((ana.pk, again.pk), (again.pk, ana.pk)):
        assert f'value="{chosen}"' in ben.get(reverse("organizer_merge_people", args=address)).content.decode()
    ben.post(reverse("organizer_merge_people", args=[again.pk, ana.pk]), {"called": chosen})
    kept = Volunteer.objects.get()
    assert (kept.pk, kept.name, kept.language) == (ana.pk, name, language)


def test_a_second_merge_changes_nothing_and_is_not_logged() -> None:
    here = builders.organization()
    ana, again = two(here)
    assert [merged(here, ana, again) for _twice in range(2)] == [ana, ana]
    [line] = AuditEntry.objects.filter(verb="merged")
    assert (line.about, line.fields, line.actor) == (f"volunteer:{ana.pk}", [f"volunteer:{again.pk}"], "user:1")


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Merged two records of a person"), ("es", "Combinó dos registros de una persona")]
)
def test_a_merge_leaves_a_trace_on_the_kept_persons_page(language: str, said: str) -> None:
    here = builders.organization()
    ana, again = two(here)
    ben = coordinator.signed_in(builders.member(here, Role.COORDINATOR))
    ben.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    assert said not in text(ben.get(reverse("organizer_person", args=[ana.pk])))
    ben.post(reverse("organizer_merge_people", args=[again.pk, ana.pk]), {"called": ana.pk})
    assert said in text(ben.get(reverse("organizer_person", args=[ana.pk])))


def test_the_merged_donor_has_both_histories() -> None:
    here = builders.organization()
    ana, again = two(here)
    merged(here, ana, again)
    assert len(history.list_donations(history.DonorScope(ana.pk), NOW, ZoneInfo("UTC"))) == 2


def test_two_bookings_at_one_drive_are_resolved_first() -> None:
    here = builders.organization()
    drive = lax_drive(here)
    bookings = [builders.booked(drive, number=number, n=number) for number in (1, 2)]
    ana, again = (booking.volunteer for booking in bookings)
    assert ana is not None
    assert again is not None
    with pytest.raises(Refusal) as caught:
        merged(here, ana, again)
    assert caught.value.codes == ["both_booked"]
    assert Volunteer.objects.count() == 2
    changes.cancel_bookings(booking_id=bookings[1].pk, actor="user:1", cancelled_by=CancelledBy.COORDINATOR, now=NOW)
    assert merged(here, ana, again) == ana


def test_a_volunteer_of_another_organization_is_not_found() -> None:
    here = builders.organization()
    ana, again = two(here)
    with pytest.raises(Volunteer.DoesNotExist):
        merged(builders.organization(), ana, again)
    with pytest.raises(Volunteer.DoesNotExist):
        merged(here, ana, ana)


def test_every_row_that_names_a_volunteer_is_known_here() -> None:
    """A new table with volunteers must be handled in `drives.privacy.merge`, or a merge would delete its rows."""
    known = {"bookings", "waitlist_entries", "self_reported_donation", "registrations", "owned_contacts"}
    assert {relation.get_accessor_name() for relation in Volunteer._meta.related_objects} == known


def test_a_coordinator_finds_looks_and_confirms() -> None:
    here = builders.organization()
    ana, again = two(here)
    ben = coordinator.signed_in(builders.member(here, Role.COORDINATOR))
    page = ben.get(reverse("organizer_person", args=[ana.pk]), {"q": "birch"})
    address = reverse("organizer_merge_people", args=[ana.pk, again.pk])
    assert address in page.content.decode()
    preview = ben.get(address)
    assert preview.status_code == 200
    assert Volunteer.objects.count() == 2
    for _twice in range(2):
        assert ben.post(address, {"called": ana.pk}).headers["Location"] == reverse("organizer_person", args=[ana.pk])


def test_a_viewer_cannot_merge() -> None:
    here = builders.organization()
    ana, again = two(here)
    viewer = coordinator.signed_in(builders.member(here, Role.VIEWER))
    assert viewer.get(reverse("organizer_person", args=[ana.pk])).status_code == 200
    assert viewer.post(reverse("organizer_merge_people", args=[ana.pk, again.pk])).status_code == 403
    assert Client().post(reverse("organizer_merge_people", args=[ana.pk, again.pk])).status_code == 302
    assert Volunteer.objects.count() == 2


def test_reasons_against_the_merge_are_shown_before_and_after() -> None:
    here = builders.organization()
    drive = lax_drive(here)
    ana, again = (builders.booked(drive, number=number, n=number).volunteer_id for number in (1, 2))
    ben = coordinator.signed_in(builders.member(here))
    address = reverse("organizer_merge_people", args=[ana, again])
    assert "Cancel one of them first" in ben.get(address).content.decode()
    assert ben.post(address, {"called": ana}).status_code == 409


def test_the_survivor_is_found_by_either_number() -> None:
    booking = builders.booked(drive := builders.drive(), number=3)
    assert booking.volunteer is not None
    second = Contact.objects.create(
        organization=drive.organization,
        kind="phone",
        address="+12135550177",
        identity="f" * 64,
        owner=booking.volunteer,
        **Contact.build_link_fields(),
    )
    assert list(attendance_queries.filter_roster(drive, second.address[-4:])) == [booking]
    assert list(attendance_queries.filter_roster(drive, builders.phone(3)[-4:])) == [booking]
    assert list(volunteers_queries.filter_volunteers(drive.organization, "213 555 0177")) == [booking.volunteer]
    assert list(attendance_queries.filter_roster(drive, "0178")) == []


def test_the_newest_self_reported_donation_stays() -> None:
    here = builders.organization()
    ana, again = two(here)
    for person, day, minutes in ((ana, 5, 2), (again, 9, 1)):
        SelfReportedDonation.objects.create(
            volunteer=person,
            kind="plasma",
            donated_on=NOW.date() - timedelta(days=day),
            actor="donor",
            reported_at=NOW + timedelta(minutes=minutes),
        )
    merged(here, ana, again)
    assert [(row.volunteer, row.donated_on) for row in SelfReportedDonation.objects.all()] == [
        (ana, NOW.date() - timedelta(days=5))
    ]


def test_a_booking_under_one_number_closes_the_entry_under_the_other() -> None:
    here = builders.organization(codes_per_day=100_000)
    full = builders.full_drive(of=here)
    waits = builders.waits(full[0].drive, number=50, name="Test Ana Birch")
    assert full[0].volunteer is not None
    assert waits.volunteer is not None
    merged(here, full[0].volunteer, waits.volunteer)
    waits.refresh_from_db()
    assert waits.state == "booked"


def test_an_erased_volunteer_cannot_be_merged() -> None:
    here = builders.organization()
    ana, again = two(here)
    erase.erase_volunteer(volunteer_id=again.pk, reason="asked", actor="user:1", now=NOW)
    with pytest.raises(Volunteer.DoesNotExist):
        merged(here, ana, again)
    assert Volunteer.objects.count() == 2
