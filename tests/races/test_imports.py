"""Two workers import bookings at once, or one while a donor books. No spot is oversold, no donor is booked twice."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from drives.capacity import drift
from drives.imports import run, uploads
from drives.models import Booking, Drive, Import, ImportState
from organizations.models import ParkedRow
from tests import builders, seeds
from tests.builders import NOW
from tests.drives.imports import made
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from volunteers import matching, registration
from volunteers.models import Volunteer

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS = 9
HEADER = "Time,Visit,Name,Phone,E-mail"


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    """Switch off rate limits. Otherwise the lock on the organization's count of codes would hide the race."""
    settings.RATE_LIMITS = False


def small_drive() -> Drive:
    owner = builders.organization(codes_per_day=100_000)
    return builders.drive(owner, builders.plain(builders.site(owner), spots=1))


def checked(drive: Drive, at: str, number: int, *, by_mail: bool = False) -> Import:
    """Upload and check a file with one booking. `number` gives the person's phone or, with `by_mail`, the mailbox."""
    contact = f",{mailbox(number)}" if by_mail else f"{builders.phone(number)},"
    line = f"{at},return,Test Person {number},{contact}"
    upload = uploads.upload_file(
        organization=drive.organization,
        content=made.file_of(line, header=HEADER),
        file_name="bookings.csv",
        actor="user:0",
        now=NOW,
        drive=drive,
    )
    uploads.match_columns(import_id=upload.pk, matched=upload.columns, proof=uploads.ConsentProof(), now=NOW)
    made.work()
    return upload


def mailbox(number: int) -> str:
    return f"p{number}@example.org"


def enter_person(drive: Drive, number: int) -> None:
    """Enter a person with a phone number and a mailbox. Two files may name the person by one contact each."""
    registration.enter_volunteer(
        organization=drive.organization,
        name=f"Test Person {number}",
        phone=builders.phone(number),
        email=mailbox(number),
        actor="user:0",
        now=NOW,
    )


def start(*imports: Import) -> None:
    for one in imports:
        uploads.start_import(import_id=one.pk, left_out_count=0, actor="user:0", now=NOW)


def list_outcomes(*imports: Import) -> list[str]:
    """Return "ok" for each finished import. For any other, return the codes of its problems or its state."""
    outcomes = []
    for one in map(made.fresh, imports):
        codes = ",".join(code for _row, _field, code in made.list_codes(one))
        outcomes.append("ok" if one.state == ImportState.FINISHED else codes or one.state)
    return outcomes


def is_sound(drive: Drive, number: int = 0) -> bool:
    """Return whether one booking holds a spot, no step is oversold, no sweep failed, and one person has this number."""
    live = Booking.objects.filter(drive=drive, state__in=arena.HOLDS_A_PLACE).count()
    people = Volunteer.objects.filter(owned_contacts__address=builders.phone(number)).count() if number else 1
    is_oversold = arena.oversold(list(drive.slots.order_by("n")))
    return (live, people, is_oversold, ParkedRow.objects.exists()) == (1, 1, False, False)


def without_locks_on_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed a bug: skip the locks on identities, and do not lock the person's row, which would hide the race."""
    arena.without_locks(monkeypatch, "lock_identities_then_drive", "lock_contact_owners_then_drive")

    def find(volunteer_id: int | None, *_typed: object) -> Volunteer | None:
        known = Volunteer.objects.select_related("phone", "email")
        return known.get(pk=volunteer_id) if volunteer_id else None

    seeds.replace(monkeypatch, matching, "update_known_volunteer", find)


work = partial(run.run_imports, now=NOW, seconds=60)


# Two imports compete for the last spot


def two_imports() -> Callable[[], bool]:
    drive, numbers = small_drive(), iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        imports = [checked(drive, "9:00 AM", next(numbers)) for _turn in range(2)]
        start(*imports)
        run_concurrently(work, work)
        return sorted(list_outcomes(*imports)) == ["ok", "slot_full"] and is_sound(drive)

    return race


def test_two_imports_never_sell_the_last_spot_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(two_imports()) == 0
    assert drift.count_drifted_slots() == 0


def test_control_two_imports_sell_it_twice_without_the_conditional_update(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.without_conditional_update(monkeypatch)
    assert count_lost_in_turn(two_imports()) >= ALMOST_ALWAYS


# An import and a donor compete for the last spot


def import_against_donor() -> Callable[[], bool]:
    drive, numbers = small_drive(), iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        imported, number = checked(drive, "9:00 AM", next(numbers)), next(numbers)
        start(imported)
        [_worker, donor] = run_concurrently(work, lambda: builders.held(drive, number=number))
        return sorted([*list_outcomes(imported), donor]) == ["ok", "slot_full"] and is_sound(drive)

    return race


def test_an_import_and_a_donor_never_get_the_same_spot(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(import_against_donor()) == 0
    assert drift.count_drifted_slots() == 0


def test_control_an_import_and_a_donor_share_a_spot_without_the_conditional_update(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arena.without_conditional_update(monkeypatch)
    assert count_lost_in_turn(import_against_donor()) >= ALMOST_ALWAYS


# Two files contain the same person


def one_person_in_two_imports(*, is_known: bool) -> Callable[[], bool]:
    drive, numbers = small_drive(), iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        number = next(numbers)
        if is_known:
            enter_person(drive, number)
        imports = [checked(drive, "9:00 AM", number), checked(drive, "9:15 AM", number, by_mail=is_known)]
        start(*imports)
        run_concurrently(work, work)
        return sorted(list_outcomes(*imports)) == ["already_booked", "ok"] and is_sound(drive, number)

    return race


@pytest.mark.parametrize("is_known", [False, True])
def test_a_person_in_two_imports_is_entered_and_booked_once(monkeypatch: pytest.MonkeyPatch, *, is_known: bool) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(one_person_in_two_imports(is_known=is_known)) == 0


def test_control_a_person_in_two_imports_fails_one_without_the_identity_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    without_locks_on_people(monkeypatch)
    assert count_lost_in_turn(one_person_in_two_imports(is_known=True)) >= ALMOST_ALWAYS


# A person in a file books online


def own_booking_against_import() -> Callable[[], bool]:
    drive, numbers = small_drive(), iter(range(1, 1000))

    def race() -> bool:
        arena.empty()
        number = next(numbers)
        enter_person(drive, number)
        imported = checked(drive, "9:15 AM", number, by_mail=True)
        held = builders.held(drive, number=number, name=f"Test Person {number}")
        start(imported)
        [_worker, donor] = run_concurrently(work, lambda: builders.verified(held, number=number))
        refused_hold = Booking.objects.filter(pk=held.pk, state="held")
        refused_hold.update(state="lapsed", is_counted=False)  # it would lapse by itself
        return sorted([*list_outcomes(imported), donor]) == ["already_booked", "ok"] and is_sound(drive, number)

    return race


def test_a_donor_who_books_during_the_import_is_booked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts")
    assert count_lost(own_booking_against_import()) == 0


def test_control_a_donor_and_an_import_collide_without_the_identity_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.pause_after_facts(monkeypatch, "load_booking_facts", "load_party_facts")
    without_locks_on_people(monkeypatch)
    assert count_lost_in_turn(own_booking_against_import()) >= ALMOST_ALWAYS
