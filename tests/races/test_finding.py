"""Searches of one contact at once, from as many networks: the limit that guards money, with its control."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import pytest

from drives.actions import finding
from tests import builders, storm
from tests.builders import NOW
from tests.races.arena import PAUSE, lost_in
from volunteers.actions import limits
from volunteers.actions.limits import Limit, TooMany
from volunteers.models import LimitCounter, ProofCode
from volunteers.rules import CODES_PER_CONTACT

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE, ALMOST_ALWAYS = 20, 9


def searches_at_once() -> Callable[[], bool]:
    numbers = iter(range(1, 1000))

    def ask(number: int, contact: str) -> None:
        fresh = f"browser-{number}"
        finding.ask(typed=contact, browser="", fresh=fresh, bound_to=fresh, ip=f"192.0.2.{number}", now=NOW)

    def race() -> bool:
        ProofCode.objects.all().delete()
        answers = storm.at_once(AT_ONCE, partial(ask, contact=builders.phone(next(numbers))))
        refused = sum(isinstance(answer, TooMany) for answer in answers)
        allowed = CODES_PER_CONTACT[0]
        return (ProofCode.objects.count(), refused) == (allowed, AT_ONCE - allowed)

    return race


def test_a_contact_never_gets_a_code_too_many() -> None:
    assert lost_in(searches_at_once()) == 0


def test_control_reading_the_counter_first_lets_too_many_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def naive(*, limits: Sequence[Limit], now: datetime) -> None:
        found = dict(LimitCounter.objects.values_list("subject", "count"))
        if any(found.get(limit.digest, 0) >= limit.limit for limit in limits):
            raise TooMany(now)
        time.sleep(PAUSE)
        for limit in limits:
            row, _ = LimitCounter.objects.get_or_create(
                scope=limit.scope, subject=limit.digest, window_start=limit.starts(now), defaults={"count": 0}
            )
            LimitCounter.objects.filter(pk=row.pk).update(count=row.count + 1)

    monkeypatch.setattr(limits, "spend_all", naive)
    assert lost_in(searches_at_once()) >= ALMOST_ALWAYS
