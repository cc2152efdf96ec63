"""The web server with a seeded bug, for controls.

The bugs are `few`, `early`, `unread` and `greedy`: `python -m tests.stack.broken_server few`.
"""

import asyncio
import sys
from http import HTTPStatus
from unittest.mock import patch

from granian.rsgi import Scope

from config import rsgi_adapter, web_server
from config.rsgi_adapter import RequestBody, RsgiAdapter, RsgiProtocol

_receive = RsgiAdapter.receive_body


async def _receive_in_a_thread(
    self: RsgiAdapter, scope: Scope, exchange: RsgiProtocol, body: RequestBody
) -> HTTPStatus | None:
    """Seed a bug: occupy a thread until the body has arrived, like a threaded server."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(
        self.pool, lambda: asyncio.run_coroutine_threadsafe(_receive(self, scope, exchange, body), loop).result()
    )


async def _receive_nothing(_self: RsgiAdapter, _scope: Scope, _exchange: RsgiProtocol, _body: RequestBody) -> None:
    """Seed a bug: leave the body unread, like a server that streams the body to a view."""


def seed(bug: str) -> None:
    if bug == "few":
        patch.object(web_server, "MAX_CONNECTIONS", 40).start()
    elif bug == "early":
        patch.object(RsgiAdapter, "receive_body", _receive_in_a_thread).start()
    elif bug == "greedy":
        patch.object(rsgi_adapter, "MAX_BUFFERED_BYTES", 1 << 40).start()
    else:
        patch.object(RsgiAdapter, "receive_body", _receive_nothing).start()


if __name__ == "__main__":
    seed(sys.argv[1])
    web_server.main()
