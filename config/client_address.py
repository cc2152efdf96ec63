"""Set REMOTE_ADDR from X-Forwarded-For, and hide the monitoring pages from the public."""

import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.core.cache import caches
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config import connections
from notifications.models import Heartbeat

LOG_INTERVAL_SECONDS = 60  # each process logs at most once in this time
HEARTBEAT_NAME = "untrusted_proxy"  # `manage.py doctor` reads it

# Loopback and private networks (RFC 1918, RFC 4193). `is_private` would also include the documentation ranges.
_INTERNAL_NETWORKS = [
    ip_network(network)
    for network in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
]
_PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")
_IS_FORWARDED = "drives.is_forwarded"

logger = logging.getLogger(__name__)


class ClientAddressMiddleware:
    """Sets REMOTE_ADDR to the visitor's IP address as our proxy saw it.

    It trusts only the headers of a proxy in TRUSTED_PROXIES. Each of our proxies adds an entry to X-Forwarded-For, so
    the visitor's address is number PROXY_COUNT from the end. The visitor may have forged the entries before it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.trusted = [ip_network(network) for network in settings.TRUSTED_PROXIES] or _INTERNAL_NETWORKS

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if any(header in request.headers for header in _PROXY_HEADERS):
            request.META[_IS_FORWARDED] = True
            self._read_headers(request)
        return self.get_response(request)

    def _read_headers(self, request: HttpRequest) -> None:
        if settings.BEHIND_PROXY and _is_in(request.META["REMOTE_ADDR"], self.trusted):
            with suppress(ValueError):
                request.META["REMOTE_ADDR"] = str(ip_address(_read_visitor_address(request)))
            return
        request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        if caches["local"].add(HEARTBEAT_NAME, "logged", LOG_INTERVAL_SECONDS):
            _report_untrusted_proxy()


def _report_untrusted_proxy() -> None:
    logger.warning(
        "a request with a forwarded header came from an address that is not trusted, so the header is ignored, and all"
        " visitors behind that address share their limits. If it is your proxy, set BEHIND_PROXY=on and add it to"
        " TRUSTED_PROXIES"
    )
    # Watched here, because a redirect to https skips LostConnectionMiddleware behind an untrusted proxy.
    with suppress(DatabaseError, InterfaceError):
        connections.run_watched(_record_untrusted_proxy)


def _record_untrusted_proxy() -> None:
    Heartbeat.objects.update_or_create(name=HEARTBEAT_NAME, defaults={"seen_at": timezone.now()})


def require_monitor(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Allow only callers with METRICS_TOKEN or with a private IP address. Refuse other callers before any query."""

    @wraps(view)
    def checked_view(request: HttpRequest) -> HttpResponse:
        if not is_monitor(request):
            raise PermissionDenied
        return view(request)

    return checked_view


def is_monitor(request: HttpRequest) -> bool:
    return _has_token(request) or _is_internal(request)


def _has_token(request: HttpRequest) -> bool:
    sent = request.headers.get("Authorization", "").encode()
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    return bool(settings.METRICS_TOKEN) and secrets.compare_digest(sent, expected)


def _is_internal(request: HttpRequest) -> bool:
    """Return whether the caller and, behind a proxy, the visitor have private IP addresses."""
    addresses = [request.META["REMOTE_ADDR"]]
    if request.META.get(_IS_FORWARDED):  # came through a proxy, even if BEHIND_PROXY is not set
        addresses.append(_read_forwarded_address(request))
    return all(_is_private(address) for address in addresses)


def _read_forwarded_address(request: HttpRequest) -> str:
    return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()


def _read_visitor_address(request: HttpRequest) -> str:
    entries = request.headers.get("X-Forwarded-For", "").split(",")
    return entries[-min(settings.PROXY_COUNT, len(entries))].strip()


def _is_private(address: str) -> bool:
    return _is_in(address, _INTERNAL_NETWORKS)


def _is_in(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip  # a socket for both protocols shows 10.0.0.7 as ::ffff:10.0.0.7
    return any(ip in network for network in networks if network.version == ip.version)
