"""After an invitation run is killed, the next run finishes it and invites no donor twice."""

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from drives.messaging import invitation_audience, invitations
from drives.models import InvitationCheck
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
    """Create six donors who can be invited to a coming drive. Return the time of an invitation run."""
    owner = builders.organization(codes_per_day=100_000)
    donated = builders.drive(owner)
    for n in range(PEOPLE):
        builders.gave(donated, n=n, number=n, name=f"Test Donor {'ABCDEF'[n]}", consents=("reminders", "news"))
    builders.drive(owner, day=donated.day + timedelta(days=14))
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


def count_lost_and_repeated() -> tuple[int, int]:
    """Return how many of the six donors got no invitation, and how many got more than one."""
    by_person = Counter(QUEUED.values_list("recipient", flat=True))
    return PEOPLE - len(by_person), sum(count > 1 for count in by_person.values())


def next_round(at: datetime) -> datetime:
    return at + timedelta(minutes=10)


def test_a_killed_run_loses_and_repeats_no_invitation(
    workers: Workers, at: datetime, request: pytest.FixtureRequest
) -> None:
    left, outcomes = Counter[int](), []
    for round_, strike in itertools.product(range(ROUNDS), POINTS):
        QUEUED.delete()
        InvitationCheck.objects.all().delete()
        strike(workers, at, finishes=bool(round_ % 2))
        assert eventually(lambda: not workers.waiting() and not workers.locking())
        left[QUEUED.count()] += 1
        invitations.invite_all_donors(now=next_round(at))
        outcomes.append(count_lost_and_repeated())
    figures.note(request, "queued when they were killed: rounds", dict(left))
    assert workers.kills == ROUNDS * len(POINTS)
    assert any(0 < queued < PEOPLE for queued in left)  # otherwise no run was killed in the middle
    assert set(outcomes) == {(0, 0)}


def test_control_a_run_recorded_before_it_is_done_loses_invitations(at: datetime) -> None:
    with Workers(bug="few_at_once noted_first") as workers:
        after_a_batch(workers, at, finishes=False)
    patched = seeded.noted_first()
    invitations.invite_all_donors(now=next_round(at))
    patched.stop()
    assert count_lost_and_repeated()[0] > 0


def test_control_a_run_without_the_history_repeats_invitations(
    workers: Workers, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    after_a_batch(workers, at, finishes=False)
    heard, key, numbers = invitation_audience.load_contact_history, invitations._build_key, itertools.count()
    monkeypatch.setattr(invitation_audience, "load_contact_history", lambda *asked: replace(heard(*asked), sent=[]))
    monkeypatch.setattr(invitation_audience, "_list_news", lambda *_asked: [])
    monkeypatch.setattr(invitations, "_build_key", lambda *asked: f"{key(*asked)}.{next(numbers)}")
    invitations.invite_all_donors(now=next_round(at))
    assert count_lost_and_repeated()[1] > 0
