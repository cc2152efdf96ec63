"""Rate limits hold even under concurrent requests."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from tests import storm
from tests.builders import NOW
from volunteers import limits
from volunteers.limits import Limit, RateLimitExceeded
from volunteers.models import LimitCounter

QUARTER = timedelta(minutes=15)


def ask(subject: str = "a", *, scope: str = "test", most: int = 3, now: datetime = NOW) -> str:
    try:
        with transaction.atomic():
            limits.spend_limit(scope=scope, subject=subject, limit=most, window=QUARTER, now=now)
    except RateLimitExceeded as refusal:
        return str(refusal.code)
    return "spent"


@pytest.mark.django_db
def test_a_limit_is_spent_and_then_refuses() -> None:
    assert [ask() for _ in range(5)] == ["spent"] * 3 + ["too_many_codes"] * 2
    assert LimitCounter.objects.get().count == 3


@pytest.mark.django_db
def test_limits_of_other_subjects_scopes_and_windows_are_their_own() -> None:
    assert [ask(most=1), ask("b", most=1), ask(scope="other", most=1), ask(most=1, now=NOW + QUARTER)] == ["spent"] * 4


@pytest.mark.django_db
def test_a_limit_of_zero_refuses_everything() -> None:
    assert ask(most=0) == "too_many_codes"


@pytest.mark.django_db
def test_a_refusal_says_when_to_come_back() -> None:
    now = datetime(2027, 3, 1, 18, 7, 30, tzinfo=UTC)
    limits.spend_limit(scope="test", subject="a", limit=1, window=QUARTER, now=now)
    with pytest.raises(RateLimitExceeded) as caught:
        limits.spend_limit(scope="test", subject="a", limit=1, window=QUARTER, now=now)
    assert caught.value.retry_at == datetime(2027, 3, 1, 18, 15, tzinfo=UTC)


@pytest.mark.django_db
def test_of_several_limits_all_are_spent_or_none() -> None:
    wide, narrow = Limit("wide", "a", 5, timedelta(days=1)), Limit("narrow", "a", 2, QUARTER)
    for _ in range(2):
        limits.spend_limits(limits=[narrow, wide], now=NOW)
    with pytest.raises(RateLimitExceeded) as caught, transaction.atomic():
        limits.spend_limits(limits=[narrow, wide], now=NOW)
    assert caught.value.retry_at == narrow.compute_window_start(NOW) + QUARTER
    assert dict(LimitCounter.objects.values_list("scope", "count")) == {"narrow": 2, "wide": 2}


@pytest.mark.django_db
def test_several_limits_cost_one_statement() -> None:
    with CaptureQueriesContext(connection) as caught:
        limits.spend_limits(limits=[Limit(scope, "a", 5, QUARTER) for scope in ("a", "b", "c", "d")], now=NOW)
    assert len(caught) == 1


@pytest.mark.django_db
def test_a_counter_holds_no_personal_data() -> None:
    limits.spend_limit(scope="test", subject="+12135550142", limit=1, window=QUARTER, now=NOW)
    assert "2135550142" not in str(LimitCounter.objects.values().get())


@pytest.mark.django_db
def test_limits_can_be_switched_off(settings: object) -> None:
    settings.RATE_LIMITS = False  # type: ignore[attr-defined]
    assert {ask(most=0) for _ in range(9)} == {"spent"}
    assert LimitCounter.objects.count() == 0


@pytest.mark.django_db
def test_old_counters_are_deleted() -> None:
    ask(now=NOW - timedelta(days=3))
    ask(now=NOW)
    assert limits.purge_counters(now=NOW) == 1
    assert LimitCounter.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_concurrent_requests_never_exceed_the_limit() -> None:
    for round_ in range(10):
        answers = storm.at_once(20, lambda _, subject=f"round {round_}": ask(subject, most=7))  # type: ignore[misc]
        assert Counter(map(str, answers)) == {"spent": 7, "too_many_codes": 13}


def naive(subject: str, most: int) -> str:
    """Spend one unit of a limit without a lock, as a control."""
    counter, _ = LimitCounter.objects.get_or_create(
        scope="test", subject=subject, window_start=NOW, defaults={"count": 0}
    )
    if counter.count >= most:
        return "too_many_codes"
    storm.pause()
    LimitCounter.objects.filter(pk=counter.pk).update(count=F("count") + 1)
    return "spent"


@pytest.mark.django_db(transaction=True)
def test_a_limit_that_is_read_first_lets_too_many_through() -> None:
    over = 0
    for round_ in range(10):
        answers = storm.at_once(20, lambda _, subject=f"round {round_}": naive(subject, 7))  # type: ignore[misc]
        over += Counter(map(str, answers))["spent"] > 7
    assert over >= 9


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(0), "1 minute."),
        (timedelta(seconds=60), "1 minute."),
        (timedelta(seconds=61), "2 minutes."),
        (timedelta(minutes=90), "90 minutes."),
        (timedelta(minutes=90, seconds=1), "2 hours."),
        (timedelta(hours=2), "2 hours."),
        (timedelta(hours=2, seconds=1), "3 hours."),
    ],
)
def test_up_to_ninety_minutes_are_said_in_minutes_and_more_in_hours(wait: timedelta, words: str) -> None:
    refusal = RateLimitExceeded(NOW + wait, NOW)
    assert refusal.messages == [f"Too many requests. Try again in {words}"]
    assert (refusal.retry_at, refusal.retry_after) == (NOW + wait, wait)


@pytest.mark.django_db
def test_a_counter_is_deleted_two_days_after_its_window_began() -> None:
    ask(now=NOW)
    assert limits.purge_counters(now=NOW + timedelta(days=2)) == 0
    assert limits.purge_counters(now=NOW + timedelta(days=2, seconds=1)) == 1


@pytest.mark.django_db
def test_a_window_ends_for_all_at_the_same_moment() -> None:
    quarter = datetime(2027, 3, 1, 18, tzinfo=UTC)
    assert [ask(most=1, now=quarter), ask(most=1, now=quarter + QUARTER - timedelta(seconds=1))] == [
        "spent",
        "too_many_codes",
    ]
    assert ask(most=1, now=quarter + QUARTER) == "spent"
