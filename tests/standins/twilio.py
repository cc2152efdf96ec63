"""A stand-in for Twilio's messages API: create, fetch, list, reports with valid signatures, and faults on demand.

In a test: `with TwilioStandIn() as twilio: ...` and point TWILIO_API_URL at `twilio.url`. By itself, for load runs:
`python -m tests.standins.twilio --port 9999`. It is made of asyncio, with HTTP/1.1, kept connections and TCP_NODELAY,
so that it is not what is measured.
"""

import argparse
import asyncio
import json
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from twilio.request_validator import RequestValidator

SECRET = "tests-only-token"

# What a call may meet. Each word names what the caller sees; "accepted-…" keeps the message all the same. What is held
# is answered at `release`, what hangs never is.
FAULTS = {
    "ok": (True, 201, {}),
    "500": (False, 500, {}),
    "503": (False, 503, {"Retry-After": "1"}),
    "429": (False, 429, {"Retry-After": "30"}),
    "accepted-500": (True, 500, {}),
    "accepted-reset": (True, 0, {}),
    "accepted-hang": (True, -1, {}),
    "accepted-not-json": (True, -2, {}),
    "accepted-held": (True, -3, {}),
    "reset": (False, 0, {}),
    "hang": (False, -1, {}),
}


@dataclass
class Kept:
    """A message that the stand-in took."""

    sid: str
    fields: dict[str, str]
    status: str = "queued"
    error_code: int | None = None
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def shown(self, account: str) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "account_sid": account,
            "to": self.fields.get("To"),
            "from": self.fields.get("From"),
            "messaging_service_sid": self.fields.get("MessagingServiceSid"),
            "body": self.fields.get("Body"),
            "status": self.status,
            "direction": "outbound-api",
            "error_code": self.error_code,
            "date_created": format_datetime(self.created_at),
            "date_sent": None,
            "num_segments": "1",
        }


