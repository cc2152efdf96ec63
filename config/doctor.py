"""Find problems in the settings and in the running service, and say how to fix each problem."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core import checks as django_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.http.request import validate_host
from django.utils import timezone
from environs import env

from config import client_address, health
from notifications import queries as messages
from notifications import stuck_messages
from notifications.models import Heartbeat
from organizations import database_copy, key_fingerprints
from organizations.models import Organization

OLDEST_POSTGRESQL = 150_000
MAX_CLOCK_DIFFERENCE = timedelta(seconds=5)
UNTRUSTED_WITHIN = timedelta(days=1)
SHORTEST_TOKEN = 16
_TWILIO_FORMATS = {
    "TWILIO_ACCOUNT_SID": (r"AC[0-9a-fA-F]{32}", "AC and 32 hexadecimal digits"),
    "TWILIO_AUTH_TOKEN": (r"[0-9a-fA-F]{32}", "32 hexadecimal digits"),
    "TWILIO_SECONDARY_AUTH_TOKEN": (r"[0-9a-fA-F]{32}", "32 hexadecimal digits"),
}


@dataclass(frozen=True)
class Finding:
    code: str
    sentence: str
    remedy: str
    is_error: bool = True  # False for a warning


def examine() -> list[Finding]:
    """Return the problems found. Change nothing, and look up no host names except those of our own servers."""
    found = [
        *_check_system(),
        *_check_addresses(),
        *_check_proxy(),
        *_check_encoding(),
        *_check_senders(),
        *_check_files(),
    ]
    return [*found, *_check_database(), *_check_redis()]


def _check_database() -> list[Finding]:
    """Run the checks of the database. If its tables are missing, report only the missing migrations."""
    found: list[Finding] = []
    try:
        for check in _DATABASE_CHECKS:
            found += check()
    except (DatabaseError, ImproperlyConfigured) as error:
        if not any(finding.code == "migrations" for finding in found):
            remedy = "Start PostgreSQL, and check the user, password, host, port and name in DATABASE_URL."
            found.append(Finding("database", f"The database fails: {_join_lines(error)}", remedy))
    return found


def _join_lines(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _check_system() -> Iterator[Finding]:
    for message in django_checks.run_checks(include_deployment_checks=True):
        if message.is_silenced():
            continue
        remedy = str(message.hint or "See the documentation of this check.")
        yield Finding(str(message.id), str(message.msg), remedy, message.level >= django_checks.ERROR)


def _check_addresses() -> Iterator[Finding]:
    host = urlsplit(settings.BASE_URL).hostname or ""
    if not validate_host(host, settings.ALLOWED_HOSTS):
        yield Finding(
            "allowed_hosts",
            f"BASE_URL has the host {host}, but ALLOWED_HOSTS does not, so every page answers 400.",
            f"Add {host} to ALLOWED_HOSTS.",
        )
    if not settings.SECURE and not settings.DEMO:
        yield Finding(
            "https", "BASE_URL begins with http, so links and cookies are not protected.", "Begin BASE_URL with https."
        )
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < SHORTEST_TOKEN:
        remedy = f"Use at least {SHORTEST_TOKEN} random characters."
        yield Finding("metrics_token", "METRICS_TOKEN can be guessed.", remedy)


def _check_proxy() -> Iterator[Finding]:
    if settings.SECURE and not settings.BEHIND_PROXY:
        yield Finding(
            "behind_proxy",
            "BASE_URL begins with https, but BEHIND_PROXY is off, so every page redirects to itself.",
            "Set BEHIND_PROXY=on, and let the proxy set X-Forwarded-Proto and X-Forwarded-For (deploy/nginx.conf).",
        )
    for network in settings.TRUSTED_PROXIES:
        try:
            ip_network(network)
        except ValueError:
            remedy = "Write an address or a network, such as 10.0.0.0/24."
            yield Finding("trusted_proxies", f"TRUSTED_PROXIES has {network}, which is not a network.", remedy)


def _check_encoding() -> Iterator[Finding]:
    """Find server URLs with a special character, usually in the password, that is not percent-encoded."""
    addresses = {
        "DATABASE_URL": env.str("DATABASE_URL", ""),
        "REDIS_URL": env.str("REDIS_URL", ""),
        "EMAIL_URL": env.str("EMAIL_URL", ""),
    }
    for name, address in addresses.items():
        if re.search(r"@.*@|[/?].*@|#|%(?![0-9A-Fa-f]{2})", address.partition("://")[2]):
            remedy = "Write special characters of the password percent-encoded: @ as %40, # as %23, / as %2F, ? as %3F."
            yield Finding("encoding", f"{name} has a special character that is not percent-encoded.", remedy)


def _check_senders() -> Iterator[Finding]:
    if settings.SMS_PROVIDER == "twilio":
        for name, (pattern, form) in _TWILIO_FORMATS.items():
            if (value := getattr(settings, name)) and not re.fullmatch(pattern, value):
                yield Finding("twilio", f"{name} does not look right.", f"It must be {form}. Copy it again.")


def _check_files() -> Iterator[Finding]:
    if not settings.ERASURES_FILE:
        remedy = "Set ERASURES_FILE to a file on another disk than the database."
        sentence = (
            "Erasures are recorded only in the log and in the database, so a restore may bring erased people back."
        )
        yield Finding("erasures_file", sentence, remedy, is_error=False)
        return
    path = Path(settings.ERASURES_FILE)
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        yield Finding("erasures_file", "ERASURES_FILE cannot be written.", f"Let this user write to {path}.")


def _check_server() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, clock_timestamp()")
        version, clock = cursor.fetchone()
    if version < OLDEST_POSTGRESQL:
        yield Finding("postgresql", f"PostgreSQL {version // 10_000} is too old.", "Use PostgreSQL 15 or newer.")
    if abs(clock - timezone.now()) > MAX_CLOCK_DIFFERENCE:
        sentence = "The clocks of this machine and of the database differ by more than five seconds."
        yield Finding("clock", sentence, "Set both with NTP, for example with systemd-timesyncd.")


def _check_migrations() -> Iterator[Finding]:
    if health.count_missing_migrations():
        yield Finding("migrations", "Migrations are not applied.", "Run `manage.py migrate`.")


def _check_data() -> Iterator[Finding]:
    for problem in key_fingerprints.list_key_problems():
        yield Finding("keys", problem, "See “Changing keys” in docs/operations.md.")
    if database_copy.find_held_marker():
        yield Finding(
            "restored", "This database is a restored copy, so no message is sent.", "See “restored” in docs/runbook.md."
        )
    if not Organization.objects.exists():
        remedy = "Run `manage.py create_organization`."
        yield Finding("organization", "There is no organization yet.", remedy, is_error=False)


def _check_running() -> Iterator[Finding]:
    now = timezone.now()
    seen_at = messages.find_last_delivery_at()
    if seen_at is None or now - seen_at > health.MAX_SWEEP_AGE:
        when = f"since {seen_at:%Y-%m-%d %H:%M} UTC" if seen_at else "yet"
        yield Finding("beat", f"No sweep has run {when}.", "Start beat and worker. Check that they can reach Redis.")
    for blockage in stuck_messages.find_blockages(now):
        yield Finding(blockage.code, blockage.sentence, "See docs/runbook.md.")
    untrusted = Heartbeat.objects.filter(name=client_address.HEARTBEAT_NAME, seen_at__gt=now - UNTRUSTED_WITHIN)
    if untrusted.exists():
        yield Finding(
            "untrusted_proxy",
            "In the last day, a forwarded header came from an address that is not trusted.",
            "If it was your proxy, set BEHIND_PROXY=on and add its address to TRUSTED_PROXIES. If a visitor sent it,"
            " let only the proxy reach the web server.",
            is_error=False,
        )


_DATABASE_CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _check_server,
    _check_migrations,
    _check_data,
    _check_running,
)


def _check_redis() -> Iterator[Finding]:
    if not settings.REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
        return
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=3, socket_timeout=3) as client:
            policy = client.info("memory").get("maxmemory_policy")
    except (redis.RedisError, ValueError) as error:
        remedy = "Start Redis, and check REDIS_URL. Until then, no message is sent."
        yield Finding("redis", f"Redis fails with {type(error).__name__}.", remedy)
        return
    if policy != "noeviction":
        yield Finding(
            "redis_policy", "Redis may drop tasks when its memory is full.", "Set maxmemory-policy noeviction."
        )
