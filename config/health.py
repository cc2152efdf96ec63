"""The probes: /healthz (the process is alive) and /readyz (the service can do its work)."""

from collections.abc import Callable
from datetime import timedelta
from functools import cache

from django.core.cache import caches
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import client_address, logs
from drives.capacity import drift
from drives.capacity import rules as capacity_rules
from notifications import queries as messages
from notifications import stuck_messages
from organizations import database_copy, key_fingerprints

PUBLIC_SECONDS = 5  # how old an answer to the public may be
MAX_SWEEP_AGE = timedelta(minutes=1)


class ProbeMiddleware:
    """Accepts any Host header in requests to probes. The responses contain no link, so a forged Host is harmless."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path in logs.PROBE_PATHS:
            request.META["HTTP_HOST"] = "localhost"
        return self.get_response(request)


@require_safe
@never_cache
def show_liveness(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"ok": True})


@require_safe
@never_cache
def show_readiness(request: HttpRequest) -> HttpResponse:
    """Return 200 or 503. Monitors see which checks failed. Other callers get a result that is a few seconds old."""
    if client_address.is_monitor(request):
        results = _run_checks()
        ok = all(answer == "ok" for answer in results.values())
        return JsonResponse({"ok": ok, "checks": results}, status=200 if ok else 503)
    ok = bool(caches["local"].get_or_set("readiness", _is_ready, PUBLIC_SECONDS))
    return JsonResponse({"ok": ok}, status=200 if ok else 503)


def _is_ready() -> bool:
    return all(answer == "ok" for answer in _run_checks().values())


def _run_checks() -> dict[str, str]:
    results: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            results[name] = check() or "ok"
        except DatabaseError:
            results[name] = "the database is not responding"
            break  # the remaining checks would wait for the same timeout
    return results


def _check_database() -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return None


def _check_migrations() -> str | None:
    missing = count_missing_migrations()
    return f"{missing} migrations are not applied" if missing else None


def count_missing_migrations() -> int:
    return len(_list_known_migrations() - MigrationRecorder(connection).applied_migrations().keys())


@cache
def _list_known_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).disk_migrations)


def _check_keys() -> str | None:
    return " ".join(key_fingerprints.list_key_problems()) or None


def _check_restored_copy() -> str | None:
    held = database_copy.find_held_marker()
    return (
        "this is a restored copy, so no message is sent: run `manage.py restored` (docs/runbook.md)" if held else None
    )


def _check_messages() -> str | None:
    return "; ".join(one.sentence for one in stuck_messages.find_blockages(timezone.now())) or None


def _check_drift() -> str | None:
    audit, opened_at = drift.find_last_audit(), database_copy.find_recorded_time()
    if audit and audit.drifted_slots:
        return f"{audit.drifted_slots} slots disagree with their bookings: run `manage.py mend_drift`"
    # A new or restored database needs no audit before `MAX_AUDIT_AGE` has passed.
    since = max((at for at in (audit and audit.audited_at, opened_at) if at), default=None)
    if since is None or timezone.now() - since <= capacity_rules.MAX_AUDIT_AGE:
        return None
    return (
        f"the counters were not audited since {since:%Y-%m-%d %H:%M} UTC: look for audit_counters in the worker's log"
    )


def _check_beat() -> str | None:
    seen_at = messages.find_last_delivery_at()
    if seen_at is None:
        return "no sweep has run yet"
    age = timezone.now() - seen_at
    return f"no sweep for {age.total_seconds():.0f} s" if age > MAX_SWEEP_AGE else None


CHECKS: dict[str, Callable[[], str | None]] = {
    "database": _check_database,
    "migrations": _check_migrations,
    "keys": _check_keys,
    "restored": _check_restored_copy,
    "messages": _check_messages,
    "drift": _check_drift,
    "beat": _check_beat,
}
