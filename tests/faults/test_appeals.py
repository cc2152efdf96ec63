"""The sweep that queues appeals is killed in the middle: the next one finishes it, and tells nobody twice."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from drives.messaging import invitation_audience, invitations
from notifications.models import Message
from tests import builders, figures
from tests.faults import seeded
from tests.faults.killing import Workers
from tests.programs import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("kills")]
PEOPLE, ROUNDS = 6, 3
QUEUED = Message.objects.filter(kind="invitation")


@pytest.fixture
def at() -> datetime:
    """The moment of a round at which six donors may hear of a drive."""
    owner = builders.organization(codes_per_day=100_000)
    donated = builders.drive(owner)
    for n in range(PEOPLE):
        builders.gave(donated, n=n, number=n, name=f"Test Donor {'ABCDEF'[n]}", consents=("reminders", "news"))
    builders.drive(owner, on=donated.on + timedelta(days=14))
    return donated.ends_at + timedelta(days=4, hours=-1)


@pytest.fixture
def workers() -> Iterator[Workers]:
    with Workers(bug="few_at_once") as running:
        yield running


def before_anything_is_read(workers: Workers, at: datetime, *, finishes: bool) -> None:
    with workers.holding("LOCK TABLE notifications_consententry IN ACCESS EXCLUSIVE MODE"):
        workers.stopped_by(workers.start(f"invitation {at.isoformat()}"), finishes=finishes)


def while_it_queues(workers: Workers, at: datetime, *, finishes: bool) -> None:
    with workers.holding("LOCK TABLE notifications_message IN SHARE MODE"):
        workers.stopped_by(workers.start(f"invitation {at.isoformat()}"), finishes=finishes)


def after_a_batch(workers: Workers, at: datetime, *, finishes: bool) -> None:
    with workers.holding("SELECT pg_advisory_xact_lock(%s, %s)", seeded.BATCH, random.choice((1, 2))):
        workers.stopped_by(workers.start(f"invitation {at.isoformat()}"), finishes=finishes)


POINTS: tuple[Callable[..., None], ...] = (before_anything_is_read, while_it_queues, after_a_batch)


def told() -> tuple[int, int]:
    """How many of the six were told of nothing, and how many twice."""
    by_person = Counter(QUEUED.values_list("recipient", flat=True))
    return PEOPLE - len(by_person), sum(count > 1 for count in by_person.values())


def next_round(at: datetime) -> datetime:
    return at + timedelta(minutes=10)


def test_a_killed_sweep_loses_nobody_and_tells_nobody_twice(
    workers: Workers, at: datetime, request: pytest.FixtureRequest
) -> None:
    left, outcomes = Counter[int](), []
    for round_, strike in itertools.product(range(ROUNDS), POINTS):
        QUEUED.delete()
        strike(workers, at, finishes=bool(round_ % 2))
        assert eventually(lambda: not workers.waiting() and not workers.locking())
        left[QUEUED.count()] += 1
        invitations.invite_all_donors(now=next_round(at))
        outcomes.append(told())
    figures.note(request, "queued when they were killed: rounds", dict(left))
    assert workers.kills == ROUNDS * len(POINTS)
    assert any(0 < queued < PEOPLE for queued in left)  # else none was killed in the middle
    assert set(outcomes) == {(0, 0)}


def test_control_a_round_that_is_noted_before_it_is_done_is_lost(at: datetime) -> None:
    with Workers(bug="few_at_once noted_first") as workers:
        after_a_batch(workers, at, finishes=False)
    patched = seeded.noted_first()
    invitations.invite_all_donors(now=next_round(at))
    patched.stop()
    assert told()[0] > 0


def test_control_who_was_told_is_told_again_by_a_sweep_that_looks_at_nothing(
    workers: Workers, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_a_batch(workers, at, finishes=False)
    heard, key, numbers = invitation_audience.load_contact_history, invitations._build_key, itertools.count()
    monkeypatch.setattr(invitation_audience, "load_contact_history", lambda *asked: replace(heard(*asked), told=[]))
    monkeypatch.setattr(invitations, "_build_key", lambda *asked: f"{key(*asked)}.{next(numbers)}")
    invitations.invite_all_donors(now=next_round(at))
    assert told()[1] > 0
