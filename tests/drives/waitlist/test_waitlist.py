"""Join the waitlist, get an offer, accept it, decline it."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from drives.booking import book_for_donor, changes, hold
from drives.capacity import drift
from drives.domain.waitlist_matching import ArrivalWindow
from drives.models import Booking, CancelledBy, Drive, Offer, ReservedSpot, Slot, WaitlistEntry
from drives.planning import lifecycle
from drives.refusals import HoldLapsed, Refusal
from drives.waitlist import close, entries, offers
from drives.waitlist import messages as waitlist_messages
from drives.waitlist import queries as waitlist_queries
from drives.waitlist.entries import WaitlistRequest
from notifications import consents
from notifications.models import Message
from organizations.models import AuditEntry
from tests import builders
from tests.builders import NOW
from volunteers.verification import CodeWrong

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


def cancel(booking: Booking, now: datetime = NOW) -> None:
    changes.cancel_bookings(booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=now)


def state_of(entry: WaitlistEntry) -> str:
    return str(WaitlistEntry.objects.get(pk=entry.pk).state)


def offered(entry: WaitlistEntry) -> Offer:
    offer = builders.offer_to(entry)
    assert offer is not None, state_of(entry)
    return offer


def sweep(now: datetime = NOW) -> dict[str, int]:
    counts = offers.sweep_waitlists(now=now)
    assert drift.count_drifted_slots() == 0
    return counts


def refusal(act: Any, *arguments: Any, **named: Any) -> list[str]:
    with pytest.raises(Refusal) as caught:
        act(*arguments, **named)
    return caught.value.codes


@pytest.mark.django_db(transaction=True)
def test_a_donor_is_verified_in_a_transaction_of_its_own() -> None:
    assert builders.waits(builders.full_drive()[0].drive).state == "waiting"


def test_a_verified_donor_gets_the_position() -> None:
    full = builders.full_drive()
    ana, dan = builders.waits(full[0].drive, number=42), builders.waits(full[0].drive, number=43, now=LATER)
    assert (ana.state, waitlist_queries.load_position(ana), dan.state, waitlist_queries.load_position(dan)) == (
        "waiting",
        1,
        "waiting",
        2,
    )
    assert ana.volunteer is not None
    text = Message.objects.get(about=dan.about, kind="waitlist_joined").text
    assert text.startswith("Hope Foundation: You're number 2 on the waiting list for Sat Mar 13.")


@pytest.mark.parametrize(
    ("asking", "channel"),
    [
        ({"email": "ana@example.org"}, "sms"),
        ({"email": "ana@example.org", "consents": ()}, "sms"),
        ({"email": "ana@example.org", "phone": ""}, "email"),
    ],
)
def test_a_donor_gets_waitlist_messages_by_text_or_by_e_mail(asking: dict[str, Any], channel: str) -> None:
    drive = builders.full_drive()[0].drive
    entry = builders.waits(drive, **asking)
    lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    close.close_waitlist(drive_id=drive.pk, actor="user:1", now=NOW)
    told = Message.objects.filter(about=entry.about, kind__startswith="waitlist_").order_by("pk")
    assert list(told.values_list("kind", "channel")) == [("waitlist_joined", channel), ("waitlist_closed", channel)]


def test_after_a_stop_the_waitlist_is_notified_by_e_mail() -> None:
    drive = builders.full_drive()[0].drive
    entry = builders.waits(drive, email="ana@example.org")
    consents.suppress_address(sender=drive.organization.senders.get(), address=builders.phone(42), now=NOW)
    lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    close.close_waitlist(drive_id=drive.pk, actor="user:1", now=NOW)
    assert Message.objects.get(about=entry.about, kind="waitlist_closed").channel == "email"


@pytest.mark.parametrize("kind", ["waitlist_joined", "waitlist_closed"])
def test_a_failed_waitlist_text_is_replaced_once_by_e_mail(kind: str) -> None:
    drive = builders.full_drive()[0].drive
    entry = builders.waits(drive, email="ana@example.org")
    if kind == "waitlist_closed":
        lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
        close.close_waitlist(drive_id=drive.pk, actor="user:1", now=NOW)
    Message.objects.filter(kind=kind).update(state="undelivered", settled_at=NOW, lease_until=None)
    assert [waitlist_messages.queue_fallback_emails(now=NOW) for _sweep in range(2)] == [1, 0]
    email = Message.objects.get(about=entry.about, kind=kind, channel="email")
    assert (email.address, email.state) == ("ana@example.org", "queued")


def test_a_failed_text_is_not_replaced_after_the_donor_left() -> None:
    entry = builders.waits(builders.full_drive()[0].drive, email="ana@example.org")
    entries.remove_entry(entry_id=entry.pk, actor="donor", now=NOW)
    Message.objects.filter(kind="waitlist_joined").update(state="undelivered", settled_at=NOW, lease_until=None)
    assert waitlist_messages.queue_fallback_emails(now=NOW) == 0


def test_nothing_is_offered_before_the_code_is_entered() -> None:
    full = builders.full_drive()
    asked = builders.asked_to_wait(full[0].drive)
    cancel(full[0])
    sweep()
    assert (state_of(asked), builders.offer_to(asked)) == ("held", None)
    assert Slot.objects.get(pk=full[0].arrival_id).chairs_taken == 0


def test_a_freed_spot_is_reserved_offered_and_accepted() -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive)
    cancel(full[2])
    assert Slot.objects.get(pk=full[2].arrival_id).chairs_taken == 1
    assert sweep()["offered"] == 1
    offer = offered(ana)
    assert (offer.arrival_id, state_of(ana)) == (full[2].arrival_id, "offered")
    booking = offers.accept_offer(offer_id=offer.pk, actor="donor", now=NOW)
    assert (booking.state, booking.source, booking.starts_at) == ("booked", "waitlist", full[2].starts_at)
    assert (state_of(ana), ReservedSpot.objects.count(), booking.verified_at) == ("booked", 0, NOW)
    assert Message.objects.filter(about=booking.about, kind="booked").exists()
    assert list(booking.changes.values_list("from_state", "to_state", "actor")) == [("", "booked", "donor")]
    assert sweep() == {"closed": 0, "lapsed": 0, "expired": 0, "offered": 0}


def test_accepting_twice_creates_one_booking() -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive)
    cancel(full[0])
    sweep()
    offer = offered(ana)
    first, second = (offers.accept_offer(offer_id=offer.pk, actor="donor", now=NOW) for _tap in range(2))
    assert first.pk == second.pk


def test_a_reserved_spot_cannot_be_booked_by_others() -> None:
    full = builders.full_drive()
    builders.waits(full[0].drive)
    cancel(full[0])
    assert refusal(builders.held, full[0].drive, n=0, number=50) == ["slot_full"]
    sweep()
    assert refusal(builders.held, full[0].drive, n=0, number=50) == ["slot_full"]


def test_a_declined_spot_goes_to_the_next_entry_and_the_position_is_kept() -> None:
    full = builders.full_drive()
    ana, dan = builders.waits(full[0].drive), builders.waits(full[0].drive, number=43, now=LATER)
    cancel(full[0])
    sweep()
    offers.decline_offer(
        offer_id=offered(ana).pk, now=LATER + timedelta(minutes=1)
    )  # Dan has joined behind her by then
    assert (state_of(ana), waitlist_queries.load_position(WaitlistEntry.objects.get(pk=ana.pk))) == ("waiting", 1)
    sweep()
    assert (builders.offer_to(ana), offered(dan).arrival_id) == (None, full[0].arrival_id)
    cancel(full[1])
    sweep()
    assert offered(ana).arrival_id == full[1].arrival_id


def test_an_expired_offer_goes_to_the_next_entry_and_moves_its_own_to_the_end() -> None:
    full = builders.full_drive()
    ana, dan = builders.waits(full[0].drive), builders.waits(full[0].drive, number=43, now=LATER)
    cancel(full[0])
    sweep()
    offer = offered(ana)
    assert offer.deadline == NOW + timedelta(hours=24)
    sweep(offer.deadline - timedelta(seconds=1))
    assert offered(ana) == offer
    assert sweep(offer.deadline)["expired"] == 1
    assert offered(dan).arrival_id == full[0].arrival_id
    assert waitlist_queries.load_position(WaitlistEntry.objects.get(pk=ana.pk)) == 2
    assert refusal(offers.accept_offer, offer_id=offer.pk, actor="donor", now=offer.deadline) == ["offer_expired"]


def test_a_spot_that_every_entry_declined_is_released() -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive)
    cancel(full[0])
    sweep()
    offers.decline_offer(offer_id=offered(ana).pk, now=NOW)
    sweep()
    assert ReservedSpot.objects.count() == 0
    assert builders.held(full[0].drive, n=0, number=50).state == "held"


def test_a_spot_outside_every_window_is_released() -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive, window=ArrivalWindow(full[2].starts_at, full[3].starts_at))
    cancel(full[0])
    cancel(full[2])
    sweep()
    assert offered(ana).arrival_id == full[2].arrival_id
    assert Slot.objects.get(pk=full[0].arrival_id).chairs_taken == 0


def test_a_raised_capacity_is_offered_too() -> None:
    full = builders.full_drive(steps=2)
    drive = Drive.objects.get(pk=full[0].drive_id)
    people = [builders.waits(drive, number=number) for number in (42, 43, 44)]
    more = builders.replanned(drive, chairs=2)
    lifecycle.change_drive(drive=more, version=drive.version, actor="user:1", now=NOW)
    assert sweep()["offered"] == 2
    assert [state_of(entry) for entry in people] == ["offered", "offered", "waiting"]


def test_a_spot_above_a_lowered_limit_is_not_offered() -> None:
    full = builders.full_drive(spots=2, steps=1)
    drive = Drive.objects.get(pk=full[0].drive_id)
    ana = builders.waits(drive)
    fewer = builders.replanned(drive, chairs=1)
    lifecycle.change_drive(drive=fewer, version=drive.version, actor="user:1", now=NOW)
    cancel(full[0])
    sweep()
    assert state_of(ana) == "waiting"
    slot = Slot.objects.get(pk=full[0].arrival_id)
    assert (slot.chairs_taken, slot.over) == (1, 0)


def test_a_freed_first_visit_fits_a_return_visit_and_releases_the_rest() -> None:
    owner = builders.organization(codes_per_day=100_000)
    drive = builders.drive(
        owner,
        builders.plan(builders.site(owner), chairs=1, screening_stations=1, closes=time(10, 30)),
    )
    booking = builders.booked(drive, n=0, visit="first", number=1)
    ana = builders.waits(drive)
    cancel(booking)
    sweep()
    offer = offered(ana)
    assert offer.arrival.n == 0
    offers.accept_offer(offer_id=offer.pk, actor="donor", now=NOW)
    assert drift.count_drifted_slots() == 0


def test_a_freed_return_visit_and_free_chairs_fit_a_first_visit() -> None:
    owner = builders.organization(codes_per_day=100_000)
    drive = builders.drive(
        owner,
        builders.plan(builders.site(owner), chairs=1, screening_stations=1, closes=time(10, 30)),
    )
    booking = builders.booked(drive, n=2, number=1)
    ana = builders.waits(drive, visit="first")
    cancel(booking)
    sweep()
    offer = offered(ana)
    assert offer.arrival.n == 0
    booked = offers.accept_offer(offer_id=offer.pk, actor="donor", now=NOW)
    assert (booked.first_step, booked.chair_from, booked.chair_to) == (0, 3, 6)
    assert drift.count_drifted_slots() == 0


def test_a_spot_freed_by_a_move_is_offered() -> None:
    full = builders.full_drive(steps=3)
    cancel(full[2])
    ana = builders.waits(full[0].drive, window=ArrivalWindow(until=full[2].starts_at))
    changes.move_bookings(booking_id=full[0].pk, slot_id=full[2].arrival_id, actor="donor", now=NOW)
    assert ReservedSpot.objects.count() == 1
    sweep()
    assert offered(ana).arrival_id == full[0].arrival_id


def test_booking_another_spot_closes_the_entry_and_withdraws_its_offer() -> None:
    full = builders.full_drive(steps=2)
    drive = full[0].drive
    ana, dan = builders.waits(drive), builders.waits(drive, number=43, now=LATER)
    cancel(full[0])
    sweep()
    offer = offered(ana)
    Slot.objects.filter(pk=full[1].arrival_id).update(chairs_limit=2)
    book_for_donor.create_booking_for_donor(
        drive=drive, slot_id=full[1].arrival_id, visit="return", person=builders.person(42), actor="user:1", now=NOW
    )
    assert state_of(ana) == "booked"
    assert refusal(offers.accept_offer, offer_id=offer.pk, actor="donor", now=NOW) == ["offer_withdrawn"]
    sweep()
    assert offered(dan).arrival_id == full[0].arrival_id


def test_a_donor_booked_too_close_elsewhere_is_skipped() -> None:
    full = builders.full_drive()
    ana, dan = builders.waits(full[0].drive), builders.waits(full[0].drive, number=43, now=LATER)
    elsewhere = builders.drive(day=builders.DRIVE_DAY + timedelta(days=1))
    builders.booked(elsewhere, number=42)
    cancel(full[0])
    sweep()
    assert (state_of(ana), state_of(dan)) == ("waiting", "offered")


def test_a_donor_who_books_too_close_elsewhere_after_the_offer_cannot_accept() -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive)
    cancel(full[0])
    sweep()
    builders.booked(builders.drive(day=builders.DRIVE_DAY + timedelta(days=1)), number=42)
    assert refusal(offers.accept_offer, offer_id=offered(ana).pk, actor="donor", now=NOW) == ["interval_too_short"]


@pytest.mark.parametrize("is_own", [False, True])
def test_a_coordinator_learns_only_of_visits_at_the_own_organization(*, is_own: bool) -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive)
    cancel(full[0])
    sweep()
    owner = full[0].drive.organization if is_own else None
    builders.booked(builders.drive(owner, day=builders.DRIVE_DAY + timedelta(days=1)), number=42)
    answer: dict[str, Any] = {"offer_id": offered(ana).pk, "actor": "user:7", "now": NOW}
    if is_own:
        assert refusal(offers.accept_offer, **answer) == ["interval_too_short"]
    else:
        assert offers.accept_offer(**answer).volunteer_id == ana.volunteer_id


@pytest.mark.parametrize(("actor", "audited"), [("donor", []), ("user:7", ["user:7"])])
def test_the_audit_log_says_which_coordinator_declined_for_a_donor(actor: str, audited: list[str]) -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive)
    cancel(full[0])
    sweep()
    offers.decline_offer(offer_id=offered(ana).pk, actor=actor, now=NOW)
    assert [entry.actor for entry in AuditEntry.objects.filter(verb="waitlist.decline", about=ana.about)] == audited


def test_joining_too_close_to_another_donation_is_refused_with_later_times() -> None:
    full = builders.full_drive()
    builders.booked(builders.drive(day=builders.DRIVE_DAY + timedelta(days=1)), number=42)
    assert refusal(builders.waits, full[0].drive) == ["interval_too_short"]


def test_joining_is_refused_while_times_are_open_in_the_window() -> None:
    full = builders.full_drive()
    cancel(full[3])
    with pytest.raises(Refusal) as caught:
        builders.asked_to_wait(full[0].drive)
    assert caught.value.codes == ["slots_open"]
    assert [time.slot_id for time in caught.value.alternatives] == [full[3].arrival_id]
    assert builders.asked_to_wait(full[0].drive, window=ArrivalWindow(until=full[3].starts_at)).state == "held"


def test_joining_is_refused_where_no_visit_can_begin() -> None:
    full = builders.full_drive()
    drive = full[0].drive
    assert refusal(builders.asked_to_wait, drive, window=ArrivalWindow(since=drive.ends_at)) == ["window_empty"]
    assert refusal(builders.asked_to_wait, drive, now=full[3].starts_at - timedelta(minutes=44)) == ["window_empty"]


@pytest.mark.parametrize(
    ("state", "code"), [("closed", "drive_closed"), ("cancelled", "drive_cancelled"), ("draft", "drive_not_published")]
)
def test_joining_is_refused_at_drives_that_take_no_bookings(state: str, code: str) -> None:
    full = builders.full_drive()
    Drive.objects.update(state=state)
    assert refusal(builders.asked_to_wait, full[0].drive) == [code]


def test_a_contact_has_at_most_two_unverified_entries() -> None:
    full = builders.full_drive()
    for _time in range(2):
        builders.asked_to_wait(full[0].drive)
    assert refusal(builders.asked_to_wait, full[0].drive) == ["too_many_holds"]


def test_a_booked_donor_cannot_join_the_waitlist() -> None:
    full = builders.full_drive()
    asked = builders.asked_to_wait(full[0].drive, number=1)
    code = builders.code_of(asked)
    assert refusal(entries.verify_entry, entry_id=asked.pk, code=code, bound_to="browser-1", now=NOW) == [
        "already_booked"
    ]
    assert state_of(asked) == "held"


def test_joining_twice_keeps_one_entry_with_the_newer_window() -> None:
    full = builders.full_drive()
    ana, dan = builders.waits(full[0].drive), builders.waits(full[0].drive, number=43)
    again = builders.asked_to_wait(full[0].drive, window=ArrivalWindow(since=full[2].starts_at), now=LATER)
    proof = {"entry_id": again.pk, "bound_to": "browser-42", "now": LATER}
    first = entries.verify_entry(code=builders.code_of(again), **proof)  # type: ignore[arg-type]
    second = entries.verify_entry(code="", **proof)  # type: ignore[arg-type]
    assert (first.pk, second.pk, first.window_from) == (ana.pk, ana.pk, full[2].starts_at)
    assert (waitlist_queries.load_position(first), waitlist_queries.load_position(dan), state_of(again)) == (
        1,
        2,
        "left",
    )


def test_a_wrong_code_and_a_late_one_add_no_entry() -> None:
    full = builders.full_drive()
    asked = builders.asked_to_wait(full[0].drive)
    with pytest.raises(CodeWrong):
        entries.verify_entry(entry_id=asked.pk, code="000000", bound_to="browser-1", now=NOW)
    with pytest.raises(HoldLapsed):
        entries.verify_entry(
            entry_id=asked.pk, code=builders.code_of(asked), bound_to="browser-42", now=NOW + timedelta(minutes=15)
        )
    assert sweep(NOW + timedelta(minutes=15))["lapsed"] == 1
    assert state_of(asked) == "lapsed"


def test_leaving_passes_the_offer_to_the_next_entry() -> None:
    full = builders.full_drive()
    ana, dan = builders.waits(full[0].drive), builders.waits(full[0].drive, number=43)
    cancel(full[0])
    sweep()
    entries.remove_entry(entry_id=ana.pk, actor="donor", now=NOW)
    entries.remove_entry(entry_id=ana.pk, actor="donor", now=NOW)
    sweep()
    assert (state_of(ana), state_of(dan)) == ("left", "offered")


def test_another_window_keeps_the_position() -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive)
    builders.waits(full[0].drive, number=43)
    changed = entries.change_entry(
        entry_id=ana.pk, waitlist_request=WaitlistRequest("first", ArrivalWindow(since=full[1].starts_at)), now=LATER
    )
    assert (waitlist_queries.load_position(changed), changed.visit, changed.window_from) == (
        1,
        "first",
        full[1].starts_at,
    )
    cancel(full[1])
    sweep()
    codes = refusal(entries.change_entry, entry_id=ana.pk, waitlist_request=WaitlistRequest("first"), now=LATER)
    assert codes == ["offer_pending"]
    entries.remove_entry(entry_id=ana.pk, actor="donor", now=NOW)
    assert refusal(entries.change_entry, entry_id=ana.pk, waitlist_request=WaitlistRequest("first"), now=LATER) == [
        "entry_left"
    ]


def test_a_coordinator_adds_and_removes_a_donor() -> None:
    full = builders.full_drive()
    drive = full[0].drive
    for _twice in range(2):
        entry = entries.add_entry(
            drive=drive, waitlist_request=WaitlistRequest("return"), person=builders.person(42), actor="user:1", now=NOW
        )
    assert (entry.state, entry.source, WaitlistEntry.objects.count()) == ("waiting", "coordinator", 1)
    cancel(full[0])
    sweep()
    assert offers.accept_offer(offer_id=offered(entry).pk, actor="donor", now=NOW).verified_at is None
    other = entries.add_entry(
        drive=drive, waitlist_request=WaitlistRequest("return"), person=builders.person(43), actor="user:1", now=NOW
    )
    entries.remove_entry(entry_id=other.pk, actor="user:1", now=NOW)
    assert state_of(other) == "left"


@pytest.mark.parametrize("state", ["waitlist closed", "cancelled", "ended"])
def test_a_closed_waitlist_notifies_each_entry_once(state: str) -> None:
    full = builders.full_drive()
    drive = full[0].drive
    ana, dan = builders.waits(drive), builders.waits(drive, number=43, email="dan@example.org")
    cancel(full[0])
    sweep()
    offer, now = offered(ana), NOW
    if state == "waitlist closed":
        lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
        told_now = [close.close_waitlist(drive_id=drive.pk, actor="user:1", now=NOW) for _twice in range(2)]
        assert told_now == [2, 0]
    elif state == "cancelled":
        lifecycle.cancel_drive(drive_id=drive.pk, reason="", actor="user:1", now=NOW)
    else:
        now = drive.ends_at
    assert sweep(now)["closed"] == (0 if state == "waitlist closed" else 2)
    sweep(now)
    assert (state_of(ana), state_of(dan), ReservedSpot.objects.count()) == ("closed", "closed", 0)
    told = Message.objects.filter(kind="waitlist_closed").order_by("pk").values_list("about", "channel")
    assert sorted(told) == sorted([(ana.about, "sms"), (dan.about, "sms")])
    gone = "offer_withdrawn"
    assert refusal(offers.accept_offer, offer_id=offer.pk, actor="donor", now=now) == [gone]
    assert refusal(offers.decline_offer, offer_id=offer.pk, now=now) == [gone]


def test_entries_keep_their_position_when_online_booking_closes() -> None:
    full = builders.full_drive()
    drive = full[0].drive
    ana, dan = builders.waits(drive), builders.waits(drive, number=43, name="Test Dan Dow")
    lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    assert refusal(builders.asked_to_wait, drive, number=44) == ["drive_closed"]
    sweep()
    assert (state_of(ana), state_of(dan)) == ("waiting", "waiting")
    cancel(full[0])
    sweep()
    offers.decline_offer(offer_id=offered(ana).pk, now=NOW)
    sweep()
    booking = offers.accept_offer(offer_id=offered(dan).pk, actor="donor", now=NOW)
    assert (booking.state, booking.arrival_id) == ("booked", full[0].arrival_id)
    entries.change_entry(
        entry_id=ana.pk, waitlist_request=WaitlistRequest("return", ArrivalWindow(since=full[1].starts_at)), now=NOW
    )
    cancel(full[1])
    sweep()
    assert offered(ana).arrival_id == full[1].arrival_id


def test_a_closed_slot_of_a_closed_drive_is_not_offered() -> None:
    full = builders.full_drive(steps=1)
    ana = builders.waits(full[0].drive)
    lifecycle.close_drive(drive_id=full[0].drive_id, actor="user:1", now=NOW)
    Slot.objects.filter(drive=full[0].drive_id).update(open=False)
    cancel(full[0])
    sweep()
    assert builders.offer_to(ana) is None


def test_a_waitlist_is_closed_only_after_online_booking_and_reopens_with_it() -> None:
    full = builders.full_drive()
    drive_id = full[0].drive_id
    builders.waits(full[0].drive)
    assert refusal(close.close_waitlist, drive_id=drive_id, actor="user:1", now=NOW) == ["drive_published"]
    lifecycle.close_drive(drive_id=drive_id, actor="user:1", now=NOW)
    close.close_waitlist(drive_id=drive_id, actor="user:1", now=NOW)
    lifecycle.publish_drive(drive_id=drive_id, actor="user:1", now=NOW)
    again = builders.waits(full[0].drive, number=44)
    sweep()
    assert state_of(again) == "waiting"


def test_the_spot_of_a_lapsed_hold_is_reserved_for_the_waitlist() -> None:
    full = builders.full_drive(steps=2)
    cancel(full[0])
    builders.held(full[0].drive, n=0, number=50)
    ana = builders.waits(full[0].drive)
    later = NOW + timedelta(minutes=15)
    hold.lapse_holds(now=later)
    assert ReservedSpot.objects.count() == 1
    assert refusal(builders.held, full[0].drive, n=0, number=51, now=later) == ["slot_full"]
    sweep(later)
    assert offered(ana).arrival_id == full[0].arrival_id


def test_spots_too_soon_to_be_offered_are_released() -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive)
    near = full[0].starts_at - timedelta(minutes=44)
    cancel(full[0], now=near)
    sweep(near)
    assert (state_of(ana), ReservedSpot.objects.count()) == ("waiting", 0)


def test_the_closing_message_is_useful_for_a_day_and_an_answer_for_an_hour() -> None:
    full = builders.full_drive()
    ana = builders.waits(full[0].drive)
    cancel(full[0])
    sweep()
    offers.decline_offer(offer_id=offered(ana).pk, now=LATER, by_text=True)
    assert Message.objects.get(kind="waitlist_answer").expires_at == LATER + timedelta(hours=1)
    lifecycle.close_drive(drive_id=full[0].drive_id, actor="user:1", now=LATER)
    close.close_waitlist(drive_id=full[0].drive_id, actor="user:1", now=LATER)
    assert Message.objects.get(kind="waitlist_closed").expires_at == LATER + timedelta(days=1)
