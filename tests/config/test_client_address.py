"""The service finds a visitor's IP address behind any number of proxies. It ignores and reports untrusted headers."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from config import connections
from config.client_address import ClientAddressMiddleware
from notifications.models import Heartbeat
from tests.builders import NOW

pytestmark = pytest.mark.django_db
VISITOR, FORGED = "203.0.113.7", "198.51.100.9"


def find_address(remote: str, **headers: str) -> HttpRequest:
    seen: list[HttpRequest] = []

    def answer(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    named = {name.replace("_", "-"): value for name, value in headers.items()}
    ClientAddressMiddleware(answer)(RequestFactory().get("/", headers=named, REMOTE_ADDR=remote))
    return seen[0]


@pytest.mark.parametrize(
    ("count", "forwarded", "address"),
    [
        (1, VISITOR, VISITOR),
        (1, f"{FORGED}, {VISITOR}", VISITOR),
        (1, f"{FORGED}, 10.0.0.50", "10.0.0.50"),
        (2, f"{FORGED}, {VISITOR}, 10.0.0.3", VISITOR),
        (2, VISITOR, VISITOR),
        (1, "unknown", "10.0.0.2"),
        (1, "", "10.0.0.2"),
        (1, "2001:db8::7", "2001:db8::7"),
    ],
)
def test_the_visitor_is_the_entry_of_the_first_of_our_proxies(
    settings: Any, count: int, forwarded: str, address: str
) -> None:
    settings.BEHIND_PROXY, settings.PROXY_COUNT = True, count
    assert find_address("10.0.0.2", X_Forwarded_For=forwarded).META["REMOTE_ADDR"] == address


@pytest.mark.parametrize(
    ("remote", "trusted", "behind", "is_trusted"),
    [
        ("127.0.0.1", [], True, True),
        ("192.0.2.1", [], True, False),
        ("192.0.2.1", ["192.0.2.0/24"], True, True),
        ("192.0.3.0", ["192.0.2.0/24"], True, False),
        ("127.0.0.1", ["192.0.2.1"], True, False),
        ("127.0.0.1", [], False, False),
    ],
)
def test_only_a_trusted_proxy_may_name_the_visitor_and_others_are_reported(
    settings: Any, caplog: pytest.LogCaptureFixture, remote: str, trusted: list[str], behind: bool, is_trusted: bool
) -> None:
    settings.BEHIND_PROXY, settings.TRUSTED_PROXIES = behind, trusted
    request = find_address(remote, X_Forwarded_For=VISITOR, X_Forwarded_Proto="https")
    assert request.META["REMOTE_ADDR"] == (VISITOR if is_trusted else remote)
    assert ("HTTP_X_FORWARDED_PROTO" in request.META) == is_trusted
    assert ("add it to TRUSTED_PROXIES" in caplog.text) != is_trusted
    assert Heartbeat.objects.filter(name="untrusted_proxy").exists() != is_trusted
    assert VISITOR not in caplog.text


def test_an_untrusted_header_is_reported_once_a_minute(
    settings: Any, caplog: pytest.LogCaptureFixture, time_machine: Any
) -> None:
    settings.BEHIND_PROXY = True
    for seconds, reports in ((0, 1), (0, 1), (59, 1), (60, 2)):
        time_machine.move_to(NOW + timedelta(seconds=seconds), tick=False)
        find_address("192.0.2.1", X_Forwarded_For=VISITOR)
        assert caplog.text.count("add it to TRUSTED_PROXIES") == reports


@pytest.mark.django_db(transaction=True)
def test_a_lost_connection_does_not_keep_the_report_from_the_database(settings: Any) -> None:
    settings.BEHIND_PROXY = True
    connection.ensure_connection()
    connection.connection.close()
    find_address("192.0.2.1", X_Forwarded_For=VISITOR)
    assert Heartbeat.objects.filter(name="untrusted_proxy").exists()


@pytest.mark.django_db(transaction=True)
def test_the_report_does_not_wait_for_a_dead_path_to_the_database(settings: Any) -> None:
    settings.BEHIND_PROXY, settings.DATABASE_SILENT_SECONDS = True, 6
    connection.close()
    connections.watch.record_failure(OperationalError())
    assert find_address("192.0.2.1", X_Forwarded_For=VISITOR).META["REMOTE_ADDR"] == "192.0.2.1"
    assert connection.connection is None
    assert not Heartbeat.objects.exists()