class TwilioStandIn:
    """The server, in a thread of its own. `accepted` is the log of what it took, in order."""

    def __init__(self, port: int = 0, slow: float = 0.0) -> None:
        self.accepted: list[Kept] = []
        self.calls = 0
        self.faults = 0  # calls that met one
        self.slow = slow  # seconds that each answer takes
        self.deaf = False  # look-ups are not answered
        self.held: list[Callable[[], None]] = []
        self._plan: deque[str] = deque()
        self._errors: dict[str, tuple[int, int]] = {}
        self._by_sid: dict[str, Kept] = {}
        self._by_number: dict[str, list[Kept]] = {}
        self._loop = asyncio.new_event_loop()
        self._socket = socket.create_server(("127.0.0.1", port))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._stop = asyncio.Event()
        self.open: set[asyncio.Transport] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def plan(self, faults: Iterable[str]) -> None:
        """What the next calls to create meet, one after the other; afterwards all is well."""
        self._plan.extend(faults)

    def poison(self, text: str) -> None:
        """Let what it knows of a message with this text be such that no row can hold it."""
        for kept in self.accepted:
            if kept.fields.get("Body") == text:
                kept.sid = "SM" + 99 * "0"

    def release(self) -> None:
        """Give the answers that were held."""
        while self.held:
            self._loop.call_soon_threadsafe(self.held.pop())

    def refuse(self, number: str, code: int, status: int = 400) -> None:
        """From now on texts to the number are refused with an error code."""
        self._errors[number] = (code, status)

    def set_status(self, sid: str, status: str, error_code: int | None = None) -> None:
        """What `fetch` answers from now on."""
        self._by_sid[sid].status, self._by_sid[sid].error_code = status, error_code

    def report(self, sid: str, status: str, error_code: str = "") -> tuple[str, dict[str, str], str]:
        """A report as Twilio would send it: the address it goes to, its fields, its signature."""
        kept = self._by_sid[sid]
        fields = {"MessageSid": sid, "MessageStatus": status, "To": kept.fields["To"], "AccountSid": "AC" + "0" * 32}
        if error_code:
            fields["ErrorCode"] = error_code
        address = kept.fields["StatusCallback"]
        return address, fields, signed(address, fields)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = await self._loop.create_server(lambda: _Connection(self), sock=self._socket)
        await self._stop.wait()
        server.close()
        for transport in list(self.open):
            transport.abort()
        await asyncio.sleep(0)  # a transport closes its socket in the next round

    def answer(self, method: str, target: str, body: str) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers; a status of 0 or less is a fault of the connection."""
        parts = urlsplit(target)
        segments = parts.path.removesuffix(".json").strip("/").split("/")  # 2010-04-01/Accounts/AC…/Messages[/SM…]
        if method == "POST":
            return self._create(segments[2], {name: values[0] for name, values in parse_qs(body).items()})
        if self.deaf:
            return 503, "", {}
        if len(segments) == 5:
            return self._fetch(segments[2], segments[4])
        wanted = parse_qs(parts.query)
        found = self._by_number.get(wanted.get("To", [""])[0], [])
        shown = [kept.shown(segments[2]) for kept in reversed(found)]
        return 200, json.dumps({"messages": shown, "page": 0, "page_size": 100, "next_page_uri": None}), {}

    def _create(self, account: str, fields: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        self.calls += 1
        if fields.get("To", "") in self._errors:
            code, status = self._errors[fields["To"]]
            return status, json.dumps({"code": code, "message": "refused", "status": status}), {}
        fault = self._plan.popleft() if self._plan else "ok"
        self.faults += fault != "ok"
        taken, status, headers = FAULTS[fault]
        if not taken:
            return (
                status,
                json.dumps({"status": status, "message": "fault"}) if status != 500 else "<html>",
                dict(headers),
            )
        kept = Kept(f"SM{uuid4().hex}", fields)
        self.accepted.append(kept)
        self._by_sid[kept.sid] = kept
        self._by_number.setdefault(fields.get("To", ""), []).append(kept)
        if status == -2:
            return 201, "<html>not what you asked for", {}
        return status, json.dumps(kept.shown(account)), dict(headers)

    def _fetch(self, account: str, sid: str) -> tuple[int, str, dict[str, str]]:
        if sid not in self._by_sid:
            return 404, json.dumps({"code": 20404, "message": "not found", "status": 404}), {}
        return 200, json.dumps(self._by_sid[sid].shown(account)), {}


def signed(address: str, fields: dict[str, str]) -> str:
    return str(RequestValidator(SECRET).compute_signature(address, fields))


class _Connection(asyncio.Protocol):
    """One kept connection: requests are read whole, answered in order."""

    def __init__(self, standin: TwilioStandIn) -> None:
        self._standin = standin
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._standin.open.add(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._standin.open.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode("latin-1")
            length = next(
                (int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length:")),
                0,
            )
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length].decode()
            self._buffer = self._buffer[end + 4 + length :]
            method, target, _ = head.split("\r\n")[0].split(" ")
            self._reply(*self._standin.answer(method, target, body))

    def _reply(self, status: int, text: str, headers: dict[str, str]) -> None:
        if status == 0:
            self._transport.abort()
        if status == -3:
            self._standin.held.append(lambda: self._reply(201, text, headers))
        if status <= 0:
            return
        extra = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body = text.encode()
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        answer = head.encode() + body
        if self._standin.slow:
            asyncio.get_running_loop().call_later(self._standin.slow, self._transport.write, answer)
        else:
            self._transport.write(answer)


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for Twilio")
    parser.add_argument("--port", type=int, default=9999)
    parser.add_argument("--slow", type=float, default=0.0, help="seconds that each answer takes")
    chosen = parser.parse_args()
    with TwilioStandIn(chosen.port, chosen.slow) as standin:
        sys.stdout.write(f"{standin.url}\n")
        sys.stdout.flush()
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
