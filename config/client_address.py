"""Set REMOTE_ADDR from X-Forwarded-For, and hide the monitoring pages from the public."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

# Loopback and private networks (RFC 1918, RFC 4193). `is_private` would also include the documentation ranges.
_INTERNAL_NETWORKS = [
    ip_network(network)
    for network in ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
]
_PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")


class ClientAddressMiddleware:
    """Sets REMOTE_ADDR to the visitor's IP address as our proxy saw it. Used only with BEHIND_PROXY=on.

    The last entry of X-Forwarded-For comes from our proxy. Earlier entries may be forged by the visitor.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with suppress(ValueError):
            request.META["REMOTE_ADDR"] = str(ip_address(_read_forwarded_address(request)))
        return self.get_response(request)


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
    if any(header in request.headers for header in _PROXY_HEADERS):  # also if BEHIND_PROXY was forgotten
        addresses.append(_read_forwarded_address(request))
    return all(_is_private(address) for address in addresses)


def _read_forwarded_address(request: HttpRequest) -> str:
    return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()


def _is_private(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in _INTERNAL_NETWORKS if network.version == ip.version)
