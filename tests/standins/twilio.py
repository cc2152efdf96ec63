"""A fake of Twilio's messages API: create, fetch, list, signed reports, texts to our webhooks, and faults.

In a test, use `with TwilioStandIn() as twilio: ...` and set TWILIO_API_URL to `twilio.url`. For load runs, use `python
-m tests.standins.twilio --port 9999`. With `--reports`, the fake also sends a report for each text. The fake uses
asyncio, HTTP/1.1, persistent connections and TCP_NODELAY, so that it is not the bottleneck in measurements.
"""

import argparse
import asyncio
import base64
import json
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import urllib3
from twilio.request_validator import RequestValidator

from notifications import message_content
from tests.standins.twilio_messages import (
    INBOUND,
    NOT_ALLOWED,
    NOT_FOUND,
    NOT_YOU,
    VERSION,
    Kept,
    Refused,
    listed,
    refusal,
)

SECRET = "tests-only-token"

ACCOUNT = "AC" + "0" * 32

# The faults of a call. Each name says what the caller sees; with "accepted-…" the message is kept anyway. A held
# response is sent at `release`, a slow one after `slowness` seconds, and a hanging one never.
RESET, HANG, NOT_JSON, HELD, CUT, SLOW = 0, -1, -2, -3, -4, -5
FAULTS = {
    "ok": (True, 201, {}),
    "slow": (True, SLOW, {}),
    "500": (False, 500, {}),
    "503": (False, 503, {"Retry-After": "1"}),
    "429": (False, 429, {"Retry-After": "30"}),
    "accepted-500": (True, 500, {}),
    "accepted-reset": (True, RESET, {}),
    "accepted-cut": (True, CUT, {}),  # reset in the middle of the response
    "accepted-hang": (True, HANG, {}),
    "accepted-not-json": (True, NOT_JSON, {}),
    "accepted-held": (True, HELD, {}),
    "reset": (False, RESET, {}),
    "hang": (False, HANG, {}),
}
ERRORS = {
    429: Refused(20429, "Too Many Requests", 429),
    503: Refused(20503, "Service is unavailable", 503),
}
Answer = tuple[int, str, dict[str, str]]


class TwilioStandIn:
    """The server, in its own thread. `accepted` lists the accepted messages in order."""

    def __init__(self, port: int = 0, slow: float = 0.0, secret: str = SECRET, *, reports: bool = False) -> None:
        self.accepted: list[Kept] = []
        self.calls = 0
        self.faults = 0  # calls that had a fault
        self.slow = slow  # seconds that each response takes
        self.slowness = 1.0  # seconds that a response with the fault "slow" takes
        self.secret = secret
        self.deaf = False  # whether look-ups get no response
        self.held: list[Callable[[], None]] = []
        self._plan: deque[str] = deque()
        self._errors: dict[str, Refused] = {}
        self._by_sid: dict[str, Kept] = {}
        self._by_number: dict[str, list[Kept]] = {}
        self._everything: list[Kept] = []
        self._reporters = ThreadPoolExecutor(4) if reports else None
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
        if self._reporters:
            self._reporters.shutdown()

    def plan(self, faults: Iterable[str]) -> None:
        """Set the faults of the next calls that create a message, in order. Calls after these succeed."""
        self._plan.extend(faults)

    def poison(self, text: str) -> None:
        """Give the accepted messages with this text an id that is too long for the database's column."""
        for kept in self.accepted:
            if kept.fields.get("Body") == text:
                kept.sid = "SM" + 99 * "0"

    def release(self) -> None:
        while self.held:
            self._loop.call_soon_threadsafe(self.held.pop())

    def refuse(self, number: str, code: int, status: int = 400) -> None:
        self._errors[number] = Refused(code, "refused", status)

    def set_status(self, sid: str, status: str, error_code: int | None = None) -> None:
        self._by_sid[sid].becomes(status, error_code)

    def report(self, sid: str, status: str, error_code: str = "") -> tuple[str, dict[str, str], str]:
        """Build a delivery report as Twilio sends it: URL, fields and signature."""
        kept = self._by_sid[sid]
        told = {name: kept.fields[name] for name in ("To", "From", "MessagingServiceSid") if name in kept.fields}
        fields: dict[str, str] = told | _named(sid, status) | {"MessageStatus": status}
        if error_code:
            fields["ErrorCode"] = error_code
        address = kept.fields["StatusCallback"]
        return address, fields, signed(address, fields, self.secret)

    def inbound(self, address: str, number: str, to: str, text: str, sid: str = "") -> tuple[dict[str, str], str]:
        """Keep a text from a phone to our number. Return it as Twilio sends it to a webhook: fields and signature.

        `address` is the webhook's URL.
        """
        kept = Kept(sid or f"SM{uuid4().hex}", {"From": number, "To": to, "Body": text}, "received", direction=INBOUND)
        self._keep(kept)
        counts = {"NumMedia": "0", "NumSegments": str(message_content.count_segments(text)), "SmsMessageSid": kept.sid}
        fields = {**kept.fields, **_named(kept.sid, "received"), **counts, "ToCountry": "US", "FromCountry": "US"}
        return fields, signed(address, fields, self.secret)

    def call_back(self, address: str, fields: dict[str, str], signature: str) -> int:
        """Post a report or a text to its webhook. Return the response's status."""
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        return urllib3.request("POST", address, body=urlencode(fields), headers=headers).status

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

    def answer(self, method: str, target: str, body: str, authorization: str = "") -> Answer:
        """Return the response's status, text and headers. A status of 0 or less stands for a broken connection."""
        parts = urlsplit(target)
        version, _accounts, account, *resource = [*parts.path.strip("/").split("/"), "", "", ""][:6]
        resource = [name for name in resource if name]
        if (version, _accounts) != (VERSION, "Accounts") or not resource[-1:] or not resource[-1].endswith(".json"):
            return _told(NOT_FOUND)
        if not self._knows(account, authorization):
            return _told(NOT_YOU)
        resource[-1] = resource[-1].removesuffix(".json")
        if resource == ["Messages"] and method == "POST":
            return self._create(account, _pairs(body))
        if self.deaf:
            return 503, "", {}
        if resource[0] != "Messages" or len(resource) > 2:
            return _told(NOT_FOUND)
        if method != "GET":
            return _told(NOT_ALLOWED)
        if len(resource) == 2:
            return self._fetch(account, resource[1])
        asked = _pairs(parts.query)
        known = self._by_number.get(asked["To"], []) if "To" in asked else self._everything
        return 200, json.dumps(listed(known, account, asked)), {}

    def _knows(self, account: str, authorization: str) -> bool:
        expected = base64.b64encode(f"{account}:{self.secret}".encode()).decode()
        return account.startswith("AC") and authorization == f"Basic {expected}"

    def _create(self, account: str, fields: dict[str, str]) -> Answer:
        self.calls += 1
        if refused := self._errors.get(fields.get("To", "")) or refusal(fields):
            return _told(refused)
        fault = self._plan.popleft() if self._plan else "ok"
        self.faults += fault not in {"ok", "slow"}
        taken, status, headers = FAULTS[fault]
        if not taken:
            text = json.dumps(ERRORS[status].shown) if status in ERRORS else "<html>"
            return status, text, dict(headers)
        kept = Kept(f"SM{uuid4().hex}", fields, "accepted" if "MessagingServiceSid" in fields else "queued")
        self.accepted.append(kept)
        self._keep(kept)
        if self._reporters and "StatusCallback" in fields:
            self._reporters.submit(self._report_all, kept.sid)
        if status == NOT_JSON:
            return 201, "<html>not what you asked for", {}
        return status, json.dumps(kept.shown(account)), dict(headers)

    def _keep(self, kept: Kept) -> None:
        self._by_sid[kept.sid] = kept
        self._by_number.setdefault(kept.fields.get("To", ""), []).append(kept)
        self._everything.append(kept)

    def _report_all(self, sid: str) -> None:
        for status in ("sent", "delivered"):
            self.set_status(sid, status)
            self.call_back(*self.report(sid, status))

    def _fetch(self, account: str, sid: str) -> Answer:
        if sid not in self._by_sid:
            return _told(NOT_FOUND)
        return 200, json.dumps(self._by_sid[sid].shown(account)), {}


