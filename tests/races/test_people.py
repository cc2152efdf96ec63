"""One donor sends two requests at the same moment."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import pytest

from drives.booking import verify
from drives.models import Booking, BookingState
from tests import builders, seeds
from tests.builders import NOW
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from volunteers import registration
from volunteers.matching import BookingFor
from volunteers.models import Registration, Volunteer

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS = 9


def one_volunteer_twice() -> Callable[[], bool]:
    drive = builders.drive(builders.organization(codes_per_day=100_000))
    numbers = iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        number = next(numbers)
        known = builders.booked(drive, number=number)
        Booking.objects.filter(pk=known.pk).update(state=BookingState.LAPSED, is_counted=False)
        holds = [builders.held(drive, n=n, number=number) for n in (4, 12)]
        Registration.objects.update(verified_at=NOW)  # the race does not test the code
        results = run_concurrently(
            *(partial(verify.verify_booking, booking_id=held.pk, code="", bound_to="", now=NOW) for held in holds)
        )
        active = Booking.objects.filter(volunteer=known.volunteer, state="booked").count()
        return sorted(results) == ["already_booked", "ok"] and active == 1

    return race


def test_a_volunteer_booking_twice_at_once_gets_one_booking(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_party_facts")
    assert count_lost(one_volunteer_twice()) == 0


def test_control_two_bookings_hit_the_constraint_without_the_identity_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    locked = registration.resolve_registrations

    def unlocked(
        *, registrations: Sequence[Registration], now: datetime, booking_for: BookingFor = ""
    ) -> list[Volunteer]:
        known = list(Volunteer.objects.filter(owned_contacts__identity=registrations[0].identity))
        Registration.objects.filter(pk=registrations[0].pk).update(volunteer=known[0] if known else None)
        return known or locked(registrations=registrations, now=now, booking_for=booking_for)

    arena.pause_after_facts(monkeypatch, "load_party_facts")
    arena.without_locks(monkeypatch, "lock_identities_then_drive")
    seeds.replace(monkeypatch, registration, "resolve_registrations", unlocked)
    assert count_lost_in_turn(one_volunteer_twice()) >= ALMOST_ALWAYS


def three_holds_at_once() -> Callable[[], bool]:
    drive = builders.drive(builders.organization(codes_per_day=100_000))
    numbers = iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        number = next(numbers)
        acts = [partial(builders.held, drive, n=n, number=number) for n in (0, 6, 12)]
        return sorted(run_concurrently(*acts)) == ["ok", "ok", "too_many_holds"]

    return race


def test_a_contact_never_gets_a_third_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(three_holds_at_once()) == 0


def test_control_a_contact_gets_three_holds_without_the_identity_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    arena.without_locks(monkeypatch, "lock_identities_then_drive")
    assert count_lost_in_turn(three_holds_at_once()) >= ALMOST_ALWAYS
