"""Fixtures for every test: real servers, no network, no skips in CI, no ERROR logs."""

import ipaddress
import logging
import os
import socket
from collections.abc import Callable, Generator, Iterator
from typing import Any

import django
import hypothesis
import pytest
import redis as redis_client
from django.conf import settings as django_settings
from django.core.cache import caches
from django.test import override_settings
from django.utils import translation
from environs import env

from config.embedded.guard import Guard
from tests import seeds
from tests.figures import pytest_terminal_summary
from tests.servers import Servers

__all__ = ["pytest_terminal_summary"]  # a pytest hook

OURS = {
    "DJANGO_SETTINGS_MODULE": "config.settings",
    "ENV_FILE": "",
    "SECRET_KEY": "tests-only-secret-key-that-is-long-enough-for-the-system-check",
    "IDENTITY_KEY": "tests-only-identity-key-that-is-long-enough-for-the-check",
    "BASE_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "SMS_PROVIDER": "inbox",
    "EMAIL_URL": "inbox",
    "EMAIL_FROM": "drives@example.org",
    "RATE_LIMITS": "on",
    "DEMO": "off",
    "LOG_LEVEL": "INFO",
    "TWILIO_ACCOUNT_SID": "AC00000000000000000000000000000000",
    "TWILIO_AUTH_TOKEN": "tests-only-token",
    "TWILIO_FROM": "+12025550100",
    "TWILIO_MESSAGING_SERVICE_SID": "",
    "TWILIO_API_URL": "http://127.0.0.1:1",
    "SENTRY_DSN": "",
    "WEB": "off",
    "BEHIND_PROXY": "off",
}
SERVERS = pytest.StashKey[Servers]()
os.environ.update(OURS)

hypothesis.settings.register_profile("drives", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile(
    "mutants",
    hypothesis.settings.get_profile("drives"),
    derandomize=True,
    database=None,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
hypothesis.settings.load_profile("drives")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Start the servers, then Django. xdist's workers get the servers' URLs from the environment."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        servers = config.stash[SERVERS] = Servers()
        servers.start()
    django.setup()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    if servers := config.stash.get(SERVERS, None):
        servers.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI, turn skipped tests into failures, except tests that need a container engine.

    Everything else that a test may need is installed in CI.
    """
    report = yield
    may_skip = hasattr(report, "wasxfail") or item.get_closest_marker("needs_containers")
    if report.skipped and env.bool("CI", default=False) and not may_skip:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and env.bool("CI", default=False):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


def pytest_runtest_setup(item: pytest.Item) -> None:
    reason = env.str("TESTS_WITHOUT_REDIS", "")
    if reason and item.get_closest_marker("needs_redis"):
        pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _test_settings() -> Iterator[None]:
    """Use plain static files, in-memory file storage, a fast password hash, one-step sign-in, and no cache for pages.

    All other settings are those of production. Tests of shared pages turn the cache for pages on again.
    """
    staticfiles = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    files = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    with override_settings(
        CACHES={**django_settings.CACHES, "pages": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
        STORAGES={"default": files, "staticfiles": staticfiles},
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        SECOND_STEP_REQUIRED=False,
    ):
        yield


class LiveNetworkError(Exception):
    """A test tried to connect to another machine or to look up its name."""


def _is_local(host: object) -> bool:
    if host in {None, "", "localhost", "0.0.0.0", "::"}:  # noqa: S104  compared, not bound
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


@pytest.fixture(scope="session", autouse=True)
def _closed_network() -> Iterator[None]:
    """Refuse connections to other hosts, and refuse to look up their names."""
    monkeypatch = pytest.MonkeyPatch()
    _refuse_elsewhere(monkeypatch, "connect")
    _refuse_elsewhere(monkeypatch, "connect_ex")
    look_up = socket.getaddrinfo

    def guarded(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not _is_local(name) and any(letter.isalpha() for letter in name) and ":" not in name:
            raise LiveNetworkError(f"looking up {name}")
        return look_up(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", guarded)
    yield
    monkeypatch.undo()


def _refuse_elsewhere(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    real: Callable[..., Any] = getattr(socket.socket, method)

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_local(address[0]):
            raise LiveNetworkError(f"connecting to {address[0]}")
        return real(self, address)

    monkeypatch.setattr(socket.socket, method, guarded)


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(f"{record.name}: {record.getMessage()}")


@pytest.fixture(autouse=True)
def _no_error_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    errors = _Errors()
    root = logging.getLogger()
    root.addHandler(errors)
    yield
    root.removeHandler(errors)
    if errors.seen and not request.node.get_closest_marker("expects_errors"):
        pytest.fail("logged at ERROR:\n" + "\n".join(errors.seen))


@pytest.fixture(autouse=True)
def _all_reached() -> Iterator[None]:
    """Fail a race test that does not reach one of its pauses or seeded bugs."""
    with seeds.all_reached():
        yield


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Clear the counters of the rate limits.

    Tests stop the clock at the same minute, so they would otherwise share the counters.
    """
    caches["local"].clear()


@pytest.fixture(autouse=True)
def _own_language() -> None:
    """Reset the language. Otherwise a request in Spanish would leave Spanish active for the next test."""
    translation.deactivate()


@pytest.fixture
def redis_url() -> Iterator[str]:
    """Return the URL of an empty Redis database for this xdist worker. Tests that use it need the mark needs_redis."""
    number = env.str("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{env.str('REDIS_URL').rsplit('/', 1)[0]}/{1 + int(number) % 15}"
    with redis_client.Redis.from_url(url) as connection:
        connection.flushdb()
        yield url
        connection.flushdb()


@pytest.fixture(scope="session")
def guard() -> Iterator[Guard]:
    """Return a guard that stops the test's servers even if the run is killed."""
    guard = Guard()
    yield guard
    guard.close()
