"""The web server with a seeded bug, for the controls: `python -m tests.stack.broken_server few|early|unread|greedy`."""

import asyncio
import sys
from http import HTTPStatus
from unittest.mock import patch

from granian.rsgi import Scope

from config import web_server, whole_requests
from config.whole_requests import Body, Exchange, WholeRequests

_receive = WholeRequests.receive


async def _receive_in_a_thread(self: WholeRequests, scope: Scope, exchange: Exchange, body: Body) -> HTTPStatus | None:
    """Occupy a thread until the body has arrived, as threaded servers do."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(
        self.pool, lambda: asyncio.run_coroutine_threadsafe(_receive(self, scope, exchange, body), loop).result()
    )


async def _receive_nothing(_self: WholeRequests, _scope: Scope, _exchange: Exchange, _body: Body) -> None:
    """Leave the body where it is, as servers do that stream it to a view."""


def seed(bug: str) -> None:
    if bug == "few":
        patch.object(web_server, "CONNECTIONS", 40).start()
    elif bug == "early":
        patch.object(WholeRequests, "receive", _receive_in_a_thread).start()
    elif bug == "greedy":
        patch.object(whole_requests, "HELD_BYTES", 1 << 40).start()
    else:
        patch.object(WholeRequests, "receive", _receive_nothing).start()


if __name__ == "__main__":
    seed(sys.argv[1])
    web_server.main()
