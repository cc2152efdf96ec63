"""A donor is erased while another action runs. No personal data remains, and none is written afterward."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from drives.booking import changes
from drives.messaging import broadcast_queries, broadcasts
from drives.messaging.broadcast_queries import Audience
from drives.messaging.broadcasts import BroadcastDraft
from drives.models import Booking, Drive
from drives.privacy import erase as privacy_erase
from notifications import claim, erasure, outbox
from notifications.models import Message
from tests import builders, seeds
from tests.builders import NOW
from tests.drives.privacy.planted import book_another_donor
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from volunteers.models import Contact, Volunteer

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS = 9
RUNS = 10


def is_erased(booking: Booking) -> bool:
    """Return whether no trace of the erased donor is left."""
    person = Volunteer.objects.get(bookings=booking)
    theirs = Message.objects.filter(about=booking.about).exclude(address="")
    return person.erased_at is not None and person.phone is None and not theirs.exists()


def erase(booking: Booking) -> None:
    privacy_erase.erase_volunteer(volunteer_id=booking.volunteer_id or 0, reason="asked", actor="donor", now=NOW)


def race_erasure(act: Callable[[Booking], Any]) -> Callable[[], bool]:
    """Return a race: `act` starts to change Ana's booking, and meanwhile she is erased."""
    owner = builders.organization(codes_per_day=100_000)
    numbers = iter(range(1, 1000))

    def race() -> bool:
        drive = builders.drive(owner)
        booking = book_another_donor(drive, 0, phone=builders.phone(next(numbers)), consents=("reminders",))
        acted, erased = run_concurrently(partial(act, booking), partial(erase, booking))
        return erased == "ok" and "Deadlock" not in acted and is_erased(booking)

    return race


def move(booking: Booking) -> None:
    changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(booking.drive, 8).pk, actor="donor", now=NOW)


def send_broadcast(booking: Booking) -> None:
    drive = Drive.objects.select_related("organization", "site", "policy").get(pk=booking.drive_id)
    draft = BroadcastDraft({"en": "Bring a sweater."}, Audience(), "reminders")
    with suppress(ValidationError):  # the donor no longer exists
        broadcasts.send_broadcast(drive=drive, draft=draft, typed_count=1, request_key="a", actor="user:7", now=NOW)


def enter_again(booking: Booking) -> None:
    """Book a donor with the phone number of the erased donor.

    Afterward, the number must belong entirely to the erased donor or entirely to a new one.
    """
    phone = Contact.objects.filter(kind="phone").order_by("-pk").values_list("address", flat=True).first()
    again = book_another_donor(builders.drive(booking.drive.organization), 0, phone=phone or builders.phone(999))
    assert Volunteer.objects.get(bookings=again).phone is not None or again.volunteer_id == booking.volunteer_id


@pytest.mark.parametrize("act", [move, send_broadcast, enter_again])
def test_nothing_is_written_about_an_erased_donor(
    act: Callable[[Booking], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if act is send_broadcast:
        seeds.pause_after(monkeypatch, broadcast_queries, "load_broadcast_reach")
    else:
        arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(race_erasure(act), RUNS) == 0


def test_control_a_broadcast_reaches_an_erased_donor_without_the_drive_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seeds.pause_after(monkeypatch, broadcast_queries, "load_broadcast_reach")
    arena.without_locks(monkeypatch, "lock_drives_shared")
    assert count_lost_in_turn(race_erasure(send_broadcast), RUNS) >= ALMOST_ALWAYS


def test_a_claimed_message_is_not_sent_after_the_erasure() -> None:
    booking = builders.booked(builders.drive())
    claimed = claim.claim_messages(channel="sms", limit=10, now=NOW + timedelta(seconds=1))
    assert claimed
    erase(booking)
    assert claim.admit_messages(claimed=claimed, now=NOW + timedelta(seconds=1)) == []


def test_control_a_claimed_message_is_sent_if_the_erasure_skips_the_outbox(monkeypatch: pytest.MonkeyPatch) -> None:
    booking = builders.booked(builders.drive())
    claimed = claim.claim_messages(channel="sms", limit=10, now=NOW + timedelta(seconds=1))
    seeds.replace(monkeypatch, erasure, "erase_messages", lambda **_asked: 0)
    seeds.replace(monkeypatch, erasure, "hash_consents", lambda **_asked: None)
    seeds.replace(monkeypatch, outbox, "withdraw_messages", lambda **_asked: 0)
    erase(booking)
    assert claim.admit_messages(claimed=claimed, now=NOW + timedelta(seconds=1))


def test_two_concurrent_erasures_are_one() -> None:
    owner = builders.organization(codes_per_day=100_000)
    drive = builders.drive(owner)
    for number in range(5):
        booking = book_another_donor(drive, 2 * number, phone=builders.phone(number))
        assert run_concurrently(partial(erase, booking), partial(erase, booking)) == ["ok", "ok"]
        assert is_erased(booking)
        assert booking.changes.filter(to_state="cancelled").count() == 1
