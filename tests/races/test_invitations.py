"""Two workers send invitations at the same moment."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from drives.capacity import locks
from drives.messaging import invitation_audience, invitations
from drives.models import InvitationCheck
from notifications.models import Message
from tests import builders, seeds
from tests.races.arena import count_lost, count_lost_in_turn, run_concurrently

pytestmark = pytest.mark.django_db(transaction=True)
ALMOST_ALWAYS = 9


def pause_after_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pause after a worker has read which invitations were sent, and before it sends more."""
    seeds.pause_after(monkeypatch, invitation_audience, "load_contact_history")


def two_workers() -> Callable[[], bool]:
    owner = builders.organization()
    donated = builders.drive(owner)
    for n in range(3):
        builders.gave(donated, n=n, number=n, name=f"Test Donor {'ABC'[n]}", consents=("reminders", "news"))
    now = donated.ends_at + timedelta(days=4, hours=-1)
    builders.drive(owner, day=donated.day + timedelta(days=14))
    beat = partial(invitations.invite_all_donors, now=now)

    def race() -> bool:
        Message.objects.filter(kind="invitation").delete()
        InvitationCheck.objects.all().delete()
        assert run_concurrently(beat, beat) == ["ok", "ok"]
        sent = Message.objects.filter(kind="invitation")
        return sent.count() == len(set(sent.values_list("recipient", flat=True))) == 3

    return race


def without_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.replace(monkeypatch, locks, "lock_invitations", lambda _organization: True)


def use_own_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed a bug: each worker uses different message keys, so that the keys no longer prevent duplicates."""
    key, numbers = invitations._build_key, itertools.count()
    seeds.replace(monkeypatch, invitations, "_build_key", lambda *asked: f"{key(*asked)}.{next(numbers)}")


def test_two_workers_invite_each_donor_once(monkeypatch: pytest.MonkeyPatch) -> None:
    pause_after_reading(monkeypatch)
    assert count_lost(two_workers()) == 0


def test_keys_alone_keep_invitations_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    pause_after_reading(monkeypatch)
    without_lock(monkeypatch)
    assert count_lost(two_workers()) == 0


def test_the_lock_alone_keeps_invitations_unique(monkeypatch: pytest.MonkeyPatch) -> None:
    pause_after_reading(monkeypatch)
    use_own_keys(monkeypatch)
    assert count_lost(two_workers()) == 0


def test_control_without_lock_and_keys_invitations_are_doubled(monkeypatch: pytest.MonkeyPatch) -> None:
    pause_after_reading(monkeypatch)
    without_lock(monkeypatch)
    use_own_keys(monkeypatch)
    assert count_lost_in_turn(two_workers()) >= ALMOST_ALWAYS
