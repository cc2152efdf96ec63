"""200 clients that never finish a request, and early responses on persistent connections."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.utils import timezone
from environs import env

from config.embedded.guard import Guard
from organizations import api_keys
from organizations.models import Role
from tests import builders, figures, programs
from tests.stack import clients

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("stack")]

SLOW_CLIENTS = 200
LONGEST_HEALTH = 1.0  # seconds
CONTROL_REQUESTS = 300
REQUESTS = env.int("KEPT_REQUESTS", 1000)
BROKEN = ["-m", "tests.stack.broken_server"]

Hold = Callable[[int], AbstractContextManager[None]]

HOLDS: dict[str, Hold] = {
    "half heads": lambda port: clients.unfinished(port, SLOW_CLIENTS, clients.HALF_HEAD),
    "half bodies": lambda port: clients.unfinished(port, SLOW_CLIENTS, clients.HALF_BODY),
    "one byte at a time": lambda port: clients.dripping(port, SLOW_CLIENTS),
}


def mixed() -> Sequence[clients.Ask]:
    drive = builders.coming_drive()
    booking = builders.booked(drive, now=timezone.now())
    _key, token = api_keys.issue_api_key(
        organization=drive.organization, name="tests", role=Role.CHECK_IN, now=timezone.now()
    )
    return clients.mixed(token, booking.pk)


@pytest.mark.parametrize("hold", HOLDS.values(), ids=HOLDS)
def test_clients_that_never_finish_keep_no_other_client_waiting(
    tmp_path: Path, guard: Guard, request: pytest.FixtureRequest, hold: Hold
) -> None:
    with programs.web(guard, tmp_path / "web.log") as port:
        clients.slowest_health(port, 1)
        with hold(port):
            slowest = clients.slowest_health(port)
    figures.note(request, "slowest /healthz, in seconds", round(slowest, 3))
    assert slowest <= LONGEST_HEALTH
    assert '"level": "error"' not in (tmp_path / "web.log").read_text()


@pytest.mark.parametrize(
    ("bug", "kind"), [("few", "half heads"), ("early", "half bodies"), ("early", "one byte at a time")]
)
def test_control_other_clients_wait(tmp_path: Path, guard: Guard, bug: str, kind: str) -> None:
    with programs.web_process(guard, tmp_path / "web.log", [*BROKEN, bug]) as (_process, port), HOLDS[kind](port):
        assert clients.slowest_health(port) > LONGEST_HEALTH


def test_no_request_is_lost_after_an_early_answer(tmp_path: Path, guard: Guard) -> None:
    asks = mixed()
    with programs.web(guard, tmp_path / "web.log") as port:
        assert clients.lost(port, REQUESTS, asks) == {}


def test_control_requests_are_lost_when_the_body_stays_unread(tmp_path: Path, guard: Guard) -> None:
    """Count only requests without any response.

    A request that lost its body may get a response with a different status. The pause is long enough for a busy
    machine: if the body arrives before the response, the server may drop it and lose nothing.
    """
    asks = mixed()
    with programs.web_process(guard, tmp_path / "web.log", [*BROKEN, "unread"]) as (_process, port):
        missed = clients.lost(port, CONTROL_REQUESTS, asks, pause=1)
    assert sum(count for what, count in missed.items() if not what[-3:].isdigit()) > 0, missed
