"""Measure whether response times reveal if a contact is known.

The test sends known and unknown contacts to the same endpoints in random order, each from a different IP address. An
endpoint's figure is the share of random pairs in which the known contact took longer (the area under the ROC curve).
At 0.5, the times reveal nothing.
"""

import random
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench import bench_data
from drives.booking import create
from drives.capacity import visit_length
from drives.desk import people as desk_people
from drives.domain import grid
from drives.eligibility import history
from drives.models import Booking, BookingState, Drive, Source, Visit
from organizations.models import Organization
from tests import builders
from volunteers import codes
from volunteers import rules as volunteers_rules
from volunteers.models import Contact, ContactKind, LimitCounter, Volunteer

DOORS = ("hold", "code", "find")
PLENTY = 30_000  # spots
WARM_UP = 20


def told_by_time(pairs: int, chance: random.Random) -> dict[str, float]:
    """Return each endpoint's figure for `pairs` known contacts and as many unknown ones.

    The service sends only 2,000 search codes a day, which limits `pairs`.
    """
    LimitCounter.objects.all().delete()
    owner = builders.organization(codes_per_day=1_000_000)
    drive = builders.coming_drive(of=owner, shape=builders.plain, spots=PLENTY, policy_id=builders.lax().pk)
    phones = list(_phones(2 * pairs + WARM_UP, chance))
    known = phones[WARM_UP : WARM_UP + pairs]
    make_known(owner, known)
    asked = phones[WARM_UP:]
    chance.shuffle(asked)
    for n, phone in enumerate(phones[:WARM_UP]):
        _ask(drive, phone, n)
    took = {phone: _ask(drive, phone, WARM_UP + n) for n, phone in enumerate(asked)}
    unknown = phones[WARM_UP + pairs :]
    return {
        door: area([took[phone][door] for phone in known], [took[phone][door] for phone in unknown]) for door in DOORS
    }


def area(known: Sequence[float], unknown: Sequence[float]) -> float:
    """Return the share of pairs in which the known contact took longer. A tie counts as half."""
    ranked = sorted(unknown)
    wins = sum(bisect_left(ranked, took) + bisect_right(ranked, took) for took in known)
    return wins / (2 * len(known) * len(unknown))


def make_known(owner: Organization, phones: Sequence[str]) -> None:
    """Create donors who verified these numbers and donated half a year ago."""
    now = timezone.now()
    before = now - timedelta(days=180)
    planned = builders.plain(builders.site(owner), spots=1, day=before.date())
    past = builders.drive(owner, planned, published=False, now=before)
    people = Volunteer.objects.bulk_create(
        Volunteer(organization=owner, name="Test Ana Alder", created_at=before, **Volunteer.build_link_fields())
        for _phone in phones
    )
    contacts = Contact.objects.bulk_create(
        Contact(
            organization=owner,
            kind=ContactKind.PHONE,
            address=phone,
            identity=volunteers_rules.compute_identity(phone),
            owner=person,
            verified_at=before,
            **Contact.build_link_fields(),
        )
        for phone, person in zip(phones, people, strict=True)
    )
    for person, contact in zip(people, contacts, strict=True):
        person.phone = contact
    Volunteer.objects.bulk_update(people, ["phone"])
    Booking.objects.bulk_create(_gave(past, person) for person in people)


def _gave(drive: Drive, person: Volunteer) -> Booking:
    slot, stamp = builders.slot(drive), drive.starts_at
    return Booking(
        **Booking.build_link_fields(),
        **create.build_footprint_fields(
            grid.compute_footprint(0, visit_length.compute_visit_shape(drive, Visit.RETURN))
        ),
        reference=create.generate_reference(),
        drive=drive,
        volunteer=person,
        arrival=slot,
        starts_at=slot.starts_at,
        visit=Visit.RETURN,
        state=BookingState.DONATED,
        source=Source.ONLINE,
        created_at=stamp,
        changed_at=stamp,
        donated_at=stamp,
    )


def _ask(drive: Drive, phone: str, n: int) -> dict[str, float]:
    """Send one contact to each endpoint from a new browser. Return the seconds for each."""
    browser = Client(REMOTE_ADDR=f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}")
    details = {"name": "Test Ana Alder", "phone": phone, "email": "", "visit": "return", "reminders": "on"}
    details["slot"] = str(builders.slot(drive, n % 4).pk)
    held, holding = _timed(lambda: browser.post(reverse("book", args=[drive.slug]), details))
    again = f"{held['Location'].partition('?')[0]}code/"
    _sent, sending = _timed(lambda: browser.post(again))
    _looked, looking = _timed(
        lambda: Client(REMOTE_ADDR=browser.defaults["REMOTE_ADDR"]).post(reverse("find_booking"), {"contact": phone})
    )
    return dict(zip(DOORS, (holding, sending, looking), strict=True))


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    answer = call()
    took = time.perf_counter() - began
    assert answer.status_code == 303, (answer.status_code, answer.content[:2000])
    return answer, took


def _phones(count: int, chance: random.Random) -> Iterator[str]:
    """Return `count` different reserved numbers in random order."""
    every = [f"+1{area}55501{n:02}" for area in bench_data.list_area_codes() for n in range(100)]
    return iter(chance.sample(every, count))


@contextmanager
def leaking(looks: int = 1) -> Iterator[None]:
    """Seed a bug: look up the contact's bookings and donations before verification, `looks` times."""
    spend = codes._spend_code_limits

    def curious(who: str, *rest: Any) -> None:
        known = list(Contact.objects.filter(identity=who).exclude(owner=None).select_related("organization"))
        for contact in known * looks:
            page = desk_people.load_person_page(contact.organization, contact.owner_id or 0)
            assert page
            history.list_donations(history.DonorScope(page.person.pk, everywhere=True), timezone.now(), ZoneInfo("UTC"))
        spend(who, *rest)

    with patch.object(codes, "_spend_code_limits", curious):
        yield
