"""A donor is erased while another action uses the donor's contact.

The other action sends a message or saves a consent, for example. No trace of the donor remains.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from drives.account import booking_search, profile
from drives.account import queries as account_queries
from drives.booking import verify
from drives.capacity import locks
from drives.messaging import invitation_audience, invitations
from drives.models import Booking, Drive
from drives.privacy import erase as privacy_erase
from notifications.models import ConsentEntry, Message
from tests import builders, seeds
from tests.builders import NOW
from tests.races import arena
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently
from volunteers import consent, contacts
from volunteers.models import Contact, Volunteer

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS, RUNS = 9, 10
Act = Callable[[Volunteer, str], Any]


def opt_out(person: Volunteer, phone: str) -> None:
    for contact in Contact.objects.filter(address=phone):
        consent.opt_out_contact(contact=contact, wording="Reminders and news", source="link", actor="donor", now=NOW)


def stop_by_reply(person: Volunteer, phone: str) -> None:
    consent.opt_out_volunteer(volunteer=person, contacts=[], wording="on the phone", actor="user:7", now=NOW)


def give_consent(person: Volunteer, phone: str) -> None:
    for contact in Contact.objects.filter(address=phone):
        with suppress(ValidationError):  # the contact no longer has an owner
            consent.opt_in_contact(
                volunteer=person, contact=contact, purpose="news", language="en", source="page", ip=None, now=NOW
            )


def find_bookings(person: Volunteer, phone: str) -> None:
    booking_search.request_find_code(
        typed=phone, browser="", new_browser="browser", bound_to="browser", ip=None, now=NOW
    )
    booking_search.send_find_codes(now=NOW)


def resend_code(person: Volunteer, phone: str) -> None:
    held = Booking.objects.filter(registration__phone=phone, state="held").first()
    with suppress(ValidationError, Booking.DoesNotExist):  # the booking was cancelled
        if held:
            verify.resend_hold_code(booking_id=held.pk, bound_to="browser", ip=None, now=NOW)


def invitation(person: Volunteer, phone: str) -> None:
    invitations.invite_all_donors(now=_weeks_later())


def _weeks_later() -> datetime:
    return Drive.objects.latest("pk").starts_at - timedelta(days=10)


def race_erasure(act: Act) -> Callable[[], bool]:
    """Return a race: `act` starts, and meanwhile Ana is erased.

    She has donated, and holds a slot at a later drive, except for the act `invitation`.
    """
    owner, numbers = builders.organization(codes_per_day=100_000), iter(range(1, 1000))
    consents = ("reminders", "news")

    def race() -> bool:
        number = next(numbers)
        given = builders.drive(owner)
        person = builders.gave(given, number=number, consents=consents).volunteer
        assert person is not None
        coming = builders.drive(owner, day=given.day + timedelta(days=14))
        phone = builders.phone(number)
        if act is not invitation:
            builders.held(coming, number=number)
        erase = partial(
            privacy_erase.erase_volunteer, volunteer_id=person.pk, reason="asked", actor="donor", now=_now(act)
        )
        results = run_concurrently(partial(act, person, phone), erase)
        Drive.objects.update(state="closed")
        return results == ["ok", "ok"] and is_nowhere(phone)

    return race


def _now(act: Act) -> datetime:
    return _weeks_later() if act is invitation else NOW


def is_nowhere(address: str) -> bool:
    return not any(model.objects.filter(address=address).exists() for model in (Message, ConsentEntry, Contact))


LOCKED, NEWEST, BOOKING, HEARD = (
    (contacts, "lock_contacts"),
    (account_queries, "load_newest_contacts"),
    (locks, "lock_bookings"),  # the erasure takes this lock, too
    (invitation_audience, "load_contact_history"),
)
PAUSES: list[tuple[Act, list[tuple[Any, str]]]] = [
    (opt_out, [LOCKED, BOOKING]),
    (stop_by_reply, [LOCKED, BOOKING]),
    (give_consent, [LOCKED, BOOKING]),
    (find_bookings, [NEWEST, BOOKING]),
    (resend_code, [BOOKING]),
    (invitation, [HEARD]),
]


@pytest.mark.parametrize(("act", "pauses"), PAUSES)
def test_an_erased_number_is_nowhere_after_a_concurrent_action(
    act: Act, pauses: list[tuple[Any, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module, name in pauses:
        seeds.pause_after(monkeypatch, module, name)
    assert count_lost(race_erasure(act), RUNS) == 0


@pytest.mark.parametrize("act", [opt_out, stop_by_reply, give_consent])
def test_control_consents_of_a_contact_stay_without_the_contact_lock(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.replace_in(monkeypatch, privacy_erase, contacts, lock_contacts=list)
    seeds.replace_in(monkeypatch, consent, contacts, lock_contacts=seeds.then_pause(list, "contacts.lock_contacts"))
    assert count_lost_in_turn(race_erasure(act), RUNS) >= ALMOST_ALWAYS


def test_control_a_code_is_sent_to_an_erased_donor_without_the_identity_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.without_locks(monkeypatch, "lock_identities")
    seeds.pause_after(monkeypatch, account_queries, "load_newest_contacts")
    assert count_lost_in_turn(race_erasure(find_bookings), RUNS) >= ALMOST_ALWAYS


def test_control_a_resent_code_reaches_an_erased_donor_without_the_booking_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unlocked(booking_id: int) -> Booking:
        return Booking.objects.select_related("registration__organization").get(pk=booking_id)

    slowly = seeds.then_pause(unlocked, "locking.booking")
    seeds.replace_in(monkeypatch, verify, locks, lock_booking=slowly)  # the erasure keeps its own lock
    assert count_lost_in_turn(race_erasure(resend_code), RUNS) >= ALMOST_ALWAYS


def test_control_an_invitation_reaches_an_erased_donor_without_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    arena.without_locks(monkeypatch, "block_invitations")
    seeds.pause_after(monkeypatch, invitation_audience, "load_contact_history")
    assert count_lost_in_turn(race_erasure(invitation), RUNS) >= ALMOST_ALWAYS


def known_then_erased() -> tuple[Volunteer, str]:
    booking = builders.booked(builders.drive(), consents=("reminders",))
    person = Volunteer.objects.select_related("organization", "phone", "email").get(bookings=booking)
    privacy_erase.erase_volunteer(volunteer_id=person.pk, reason="asked", actor="donor", now=NOW)
    return person, builders.phone(42)


def change_name(people: Sequence[Volunteer]) -> None:
    profile.save_details(people=people, name="Test Ana Birch", language="es", now=NOW)


def change_contact(people: Sequence[Volunteer]) -> None:
    typed = builders.phone(43)
    said: dict[str, Any] = {"browser": "browser", "bound_to": "browser", "now": NOW}
    address = profile.request_contact_code(
        organization=people[0].organization, typed=typed, language="en", ip=None, **said
    )
    text = Message.objects.filter(kind="code", address=address).latest("pk").text
    profile.save_verified_contact(people=people, address=address, code=text[:6], **said)


@pytest.mark.parametrize("change", [change_name, change_contact])
def test_a_page_opened_before_the_erasure_saves_no_name_or_number(
    change: Callable[[Sequence[Volunteer]], None],
) -> None:
    person, phone = known_then_erased()
    before = Volunteer.objects.filter(pk=person.pk).values().get()
    change([person])
    assert Volunteer.objects.filter(pk=person.pk).values().get() == before
    assert not Contact.objects.filter(address=phone).exists()
    assert not Contact.objects.exclude(owner=None).exists()
