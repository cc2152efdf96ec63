"""JSON logs, with one line for each request and its id. They contain no personal data and no tokens."""

import json
import logging
import re
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:  # beat also writes these logs, and Django's requests would take a fifth of its memory
    from django.http import HttpRequest, HttpResponse

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9._-]{8,64}")
PROBE_PATHS: frozenset[str] = frozenset({"/healthz", "/readyz", "/metrics"})

# The code logs no personal data, but an exception's message may contain some.
PERSONAL_DATA_PATTERNS = (
    # The tokens of our links have 22 characters.
    (re.compile(r"(/(?:b|w|offer|stop|feeds|start)/)[\w-]{20,}"), r"\1[token]"),
    (re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"), "[e-mail]"),
    (re.compile(r"\+\d[\d ().-]{6,18}\d"), "[phone]"),
    (re.compile(r"(?<![\w.-])(?:1[ .-]?)?(?:\(\d{3}\)|\d{3})[ .-]?\d{3}[ .-]?\d{4}(?![\w-])"), "[phone]"),
    (re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32,}(?![\w-])"), "[token]"),
)

# Checked first, because it is fast and most texts match none of the patterns above.
_SUSPECT_PATTERN = re.compile(r"@|\+\d|\d{3}|[\w-]{20}")

logger = logging.getLogger("drives.requests")


def mask_personal_data(text: str) -> str:
    """Mask all parts of a string that look like an e-mail address, a phone number or a token."""
    if _SUSPECT_PATTERN.search(text):
        for pattern, label in PERSONAL_DATA_PATTERNS:
            text = pattern.sub(label, text)
    return text


def _mask_value(value: object) -> object:
    if isinstance(value, bool | int | float | None):
        return value
    return mask_personal_data(str(value))


class JsonFormatter(logging.Formatter):
    """Writes one JSON object per line. `extra={"fields": {...}}` adds members to it."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask_personal_data(self._message(record)),
        }
        if request_id := REQUEST_ID.get():
            entry["request_id"] = request_id
        for name, value in getattr(record, "fields", {}).items():
            entry[name] = _mask_value(value)
        if record.exc_info:
            entry["exception"] = mask_personal_data(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)

    def _message(self, record: logging.LogRecord) -> str:
        """Format the message. Replace the path of a request with its route, because a path may contain a token."""
        request: Any = getattr(record, "request", None)
        if _is_http_request(request) and isinstance(record.args, tuple):
            return str(record.msg) % tuple(format_route(request) if arg == request.path else arg for arg in record.args)
        return record.getMessage()


class ProbeFilter(logging.Filter):
    """Drops the log records of 503 responses to probes, because Django would log each one as an ERROR."""

    def filter(self, record: logging.LogRecord) -> bool:
        request: Any = getattr(record, "request", None)
        status = getattr(record, "status_code", None)
        is_probe = _is_http_request(request) and request.path in PROBE_PATHS
        return not (is_probe and status == HTTPStatus.SERVICE_UNAVAILABLE)


def build_logging_config(level: str) -> dict[str, Any]:
    quiet = {"level": "WARNING"}
    plain = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"no_probe": {"()": "config.logs.ProbeFilter"}},
        "formatters": {"json": {"()": "config.logs.JsonFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": plain,
            "django.server": plain,
            # RequestLogMiddleware logs all requests anyway.
            "django.request": {"level": "ERROR", "filters": ["no_probe"]},
            "django.security.DisallowedHost": {"level": "CRITICAL"},  # any client can send a wrong Host header
            "_granian": plain,
            "celery.app.trace": quiet,  # its INFO lines would show a task every two seconds
            "celery.beat": quiet,
            "celery.worker.strategy": quiet,
        },
    }


def _is_http_request(request: object) -> bool:
    """Return whether this is Django's request, not the socket that its test server logs."""
    return hasattr(request, "resolver_match")


def format_route(request: "HttpRequest") -> str:
    """Return the URL pattern, because the URL itself may contain a token."""
    match = request.resolver_match
    return f"/{match.route}" if match else "(no route)"


class RequestLogMiddleware:
    """Logs each request with an id. The id comes from the request's X-Request-ID header or is new, and is sent back."""

    def __init__(self, get_response: "Callable[[HttpRequest], HttpResponse]") -> None:
        self.get_response = get_response

    def __call__(self, request: "HttpRequest") -> "HttpResponse":
        sent_id = request.headers.get("X-Request-ID", "")
        is_usable = REQUEST_ID_PATTERN.fullmatch(sent_id) and mask_personal_data(sent_id) == sent_id
        request_id = sent_id if is_usable else uuid.uuid4().hex
        token = REQUEST_ID.set(request_id)
        started = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            logger.log(self._level(request), "request", extra={"fields": self._fields(request, response, started)})
            return response
        finally:
            REQUEST_ID.reset(token)

    def _level(self, request: "HttpRequest") -> int:
        quiet = request.path in PROBE_PATHS or request.path.startswith(settings.STATIC_URL)
        return logging.DEBUG if quiet else logging.INFO

    def _fields(self, request: "HttpRequest", response: "HttpResponse", started: float) -> dict[str, object]:
        return {
            "method": request.method,
            "route": format_route(request),
            "status": response.status_code,
            "ms": round((time.perf_counter() - started) * 1000, 1),
        }
