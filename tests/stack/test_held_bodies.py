"""One web process holds at most 64 MB of request bodies. It refuses further bodies with 503."""

import http.client
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest

from config.embedded.guard import Guard
from tests import programs
from tests.stack import clients

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("stack")]

LIMIT = 64 * 1024 * 1024
LARGEST = 2_621_440  # the largest body that the server keeps
CLIENTS = LIMIT // LARGEST
LEFT = LIMIT - CLIENTS * (LARGEST - 1)
ALONE = {"WEB_CONCURRENCY": "1", "WEB_THREADS": "1"}
UNFINISHED = b"POST /api/v1/none/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % LARGEST + b"x" * (
    LARGEST - 1
)


@contextmanager
def nearly_full(port: int) -> Iterator[None]:
    """Send several large bodies except for their last byte, so that room for only `LEFT` bytes remains."""
    with clients.unfinished(port, CLIENTS, UNFINISHED):
        yield


def is_answered(port: int, length: int, status: int) -> bool:
    """Send one whole body, and return whether the response has this status.

    The server may close the connection before it has read a body that it refuses.
    """
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=clients.PATIENCE)) as client:
        try:
            client.request("POST", "/api/v1/none/", b"x" * length, {"Host": "localhost"})
            return client.getresponse().status == status
        except ConnectionError:
            return False


def test_bodies_beyond_the_limit_are_refused_until_others_are_gone(tmp_path: Path, guard: Guard) -> None:
    with programs.web(guard, tmp_path / "web.log", **ALONE) as port:
        with nearly_full(port):
            assert programs.eventually(partial(is_answered, port, LEFT + 1, 503), 10)
            assert is_answered(port, LEFT, 404)
            assert is_answered(port, LEFT - 1, 404)
            assert not is_answered(port, LEFT + 1, 404)
        assert programs.eventually(partial(is_answered, port, LEFT + 1, 404), 10)


def test_control_a_server_without_the_limit_keeps_more(tmp_path: Path, guard: Guard) -> None:
    broken = ["-m", "tests.stack.broken_server", "greedy"]
    with (
        programs.web_process(guard, tmp_path / "web.log", broken, **ALONE) as (_process, port),
        nearly_full(port),
    ):
        assert not programs.eventually(partial(is_answered, port, LEFT + 1, 503), 2)
        assert is_answered(port, LEFT + 1, 404)
