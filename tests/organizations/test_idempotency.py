"""A repeated request runs once."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from organizations import idempotency
from organizations.idempotency import (
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    IdempotencyKeyWeak,
    RequestInProgress,
    StoreAnswer,
    StoredAnswer,
)
from organizations.models import IdempotentAnswer, Organization
from tests import builders, storm
from tests.builders import NOW


def make(keep: StoreAnswer) -> None:
    keep(str(builders.organization().pk))


def ask(
    key: str = "k1",
    *,
    scope: str = "key:1",
    body: bytes = b"{}",
    now: datetime = NOW,
    work: Callable[[StoreAnswer], None] = make,
) -> StoredAnswer:
    return idempotency.run_once(scope=scope, key=key, body=body, now=now, work=work)


@pytest.mark.django_db
def test_the_same_request_is_answered_alike_and_done_once() -> None:
    first, second = ask(), ask()
    assert (second.status, second.body, second.replayed) == (201, first.body, True)
    assert not first.replayed
    assert Organization.objects.count() == 1


@pytest.mark.django_db
def test_quotes_around_a_key_do_not_make_another_key() -> None:
    assert not ask('"abc"').replayed
    assert ask("abc").replayed


@pytest.mark.django_db
def test_the_same_key_with_another_body_is_refused() -> None:
    ask()
    with pytest.raises(IdempotencyKeyReused) as caught:
        ask(body=b'{"a": 1}')
    assert caught.value.code == "key_reused"
    assert Organization.objects.count() == 1


@pytest.mark.django_db
def test_two_callers_may_use_the_same_key() -> None:
    assert not ask(scope="key:1").replayed
    assert not ask(scope="key:2").replayed
    assert not ask(scope="user:1").replayed


@pytest.mark.django_db
def test_work_that_raises_leaves_the_key_free() -> None:
    def fail(keep: StoreAnswer) -> None:
        make(keep)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(work=fail)
    assert (Organization.objects.count(), IdempotentAnswer.objects.count()) == (0, 0)
    assert not ask().replayed


@pytest.mark.django_db
def test_an_answer_expires_after_a_day_even_before_the_purge() -> None:
    ask()
    assert ask(now=NOW + timedelta(hours=23, minutes=59)).replayed
    assert not ask(now=NOW + timedelta(hours=24)).replayed
    assert ask(now=NOW + timedelta(hours=47)).replayed
    assert idempotency.purge_answers(now=NOW + timedelta(hours=47)) == 0
    assert idempotency.purge_answers(now=NOW + timedelta(hours=48)) == 1


@pytest.mark.django_db
def test_keys_are_kept_hashed() -> None:
    ask("a-key-that-is-nowhere")
    assert "a-key-that-is-nowhere" not in str(IdempotentAnswer.objects.values().get())


@pytest.mark.parametrize("key", ["", "  ", '""', "ä", "a b", "x" * 256, "a\x00b"])
def test_a_request_without_a_usable_key_is_refused(key: str) -> None:
    with pytest.raises(IdempotencyKeyMissing) as caught:
        idempotency._clean_key("key:1", key)
    assert caught.value.code == "idempotency_key_missing"


@pytest.mark.parametrize("key", ["1", "booking-1", "a" * 21, "a b" * 9, "ü" * 30])
def test_a_stranger_cannot_use_a_key_that_can_be_guessed(key: str) -> None:
    with pytest.raises((IdempotencyKeyWeak, IdempotencyKeyMissing)):
        idempotency._clean_key("anonymous", key)


@pytest.mark.parametrize("key", [str(uuid.UUID(int=7)), uuid.UUID(int=7).hex, "Qz3-_" * 5, f'"{uuid.UUID(int=7)}"'])
def test_a_stranger_may_use_a_random_key(key: str) -> None:
    assert idempotency._clean_key("anonymous", key) == key.strip('"')


@pytest.mark.django_db
def test_a_key_costs_three_statements_and_a_replay_two() -> None:
    for statements in (3, 2):
        with CaptureQueriesContext(connection) as caught:
            ask(work=lambda keep: keep(""))
        work = [query["sql"] for query in caught if "SAVEPOINT" not in query["sql"]]
        assert len(work) == statements


def naive(number: int, key: str) -> StoredAnswer:
    """Run a request without a lock, as a control."""
    known = IdempotentAnswer.objects.filter(scope="key:1", key_hash=key).first()
    if known:
        return StoredAnswer(known.status, known.body, replayed=True)
    storm.pause()
    text = str(builders.organization().pk)
    row = IdempotentAnswer(scope=f"key:{number}", key_hash=key, body_hash="", status=201, body=text, created_at=NOW)
    row.save()
    return StoredAnswer(201, text, replayed=False)


@pytest.mark.django_db(transaction=True)
def test_one_of_twenty_concurrent_requests_does_the_work() -> None:
    for round_ in range(10):
        before = Organization.objects.count()
        answers = storm.at_once(20, lambda _, key=f"round-{round_}": ask(key))  # type: ignore[misc]
        done = [answer for answer in answers if isinstance(answer, StoredAnswer)]
        assert Organization.objects.count() == before + 1
        assert len({answer.body for answer in done}) == 1
        assert [answer.replayed for answer in done].count(False) == 1
        assert {type(answer) for answer in answers} <= {StoredAnswer, RequestInProgress}


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_work_is_done_more_than_once() -> None:
    doubled = 0
    for round_ in range(10):
        before = Organization.objects.count()
        storm.at_once(20, lambda number, key=f"round-{round_}": naive(number, key))  # type: ignore[misc]
        doubled += Organization.objects.count() > before + 1
    assert doubled >= 9


@pytest.mark.django_db(transaction=True)
def test_a_second_caller_is_told_at_once_that_the_first_is_at_work() -> None:
    def slow(keep: StoreAnswer) -> None:
        storm.pause()  # wait until the other request has its response
        keep("done")

    answers = storm.at_once(2, lambda _: ask("slow", work=slow))
    assert sorted(type(answer).__name__ for answer in answers) == ["RequestInProgress", "StoredAnswer"]


@pytest.mark.django_db
def test_an_answer_is_kept_for_exactly_24_hours() -> None:
    ask()
    day = NOW + timedelta(hours=24)
    assert ask(now=day - timedelta(seconds=1)).replayed
    assert idempotency.purge_answers(now=day - timedelta(seconds=1)) == 0
    assert not ask(now=day).replayed


@pytest.mark.django_db
def test_a_key_has_1_to_255_characters_and_that_of_a_stranger_at_least_22() -> None:
    for key in ("a", "a" * 255):
        assert not ask(key).replayed
    for key in ("a" * 22, "b" * 255):
        assert not ask(key, scope="anonymous").replayed
    for key in ("", "a" * 256):
        with pytest.raises(IdempotencyKeyMissing):
            ask(key)
    with pytest.raises(IdempotencyKeyWeak):
        ask("a" * 21, scope="anonymous")


def test_a_second_request_during_the_first_is_told_to_retry_after_a_second() -> None:
    assert RequestInProgress().retry_after == timedelta(seconds=1)
