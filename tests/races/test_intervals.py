"""One donor makes two bookings at the same moment, at two organizations, with too little time between the visits."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from drives.booking import verify
from drives.eligibility import history
from drives.models import Booking
from tests import builders, seeds
from tests.builders import DRIVE_DAY, NOW
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from volunteers import queries as volunteers_queries
from volunteers import registration
from volunteers.models import Contact, Registration

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS = 9


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


def two_organizations() -> Callable[[], bool]:
    drives = [builders.drive(day=DRIVE_DAY + timedelta(days=days)) for days in (0, 1)]
    numbers = iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        number = next(numbers)
        holds = [builders.held(drive, number=number) for drive in drives]
        Registration.objects.update(verified_at=NOW)  # the race does not test the code
        return one_wins(holds)

    return race


def verify_phone_and_mailbox() -> Callable[[], bool]:
    """Return a race of two bookings by Ana. She has verified a phone and a mailbox at one organization.

    She books with the phone at that organization, and with the mailbox at another one.
    """
    drives = [builders.drive(day=DRIVE_DAY + timedelta(days=days)) for days in (0, 1)]
    numbers = iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        number = next(numbers)
        email = f"ana{number}@example.org"
        known = {"name": "Test Ana Alder", "phone": builders.phone(number), "email": email}
        registration.enter_volunteer(organization=drives[0].organization, **known, actor="user:1", now=NOW)
        Contact.objects.update(verified_at=NOW)
        holds = [
            builders.held(drives[0], number=number),
            builders.held(drives[1], number=number, phone="", email=email),
        ]
        Registration.objects.update(verified_at=NOW)
        return one_wins(holds)

    return race


def one_wins(holds: list[Booking]) -> bool:
    results = run_concurrently(
        *(partial(verify.verify_booking, booking_id=held.pk, code="", bound_to="", now=NOW) for held in holds)
    )
    return sorted(results) == ["interval_too_short", "ok"] and Booking.objects.filter(state="booked").count() == 1


@pytest.mark.parametrize("race", [two_organizations, verify_phone_and_mailbox])
def test_of_two_bookings_too_close_together_one_wins(
    race: Callable[[], Callable[[], bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds.pause_after(monkeypatch, history, "list_donations_by_volunteer")
    assert count_lost(race()) == 0


@pytest.mark.parametrize("race", [two_organizations, verify_phone_and_mailbox])
def test_control_both_are_booked_without_the_identity_lock(
    race: Callable[[], Callable[[], bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds.pause_after(monkeypatch, history, "list_donations_by_volunteer")
    arena.without_locks(monkeypatch, "lock_identities_then_drive")
    assert count_lost_in_turn(race()) >= ALMOST_ALWAYS


def test_control_both_are_booked_when_only_the_typed_contact_is_locked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seeds.pause_after(monkeypatch, history, "list_donations_by_volunteer")
    seeds.replace(
        monkeypatch,
        volunteers_queries,
        "list_person_identities",
        lambda *, organization_id, identities: set(identities),
    )
    assert count_lost_in_turn(verify_phone_and_mailbox()) >= ALMOST_ALWAYS
