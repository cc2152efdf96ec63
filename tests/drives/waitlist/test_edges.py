"""Edge cases of the waitlist: the exact deadline, the interval rules, and reserved spots without a donor."""

from datetime import time, timedelta
from typing import Any

import pytest

from drives.booking import changes
from drives.capacity import drift
from drives.domain.waitlist_matching import ArrivalWindow
from drives.models import Booking, CancelledBy, Drive, Offer, ReservedSpot, Slot, WaitlistEntry
from drives.refusals import Refusal
from drives.waitlist import entries, offers
from drives.waitlist.entries import WaitlistRequest
from tests import builders
from tests.builders import NOW
from volunteers.models import Contact

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


def state_of(entry: WaitlistEntry) -> str:
    return str(WaitlistEntry.objects.get(pk=entry.pk).state)


def free_chairs(drive_id: int) -> int:
    return sum(slot.chairs_limit - slot.chairs_taken for slot in Slot.objects.filter(drive=drive_id))


def test_a_donor_allowed_at_an_early_hour_joins_though_late_hours_are_too_close() -> None:
    full = builders.full_drive(steps=4)
    soon = builders.drive(full[0].drive.organization, day=full[0].drive.day + timedelta(days=2), opens=time(10))
    assert builders.booked(soon).starts_at - full[0].starts_at == timedelta(hours=48)
    with pytest.raises(Refusal) as refused:
        builders.waits(full[0].drive, window=after(full[0]))
    assert refused.value.codes == ["interval_too_short"]
    ana = builders.waits(full[0].drive)
    for booking in reversed(full):
        builders.cancelled(booking)
    offers.sweep_waitlists(now=NOW)
    assert Offer.objects.get(entry=ana).starts_at == full[0].starts_at


def test_joining_for_another_person_does_not_make_them_owner_of_the_phone() -> None:
    full = builders.full_drive()
    bo = builders.waits(full[0].drive, name="Test Bo Birch", is_for_other=True)
    assert Contact.objects.get(address=builders.phone(42)).owner is None
    later = builders.drive(full[0].drive.organization, day=full[0].drive.day + timedelta(days=30))
    ana = builders.booked(later, name="Test Ana Alder").volunteer
    assert Contact.objects.get(address=builders.phone(42)).owner == ana != bo.volunteer


def test_joining_is_refused_if_the_interval_ends_as_the_drive_closes() -> None:
    full = builders.full_drive(steps=4)
    earlier = builders.drive(full[0].drive.organization, day=full[0].drive.day - timedelta(days=2), opens=time(10))
    assert full[0].drive.ends_at - builders.booked(earlier).starts_at == timedelta(hours=48)
    with pytest.raises(Refusal) as refused:
        builders.waits(full[0].drive)
    assert refused.value.codes == ["interval_too_short"]


@pytest.mark.parametrize("verb", ["accept", "decline"])
def test_an_offer_ends_exactly_at_its_deadline(verb: str) -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive)
    builders.cancelled(full[0])
    offers.sweep_waitlists(now=NOW)
    offer = Offer.objects.get(entry=ana)
    answer: dict[str, Any] = {"offer_id": offer.pk, "now": offer.deadline}
    with pytest.raises(Refusal) as refused:
        offers.accept_offer(actor="donor", **answer) if verb == "accept" else offers.decline_offer(**answer)
    assert refused.value.codes == ["offer_expired"]


def test_an_entry_by_a_coordinator_is_judged_on_this_organizations_rows_only() -> None:
    """If donations at other organizations counted here, the coordinator would learn of them.

    The service counts them when the donor books.
    """
    full = builders.full_drive()
    drive = full[0].drive
    known = builders.booked(builders.drive(drive.organization))  # the same phone is also verified here
    builders.cancelled(known)
    elsewhere = builders.booked(builders.drive(day=drive.day - timedelta(days=1)))
    assert elsewhere.volunteer_id != known.volunteer_id
    waitlist_request, person = WaitlistRequest("return"), builders.person(42)
    entry = entries.add_entry(drive=drive, waitlist_request=waitlist_request, person=person, actor="user:7", now=NOW)
    assert entry.volunteer_id == known.volunteer_id
    builders.cancelled(full[0])
    assert offers.sweep_waitlists(now=NOW)["offered"] == 1
    assert state_of(entry) == "offered"