def signed(address: str, fields: dict[str, str], secret: str = SECRET) -> str:
    return str(RequestValidator(secret).compute_signature(address, fields))


def _named(sid: str, status: str) -> dict[str, str]:
    """Return the fields that every webhook call has. Some appear a second time under an old name."""
    return {"MessageSid": sid, "SmsSid": sid, "SmsStatus": status, "AccountSid": ACCOUNT, "ApiVersion": VERSION}


def _pairs(form: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(form, keep_blank_values=True).items()}


def _told(refused: Refused) -> Answer:
    return refused.status, json.dumps(refused.shown), {}


class _Connection(asyncio.Protocol):
    """A persistent connection. It reads each request completely and sends the responses in order."""

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
            first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(headers.get("content-length", 0))
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length].decode()
            self._buffer = self._buffer[end + 4 + length :]
            method, target, _ = first.split(" ")
            self._reply(*self._standin.answer(method, target, body, headers.get("authorization", "")))

    def _reply(self, status: int, text: str, headers: dict[str, str]) -> None:
        answer = _written(status if status > 0 else 201, text, headers)
        if status == RESET:
            self._transport.abort()
        elif status == CUT:
            self._transport.write(answer[: len(answer) // 2])
            self._reset()
        elif status == HELD:
            self._standin.held.append(lambda: self._transport.write(answer))
        elif status != HANG and (seconds := self._standin.slowness if status == SLOW else self._standin.slow):
            asyncio.get_running_loop().call_later(seconds, self._transport.write, answer)
        elif status != HANG:
            self._transport.write(answer)

    def _reset(self) -> None:
        self._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self._transport.abort()


def _written(status: int, text: str, headers: dict[str, str]) -> bytes:
    kind = "text/html" if text.startswith("<") else "application/json;charset=utf-8"
    body = text.encode()
    lines = [f"HTTP/1.1 {status} -", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for Twilio")
    parser.add_argument("--port", type=int, default=9999)
    parser.add_argument("--slow", type=float, default=0.0, help="seconds that each answer takes")
    parser.add_argument("--secret", default=SECRET, help="the account's token: calls and reports are signed with it")
    parser.add_argument("--reports", action="store_true", help="tell what becomes of each text")
    chosen = parser.parse_args()
    with TwilioStandIn(chosen.port, chosen.slow, chosen.secret, reports=chosen.reports) as standin:
        sys.stdout.write(f"{standin.url}\n")
        sys.stdout.flush()
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
