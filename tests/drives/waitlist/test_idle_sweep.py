"""The sweep of offers skips a waitlist while neither the waitlist nor the free capacity changes.

After ten minutes, it looks again in any case.
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import F

from drives.models import Offer, Slot, WaitlistEntry
from drives.waitlist import entries, offers, queries, rules
from tests import builders, query_counts
from tests.builders import NOW

pytestmark = pytest.mark.django_db


def looked_at() -> WaitlistEntry:
    """Create a waitlist entry at a full drive, and run a sweep that finds no spot for it."""
    drive = builders.full_drive(policy_id=builders.lax().pk)[0].drive
    entry = builders.waits(drive)
    assert queries.list_drives_to_offer(NOW) == [drive.pk]
    assert offers.sweep_waitlists(now=NOW)["offered"] == 0
    assert queries.list_drives_to_offer(NOW) == []
    return entry


def test_freed_capacity_is_offered_at_once() -> None:
    entry = looked_at()
    Slot.objects.filter(drive=entry.drive).update(chairs_limit=F("chairs_limit") + 1)
    assert offers.sweep_waitlists(now=NOW)["offered"] == 1
    assert Offer.objects.get().entry == entry


def test_another_donor_makes_the_sweep_look_again() -> None:
    entry = looked_at()
    builders.waits(entry.drive, number=50)
    assert queries.list_drives_to_offer(NOW) == [entry.drive_id]


def test_a_donor_who_leaves_makes_the_sweep_look_again() -> None:
    first = looked_at()
    second = builders.waits(first.drive, number=50)
    offers.sweep_waitlists(now=NOW)
    entries.remove_entry(entry_id=second.pk, actor="donor", now=NOW)
    assert queries.list_drives_to_offer(NOW) == [first.drive_id]


@pytest.mark.parametrize(("early", "is_due"), [(timedelta(seconds=1), False), (timedelta(), True)])
def test_an_unchanged_waitlist_is_looked_at_every_ten_minutes(early: timedelta, is_due: bool) -> None:
    entry = looked_at()
    later = NOW + rules.OFFER_CHECK_INTERVAL - early
    assert queries.list_drives_to_offer(later) == ([entry.drive_id] if is_due else [])


def test_an_idle_sweep_takes_five_statements(settings: Any) -> None:
    settings.RATE_LIMITS = False

    def look_at_drives(number: int) -> Callable[[], object]:
        for _drive in range(number):
            looked_at()
        return partial(offers.sweep_waitlists, now=NOW)

    assert query_counts.count_for_each(look_at_drives) == 5
