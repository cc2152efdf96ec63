"""Requests for codes and changes of bookings run at the same moment. They respect the limits that keep costs down."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from drives.account import booking_search
from notifications.models import Message
from tests import builders, seeds, storm
from tests.builders import NOW
from tests.races.arena import count_lost, count_lost_in_turn
from volunteers import codes
from volunteers import limits as actions_limits
from volunteers.limits import Limit, RateLimitExceeded, Refund, TooManyChanges
from volunteers.models import LimitCounter, VerificationCode
from volunteers.rules import CHANGES_PER_HOUR, CODES_NOT_ENTERED_PER_HOUR, CODES_PER_CONTACT

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE, ALMOST_ALWAYS = 20, 9


def searches_at_once() -> Callable[[], bool]:
    numbers = iter(range(1, 1000))

    def ask(number: int, contact: str) -> None:
        fresh = f"browser-{number}"
        booking_search.request_find_code(
            typed=contact, browser="", new_browser=fresh, bound_to=fresh, ip=f"192.0.2.{number}", now=NOW
        )

    def race() -> bool:
        VerificationCode.objects.all().delete()
        answers = storm.at_once(AT_ONCE, partial(ask, contact=builders.phone(next(numbers))))
        refused = sum(isinstance(answer, RateLimitExceeded) for answer in answers)
        allowed = CODES_PER_CONTACT[0]
        return (VerificationCode.objects.count(), refused) == (allowed, AT_ONCE - allowed)

    return race


def test_concurrent_searches_respect_the_contact_limit() -> None:
    assert count_lost(searches_at_once()) == 0


def seed_naive_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = seeds.pausing("the naive counter")

    def naive(*, limits: Sequence[Limit], now: datetime, **_known: object) -> None:
        found = dict(LimitCounter.objects.values_list("subject", "count"))
        if any(found.get(limit.digest, 0) >= limit.limit for limit in limits):
            raise RateLimitExceeded(now + timedelta(minutes=1), now)
        pause()
        for limit in limits:
            row, _ = LimitCounter.objects.get_or_create(
                scope=limit.scope,
                subject=limit.digest,
                window_start=limit.compute_window_start(now),
                defaults={"count": 0},
            )
            LimitCounter.objects.filter(pk=row.pk).update(count=row.count + 1)

    seeds.replace(monkeypatch, actions_limits, "spend_limits", naive)


def test_control_reading_the_counter_first_exceeds_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    seed_naive_counter(monkeypatch)
    assert count_lost_in_turn(searches_at_once()) >= ALMOST_ALWAYS


# Changes of one contact


def changes_at_once() -> Callable[[], bool]:
    owner, most = builders.organization(), CHANGES_PER_HOUR[0]

    def change(number: int) -> None:
        actions_limits.spend_change(organization=owner, record="booking", pk=number % 2, identity="a", now=NOW)

    def race() -> bool:
        LimitCounter.objects.all().delete()
        answers = storm.at_once(AT_ONCE, change)
        return sum(isinstance(answer, TooManyChanges) for answer in answers) == AT_ONCE - most

    return race


def test_concurrent_changes_respect_the_contact_limit() -> None:
    assert count_lost(changes_at_once()) == 0


def test_control_reading_the_counter_first_allows_too_many_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    seed_naive_counter(monkeypatch)
    assert count_lost_in_turn(changes_at_once()) >= ALMOST_ALWAYS


# One network: codes are requested while others are verified


def codes_of_one_network() -> Callable[[], bool]:
    numbers, owner = iter(range(1, 1000)), builders.organization(codes_per_day=100_000)
    asked: dict[str, Any] = {"organization": owner, "language": "en", "ip": "192.0.2.7", "now": NOW}

    def send(address: str) -> VerificationCode:
        with transaction.atomic():
            return codes.queue_code(address=address, bound_to="here", about="booking:1", **asked)

    def ask_or_enter(number: int, sent: Sequence[tuple[str, str]]) -> object:
        if number >= len(sent):
            return send(f"test{next(numbers)}@example.org")
        identity, code = sent[number]
        return codes.check_code(identity=identity, bound_to="here", code=code, now=NOW)

    def race() -> bool:
        VerificationCode.objects.all().delete()
        LimitCounter.objects.all().delete()
        rows = [send(f"test{next(numbers)}@example.org") for _code in range(AT_ONCE * 3 // 4)]
        sent = [(row.identity, Message.objects.get(key__startswith=f"code:{row.pk}/").text[:6]) for row in rows]
        storm.at_once(AT_ONCE, partial(ask_or_enter, sent=sent))
        open_codes = VerificationCode.objects.filter(used_at=None).count()
        counted = LimitCounter.objects.get(scope="code_not_entered_").count
        return open_codes == counted <= CODES_NOT_ENTERED_PER_HOUR[""]

    return race


def test_concurrent_refunds_of_a_network_limit_are_exact() -> None:
    assert count_lost(codes_of_one_network()) == 0


def test_control_refunding_a_read_value_loses_count(monkeypatch: pytest.MonkeyPatch) -> None:
    pause = seeds.pausing("the naive giving back")

    def naive(refunds: Sequence[Refund]) -> None:
        for scope, digest, window_start, count in refunds:
            row = LimitCounter.objects.get(scope=scope, subject=digest, window_start=window_start)
            pause()
            LimitCounter.objects.filter(pk=row.pk).update(count=row.count - count)

    seeds.replace(monkeypatch, actions_limits, "refund_limits", naive)
    assert count_lost_in_turn(codes_of_one_network()) >= ALMOST_ALWAYS
