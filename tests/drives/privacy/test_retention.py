"""Volunteers are erased after their organization's retention period, and texts after 90 days."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from drives.booking import corrections, hold
from drives.inbox import replies
from drives.models import Booking, Conversation
from drives.privacy import erase as privacy_erase
from drives.privacy import inactive, retention
from drives.refusals import Refusal
from drives.waitlist import entries
from drives.waitlist.entries import WaitlistRequest
from notifications import contact_address
from notifications.models import ConsentEntry, InboundMessage, Message, Sender, Suppression
from tests import builders
from tests.builders import NOW
from tests.drives.inbox.test_conversations import say
from tests.drives.privacy.planted import dump_tables, plant
from tests.notifications import made
from volunteers import browsers, contacts
from volunteers import retention as volunteers_retention
from volunteers.models import Contact, Registration, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
VISIT = datetime(2027, 3, 13, 17, tzinfo=NOW.tzinfo)
KEPT = datetime(2029, 3, 13, 17, tzinfo=NOW.tzinfo)  # 24 months after the visit


def known(number: int = 42, **of: Any) -> Booking:
    return builders.booked(builders.drive(builders.organization(**of)), number=number)


def left() -> int:
    return Volunteer.objects.known().count()


def test_a_volunteer_is_erased_24_months_after_the_visit_and_not_before() -> None:
    known()
    assert retention.erase_inactive_volunteers(now=KEPT) == 0
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(seconds=1)) == 1
    assert left() == 0
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(seconds=1)) == 0


def test_each_organization_keeps_people_for_as_long_as_it_says() -> None:
    short, long = known(retention_months=3), known(43, retention_months=120)
    assert inactive.list_inactive_volunteers(VISIT + timedelta(days=93), 10) == [short.volunteer_id]
    assert inactive.list_inactive_volunteers(VISIT + timedelta(days=3660), 10) == [
        short.volunteer_id,
        long.volunteer_id,
    ]


@pytest.mark.parametrize(
    "lives",
    [
        lambda: say("hello", KEPT, None),
        lambda: browsers.save_verified_browser(
            token="b", identity=contact_address.compute_identity(builders.phone(42)), now=KEPT
        ),
        lambda: ConsentEntry.objects.filter(given=True).update(at=KEPT, actor="donor"),
    ],
    ids=["a text", "a sign-in", "a consent"],
)
def test_any_sign_of_life_counts(lives: Callable[[], object]) -> None:
    known()
    lives()
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(days=1)) == 0


def test_an_entry_by_phone_counts_as_contact() -> None:
    here = known().drive.organization
    full = builders.full_drive(of=here, day=(KEPT + timedelta(days=9)).date())[0].drive
    asks: dict[str, Any] = {
        "drive": full,
        "waitlist_request": WaitlistRequest("return"),
        "person": builders.person(42),
        "actor": "user:7",
    }
    entry = entries.add_entry(**asks, now=KEPT)
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(days=1)) == 0
    entries.remove_entry(entry_id=entry.pk, actor="donor", now=KEPT)
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(days=1)) == 0
    assert entry.volunteer_id in inactive.list_inactive_volunteers(KEPT + timedelta(days=800), 10)


def test_consents_entered_by_others_do_not_count_as_contact() -> None:
    known()
    ConsentEntry.objects.update(at=KEPT, actor="user:7")
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(days=1)) == 1


def test_a_run_takes_so_many_and_the_next_goes_on() -> None:
    drive = builders.drive()
    for number in range(3):
        builders.booked(drive, n=4 * number, number=number)
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(days=1), limit=2) == 2
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(days=1), limit=2) == 1


@pytest.mark.expects_errors
def test_a_volunteer_that_cannot_be_erased_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, other = known(), known(43)
    erase = privacy_erase.erase_volunteer

    def fails(**asked: Any) -> Any:
        if asked["volunteer_id"] == stuck.volunteer_id:
            raise RuntimeError
        return erase(**asked)

    monkeypatch.setattr(privacy_erase, "erase_volunteer", fails)
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(days=1)) == 1
    assert list(Volunteer.objects.known().values_list("pk", flat=True)) == [stuck.volunteer_id]
    assert other.volunteer_id


def test_texts_are_blanked_after_90_days_and_their_fates_stay() -> None:
    plant()
    replies.handle_new_replies(now=NOW)
    fates = list(Message.objects.order_by("pk").values("kind", "state", "reason", "sent_at", "settled_at"))
    retention.apply_retention(now=NOW + timedelta(days=89))
    assert InboundMessage.objects.filter(text__contains="wombat").exists()
    later = NOW + timedelta(days=91)
    retention.apply_retention(now=later)
    over = Message.objects.exclude(state__in=["scheduled", "queued"])
    assert over.exists()
    assert set(over.values_list("text", "address", "calendar", "html").distinct()) <= {("-", "", "", ""), ("",) * 4}
    assert list(Message.objects.order_by("pk").values("kind", "state", "reason", "sent_at", "settled_at")) == fates
    assert not InboundMessage.objects.exclude(text="").exists()
    before = dump_tables()
    retention.apply_retention(now=later)
    assert dump_tables() == before


def test_an_unsent_message_keeps_its_address() -> None:
    booking = builders.booked(builders.drive(day=(NOW + timedelta(days=120)).date()))
    retention.apply_retention(now=NOW + timedelta(days=91))
    reminders = Message.objects.filter(about=booking.about, state="scheduled")
    assert set(reminders.values_list("address", flat=True)) == {builders.phone(42)}


def test_a_walk_over_many_messages_goes_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.erasure.STEP", 2)
    organization = builders.organization()
    made.many(organization, 5)
    Message.objects.update(state="sent", settled_at=NOW)
    young = made.queued(organization)
    Message.objects.filter(pk=young.pk).update(state="sent", created_at=made.NOON + timedelta(days=50))
    retention.apply_retention(now=made.NOON + timedelta(days=100))
    assert list(Message.objects.exclude(text="-")) == [young]


def test_an_address_without_a_volunteer_is_deleted_and_hashed_in_the_ledger() -> None:
    here = known()
    organization = here.drive.organization
    contacts.lock_or_create_contacts(organization_id=organization.pk, phone="", email="nobody@example.org")
    builders.agreed(organization, "nobody@example.org")
    say("STOP", NOW, None, 9)
    asked = retention.apply_retention(now=NOW + timedelta(hours=1))
    assert (asked["contacts"], asked["hashed"]) == (1, 0)
    assert retention.apply_retention(now=NOW + timedelta(days=2))["hashed"] == 2
    assert Suppression.objects.get().address == contact_address.compute_identity(builders.phone(9))
    assert set(ConsentEntry.objects.values_list("address", flat=True)) == {
        builders.phone(42),
        contact_address.compute_identity("nobody@example.org"),
    }
    assert Contact.objects.get().address == builders.phone(42)


def test_a_conversation_with_an_unknown_number_is_deleted_after_90_days() -> None:
    known()
    say("hello", NOW, None, 9)
    say("hello", NOW, None, 42)
    retention.apply_retention(now=NOW + timedelta(days=91))
    assert Conversation.objects.get().address == builders.phone(42)


def test_a_text_is_kept_for_exactly_90_days() -> None:
    settled = made.queued(builders.organization(), "Hello")
    Message.objects.update(state="sent", created_at=NOW, settled_at=NOW)
    kept = NOW + timedelta(days=90)
    retention.apply_retention(now=kept)
    settled.refresh_from_db()
    assert settled.text == "Hello"
    retention.apply_retention(now=kept + timedelta(seconds=1))
    settled.refresh_from_db()
    assert settled.text == "-"


def test_a_conversation_with_an_unknown_number_is_kept_for_exactly_90_days() -> None:
    known()
    say("hello", NOW, None, 9)
    retention.apply_retention(now=NOW + timedelta(days=90))
    assert Conversation.objects.count() == 1
    retention.apply_retention(now=NOW + timedelta(days=90, seconds=1))
    assert Conversation.objects.count() == 0


def test_an_unknown_address_is_hashed_after_a_day() -> None:
    here = known()
    builders.agreed(here.drive.organization, "nobody@example.org")
    day = NOW + timedelta(days=1)
    assert retention.apply_retention(now=day)["hashed"] == 0
    assert retention.apply_retention(now=day + timedelta(seconds=1))["hashed"] == 1


def test_the_last_activity_is_remembered_and_erases_on_its_own_day() -> None:
    booking = known()
    ConsentEntry.objects.filter(given=True).update(at=VISIT + timedelta(days=9), actor="donor")
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(days=1)) == 0
    donor = Volunteer.objects.get(pk=booking.volunteer_id or 0)
    assert donor.active_at == VISIT + timedelta(days=9)
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(days=9)) == 0
    assert retention.erase_inactive_volunteers(now=KEPT + timedelta(days=9, seconds=1)) == 1


def test_a_remembered_booking_that_moves_to_an_earlier_day_counts_from_that_day() -> None:
    booking = known()
    Volunteer.objects.update(created_at=NOW - timedelta(days=800))
    Booking.objects.update(created_at=NOW - timedelta(days=800))
    ConsentEntry.objects.update(actor="user:7")
    assert retention.erase_inactive_volunteers(now=NOW) == 0
    moved = NOW + timedelta(days=1)
    Booking.objects.filter(pk=booking.pk).update(starts_at=moved)
    kept = moved.replace(year=moved.year + 2)
    assert retention.erase_inactive_volunteers(now=kept) == 0
    assert retention.erase_inactive_volunteers(now=kept + timedelta(seconds=1)) == 1


def test_a_run_with_nothing_to_do_takes_eight_statements() -> None:
    known()
    retention.apply_retention(now=NOW + timedelta(days=2))
    with CaptureQueriesContext(connection) as captured:
        retention.apply_retention(now=NOW + timedelta(days=3))
    asked = [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(asked) == 8


def test_a_known_address_is_looked_at_once_and_again_after_its_contact_is_deleted() -> None:
    organization = known().drive.organization
    contacts.lock_or_create_contacts(organization_id=organization.pk, phone="", email="nobody@example.org")
    builders.agreed(organization, "nobody@example.org")
    day = NOW + timedelta(days=2)
    assert volunteers_retention.hash_unknown_addresses(before=day) == 0
    assert not ConsentEntry.objects.filter(is_checked=False).exists()
    assert volunteers_retention.purge_orphan_contacts() == 1
    assert set(ConsentEntry.objects.filter(is_checked=False).values_list("address", flat=True)) == {
        "nobody@example.org"
    }
    assert volunteers_retention.hash_unknown_addresses(before=day) == 1
    assert not ConsentEntry.objects.filter(is_checked=False).exists()


def test_an_opt_out_at_an_earlier_sender_is_hashed_after_the_erasure() -> None:
    booking, day = known(), NOW + timedelta(days=2)
    earlier = Sender.objects.create(name="Earlier", number="+12135550188")
    Suppression.objects.create(sender=earlier, address=builders.phone(42), since=NOW)
    assert volunteers_retention.hash_unknown_addresses(before=day) == 0
    assert not Suppression.objects.filter(is_checked=False).exists()
    assert booking.volunteer_id is not None
    privacy_erase.erase_volunteer(volunteer_id=booking.volunteer_id, reason="asked", actor="donor", now=NOW)
    assert volunteers_retention.hash_unknown_addresses(before=day) == 1
    assert not Suppression.objects.filter(address=builders.phone(42)).exists()


def test_many_unknown_addresses_are_hashed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(volunteers_retention, "_BATCH", 2)
    organization = known().drive.organization
    for number in range(5):
        builders.agreed(organization, f"nobody{number}@example.org")
    assert volunteers_retention.hash_unknown_addresses(before=NOW + timedelta(days=2)) == 5
    assert not ConsentEntry.objects.filter(address__startswith="nobody").exists()


@pytest.mark.parametrize(("months", "ends"), [(3, "2027-06-13"), (120, "2037-03-13")])
def test_people_are_kept_to_the_day_for_so_many_months(months: int, ends: str) -> None:
    known(retention_months=months)
    day = datetime.fromisoformat(f"{ends}T17:00+00:00")
    assert inactive.list_inactive_volunteers(day, 10) == []
    assert len(inactive.list_inactive_volunteers(day + timedelta(seconds=1), 10)) == 1


def leave_out_by_correction(party: list[Booking]) -> None:
    """Correct the hold to one person."""
    corrections.correct_hold(
        booking_id=party[0].pk,
        slot_id=party[0].arrival_id,
        visit=party[0].visit,
        person=builders.person(),
        ip=None,
        bound_to="browser-42",
        browser_token="",
        now=NOW,
    )


def remove_companions(party: list[Booking]) -> None:
    for companion in party[1:]:
        builders.cancelled(companion)


LEAVING = pytest.mark.parametrize("leave_out", [leave_out_by_correction, remove_companions])


@LEAVING
def test_details_of_people_who_were_left_out_are_deleted_after_a_day(
    leave_out: Callable[[list[Booking]], None],
) -> None:
    party = builders.held_together(builders.drive())
    leave_out(party)
    booked = builders.verified(party[0])
    assert set(Registration.objects.filter(volunteer=None).values_list("verified_at", flat=True)) == {None}
    volunteers_retention.purge_expired_rows(now=NOW + timedelta(days=1))
    assert Registration.objects.count() == len(party)
    volunteers_retention.purge_expired_rows(now=NOW + timedelta(days=1, seconds=1))
    assert list(Registration.objects.values_list("volunteer", flat=True)) == [booked.volunteer_id]


@LEAVING
def test_an_erasure_deletes_the_details_of_people_who_were_left_out(
    leave_out: Callable[[list[Booking]], None],
) -> None:
    party = builders.held_together(builders.drive())
    leave_out(party)
    booked = builders.verified(party[0])
    privacy_erase.erase_volunteer(volunteer_id=booked.volunteer_id or 0, reason="asked", actor="user:7", now=NOW)
    assert not Registration.objects.exists()
    assert not Booking.objects.exclude(party=None).exists()


def test_details_of_a_refused_booking_are_deleted_after_a_day() -> None:
    """The right code verifies the contact, but the rules refuse the booking, so no volunteer gets the registration."""
    drive, later = builders.drive(), NOW + timedelta(minutes=1)
    booked = builders.booked(drive)
    again = builders.held(drive, n=4, now=later)
    with pytest.raises(Refusal):
        builders.verified(again, now=later)
    assert Registration.objects.filter(volunteer=None).exclude(verified_at=None).count() == 1
    hold.lapse_holds(now=NOW + timedelta(minutes=17))
    volunteers_retention.purge_expired_rows(now=NOW + timedelta(days=1, minutes=1))
    assert Registration.objects.count() == 2
    volunteers_retention.purge_expired_rows(now=NOW + timedelta(days=1, minutes=1, seconds=1))
    assert list(Registration.objects.values_list("volunteer", flat=True)) == [booked.volunteer_id]
