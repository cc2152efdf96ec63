"""Twilio's REST API. No other module imports Twilio's library."""

import json
import logging
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import certifi
import urllib3
from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from notifications import error_codes
from notifications.error_codes import ErrorKind
from notifications.providers.base import OutgoingMessage, ProviderError, ProviderMessage, Receipt

THREADS = 24
CONNECT_SECONDS, READ_SECONDS = 3.0, 10.0
LONGEST_VALIDITY = timedelta(hours=10)
LOOKUP_LIMIT = 100  # the most messages to one number that a lookup reads

# The library's own logger writes phone numbers and texts at INFO.
_disabled_logger = logging.getLogger("notifications.providers.twilio.wire")
_disabled_logger.disabled = True


class TwilioHttpClient(HttpClient):
    """The HTTP client for Twilio's library, built on urllib3. It always has timeouts.

    It repeats a call only if Twilio rejected the auth token and a secondary token is set. In that case, Twilio has done
    nothing, so no message is sent twice.
    """

    def __init__(self, api_url: str, secondary_secret: str = "", read_seconds: float = READ_SECONDS) -> None:
        super().__init__(_disabled_logger, is_async=False)
        self._secondary_secret = secondary_secret
        self._address = urlsplit(api_url)
        self._pool = urllib3.PoolManager(
            maxsize=THREADS,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
            ca_certs=certifi.where(),
        )

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        target = urlsplit(url)._replace(scheme=self._address.scheme, netloc=self._address.netloc)
        if params:
            target = target._replace(query=urlencode(params, doseq=True))
        body = urlencode(data, doseq=True) if data else None
        answer = self._call(method, target.geturl(), body, _build_headers(headers, auth))
        if answer.status == HTTPStatus.UNAUTHORIZED and auth and self._secondary_secret:
            secondary = _build_headers(headers, (auth[0], self._secondary_secret))
            answer = self._call(method, target.geturl(), body, secondary)
        text = answer.data.decode(errors="replace")
        if answer.status >= 300:
            _raise_refusal(answer.status, text, answer.headers, method)
        return Response(answer.status, text, answer.headers)

    def _call(
        self, method: str, url: str, body: str | None, headers: Mapping[str, str]
    ) -> urllib3.response.BaseHTTPResponse:
        try:
            return self._pool.request(method, url, body=body, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            _raise_no_answer(error, method)

    def clear(self) -> None:
        self._pool.clear()


class TwilioProvider:
    parallel_calls = THREADS
    can_look_up = True

    def __init__(
        self,
        api_url: str,
        base_url: str,
        account: str,
        secret: str,
        secondary_secret: str = "",
        *,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self._base_url, self._account = base_url, account
        self._http_client = TwilioHttpClient(api_url, secondary_secret, read_seconds)
        self._client = Client(account, secret, http_client=self._http_client)

    def send(self, message: OutgoingMessage) -> Receipt:
        sender = (
            {"messaging_service_sid": message.messaging_service}
            if message.messaging_service
            else {"from_": message.number}
        )
        try:
            made = self._client.messages.create(
                to=message.address,
                body=message.text.replace("\u00a0", " "),  # a no-break space makes it UCS-2, which doubles the price
                status_callback=f"{self._base_url}/webhooks/twilio/status/{message.token}/",
                validity_period=_compute_validity_seconds(message.expires_at - message.at),
                **sender,
            )
        except (TwilioException, ValueError, KeyError, TypeError) as error:
            # Twilio has no idempotency key, so an unclear response must be looked up before a retry.
            raise ProviderError(ErrorKind.IN_DOUBT, "unreadable_answer") from error
        if not made.sid:
            raise ProviderError(ErrorKind.IN_DOUBT, "unreadable_answer")
        return Receipt(made.sid)

    def find(self, message: OutgoingMessage, since: datetime) -> list[ProviderMessage]:
        # Do not filter by `date_sent`, because it is empty while a message is queued.
        known = self._ask(
            lambda: self._client.messages.list(to=message.address, limit=LOOKUP_LIMIT, page_size=LOOKUP_LIMIT)
        )
        outbound = [
            _build_provider_message(one) for one in known or [] if one.direction != MessageInstance.Direction.INBOUND
        ]
        return [one for one in outbound if one.created_at is None or one.created_at >= since]

    def fetch(self, provider_id: str) -> ProviderMessage | None:
        known = self._ask(lambda: self._client.messages(provider_id).fetch())
        return _build_provider_message(known) if known else None

    def check(self, number: str) -> None:
        if self._ask(lambda: self._client.api.accounts(self._account).fetch()) is None:
            raise ProviderError(ErrorKind.CONFIGURATION, "account_unknown")
        if number and not self._ask(lambda: self._client.incoming_phone_numbers.list(phone_number=number, limit=1)):
            raise ProviderError(ErrorKind.CONFIGURATION, "number_unknown")

    def close(self) -> None:
        self._http_client.clear()

    def _ask(self, question: Any) -> Any:
        try:
            return question()
        except ProviderError as error:
            if error.code == "20404":
                return None
            raise
        except (TwilioException, ValueError, KeyError, TypeError) as error:
            raise ProviderError(ErrorKind.TRANSIENT, "unreadable_answer") from error


def _build_headers(headers: Mapping[str, str] | None, auth: tuple[str, str] | None) -> dict[str, str]:
    sent = dict(headers or {})
    if auth:
        sent["Authorization"] = "Basic " + b64encode(":".join(auth).encode()).decode()
    return sent


def _compute_validity_seconds(left: timedelta) -> int:
    return max(1, int(min(left, LONGEST_VALIDITY).total_seconds()))


def _build_provider_message(known: MessageInstance) -> ProviderMessage:
    error_code = str(known.error_code or "")
    return ProviderMessage(known.sid or "", str(known.status or ""), error_code, known.body or "", known.date_created)


_CODES_BY_STATUS = {401: "20003", 403: "20003", 404: "20404", 429: "20429"}  # for responses without a Twilio code
_NOT_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


def _raise_no_answer(error: urllib3.exceptions.HTTPError, method: str) -> NoReturn:
    """Raise a ProviderError after a call without a response.

    The error is TRANSIENT if no connection was made, because Twilio then got nothing, and for a call that only reads.
    Otherwise it is IN_DOUBT, because Twilio may have the message.
    """
    if method != "POST" or isinstance(error, _NOT_SENT):
        raise ProviderError(ErrorKind.TRANSIENT, "unreachable") from error
    raise ProviderError(ErrorKind.IN_DOUBT, "no_answer") from error


def _raise_refusal(status: int, text: str, headers: Mapping[str, str], method: str) -> NoReturn:
    try:
        code = str(json.loads(text).get("code") or "")
    except (ValueError, AttributeError):
        code = ""
    if method != "POST" and status >= 500:
        raise ProviderError(ErrorKind.TRANSIENT, "unreachable", code)
    code = code or _CODES_BY_STATUS.get(status, f"HTTP {status}")
    treat = error_codes.choose_treatment(code, status)
    seconds = headers.get("Retry-After", "")
    retry_after = timedelta(seconds=min(int(seconds), 3600)) if seconds.isdecimal() else timedelta()
    raise ProviderError(treat.kind, treat.reason, code, retry_after)