def test_no_spot_is_reserved_for_an_entry_with_an_offer() -> None:
    full = builders.full_drive()
    builders.waits(full[0].drive)
    builders.cancelled(full[0])
    offers.sweep_waitlists(now=NOW)
    builders.cancelled(full[1])
    assert free_chairs(full[0].drive_id) == 1
    assert ReservedSpot.objects.count() == 1  # the offer's reserved spot


def test_the_spots_of_a_cancelled_party_are_reserved_for_the_waitlist() -> None:
    owner = builders.organization(codes_per_day=100_000)
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=2, steps=1))
    party = builders.booked_together(drive, people=[("Test Ana Alder", "return"), ("Test Bo Alder", "return")])
    waits = builders.waits(drive, number=43)
    changes.cancel_bookings(
        whole_party=True, booking_id=party[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW
    )
    assert free_chairs(drive.pk) == 0
    assert ReservedSpot.objects.filter(offer=None).count() == 2
    offers.sweep_waitlists(now=NOW)
    assert state_of(waits) == "offered"


def test_restoring_a_cancelled_booking_closes_the_entry() -> None:
    full = builders.full_drive(steps=2)
    builders.cancelled(full[0])
    ana = entries.add_entry(
        drive=full[0].drive,
        waitlist_request=WaitlistRequest("return", after(full[0])),
        person=builders.person(1),
        actor="user:7",
        now=NOW,
    )
    assert state_of(ana) == "waiting"
    changes.restore_booking(booking_id=full[0].pk, actor="donor", now=NOW)
    assert state_of(ana) == "booked"


def after(booking: Booking) -> ArrivalWindow:
    return ArrivalWindow(booking.starts_at + timedelta(minutes=1))


def test_lapsed_entries_do_not_count_against_a_contact() -> None:
    drive = builders.full_drive()[0].drive
    for _twice in range(2):
        builders.asked_to_wait(drive)
    with pytest.raises(Refusal) as refused:
        builders.asked_to_wait(drive)
    assert refused.value.codes == ["too_many_holds"]
    assert builders.asked_to_wait(drive, now=NOW + timedelta(minutes=16)).state == "held"


def test_a_visit_that_became_longer_since_the_offer_takes_more_steps_or_is_refused() -> None:
    full = builders.full_drive(first_chair_steps=2)
    drive = full[0].drive
    long_ago, lately = (gave_before(drive, days) for days in (190, 60))
    ana = builders.waits(drive)
    builders.cancelled(full[0])
    offers.sweep_waitlists(now=NOW)
    offer = Offer.objects.get(entry=ana)
    assert (offer.entry.visit, offer.arrival.n) == ("return", 0)
    Booking.objects.filter(pk=lately.pk).update(state="deferred", donated_at=None)
    with pytest.raises(Refusal) as refused:
        offers.accept_offer(offer_id=offer.pk, actor="donor", now=NOW)
    assert refused.value.codes == ["visit_is_first"]
    assert (state_of(ana), drift.count_drifted_slots()) == ("offered", 0)
    builders.cancelled(full[1])
    offers.sweep_waitlists(now=NOW)
    booking = offers.accept_offer(offer_id=offer.pk, actor="donor", now=NOW)
    assert (booking.visit, booking.chair_from, booking.chair_to) == ("first", 0, 2)
    assert (Booking.objects.get(pk=booking.pk).chair_to, drift.count_drifted_slots()) == (2, 0)
    assert long_ago.volunteer_id == booking.volunteer_id


def gave_before(drive: Drive, days: int) -> Booking:
    """Create a donation by Ana, `days` days before the drive."""
    given = builders.booked(builders.drive(drive.organization, policy_id=builders.lax().pk))
    then = drive.starts_at - timedelta(days=days)
    Booking.objects.filter(pk=given.pk).update(state="donated", starts_at=then, donated_at=then)
    return given
