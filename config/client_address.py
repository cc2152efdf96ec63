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


class ClientAddressMiddleware:
    """Sets REMOTE_ADDR to the visitor's IP address as our proxy saw it. Used only with BEHIND_PROXY=on.

    The last entry of X-Forwarded-For comes from our proxy. Earlier entries may be forged by the visitor.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
        with suppress(ValueError):
            request.META["REMOTE_ADDR"] = str(ip_address(address))
        return self.get_response(request)


def require_monitor(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Allow only callers with METRICS_TOKEN or with a private IP address. Refuse other callers before any query."""

    @wraps(view)
    def checked_view(request: HttpRequest) -> HttpResponse:
        if not _has_token(request) and not _is_internal(request.META["REMOTE_ADDR"]):
            raise PermissionDenied
        return view(request)

    return checked_view


def _has_token(request: HttpRequest) -> bool:
    sent = request.headers.get("Authorization", "").encode()
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    return bool(settings.METRICS_TOKEN) and secrets.compare_digest(sent, expected)


def _is_internal(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in _INTERNAL_NETWORKS if network.version == ip.version)
