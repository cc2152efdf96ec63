"""The web server's threads wait a moment where they have answered, and keep nobody else waiting for it."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from config.embedded.guard import Guard
from tests import programs

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 10  # seconds of a client

Connect = Callable[[], http.client.HTTPConnection]


@pytest.fixture
def connect(tmp_path: Path, guard: Guard) -> Iterator[Connect]:
    """Makes connections, kept until the test ends, to a web server of one thread."""
    with ExitStack() as stack:
        alone = {"WEB_CONCURRENCY": "1", "WEB_THREADS": "1"}
        port = stack.enter_context(programs.web(guard, tmp_path / "web.log", **alone))
        yield lambda: stack.enter_context(closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)))


def ask(client: http.client.HTTPConnection) -> int:
    client.request("GET", "/healthz", headers={"Host": "localhost"})
    with client.getresponse() as response:
        response.read()
        return response.status


def test_clients_who_keep_their_connections_share_a_thread(connect: Connect) -> None:
    clients = [connect() for _client in range(4)]
    assert [ask(client) for client in clients] == [200] * 4
    sockets = [client.sock for client in clients]
    for _round in range(25):
        assert [ask(client) for client in clients] == [200] * 4
    assert [client.sock for client in clients] == sockets


def test_a_client_who_says_nothing_more_holds_no_thread(connect: Connect) -> None:
    assert ask(connect()) == 200
    time.sleep(0.2)  # the thread looks for the next request by now
    assert ask(connect()) == 200


def test_a_client_who_hangs_up_is_forgotten(connect: Connect) -> None:
    gone = connect()
    assert ask(gone) == 200
    gone.close()
    assert ask(connect()) == 200
