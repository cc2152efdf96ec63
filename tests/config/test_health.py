"""The readiness and metrics endpoints: their responses, and how many queries they take."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.cache import caches
from django.db import OperationalError, connection
from django.test import Client, override_settings
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from config import health
from drives.capacity import drift
from drives.models import Drive, Slot
from notifications.models import Heartbeat
from organizations import database_copy
from tests import builders, query_counts


def sweep_seen(ago: timedelta = timedelta()) -> None:
    Heartbeat.objects.update_or_create(name="deliver_due", defaults={"seen_at": timezone.now() - ago})


def answer(client: Client) -> tuple[int, dict[str, str]]:
    response = client.get("/readyz")
    return response.status_code, response.json()["checks"]


def test_the_process_is_alive_without_a_database(client: Client) -> None:
    assert client.get("/healthz").json() == {"ok": True}


@pytest.mark.django_db
def test_all_is_well(client: Client) -> None:
    sweep_seen()
    assert answer(client) == (200, dict.fromkeys(health.CHECKS, "ok"))


@pytest.mark.django_db
@pytest.mark.parametrize("ago", [None, timedelta(minutes=2)])
def test_a_silent_beat_is_named(client: Client, ago: timedelta | None) -> None:
    if ago:
        sweep_seen(ago)
    status, checks = answer(client)
    assert (status, [name for name, said in checks.items() if said != "ok"]) == (503, ["beat"])


@pytest.mark.django_db
@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (61, 503)])
def test_a_beat_is_silent_after_a_minute(client: Client, time_machine: Any, seconds: int, status: int) -> None:
    time_machine.move_to(builders.NOW, tick=False)
    sweep_seen(timedelta(seconds=seconds))
    assert answer(client)[0] == status


@pytest.mark.django_db
def test_a_migration_that_is_missing_is_named(client: Client) -> None:
    sweep_seen()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'drives' AND name LIKE '0001%'")
    status, checks = answer(client)
    assert (status, checks["migrations"]) == (503, "1 migrations are not applied")


def test_a_database_that_is_away_is_named_and_nothing_else_is_asked(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("connection refused")

    monkeypatch.setitem(health.CHECKS, "database", away)
    assert answer(client) == (503, {"database": "the database is not responding"})


@pytest.mark.django_db
@pytest.mark.expects_errors
def test_drifted_counters_are_named_once_they_were_audited(client: Client) -> None:
    sweep_seen()
    now, drive = timezone.now(), builders.drive()
    Slot.objects.filter(drive=drive, n__lte=1).update(chairs_taken=1)
    assert answer(client) == (200, dict.fromkeys(health.CHECKS, "ok"))
    assert drift.audit_counters(now=now).drifted_slots == 2
    assert answer(client)[1]["drift"] == "2 slots disagree with their bookings: run `manage.py mend_drift`"
    Slot.objects.filter(drive=drive).update(chairs_taken=0)
    drift.audit_counters(now=now)
    assert answer(client) == (200, dict.fromkeys(health.CHECKS, "ok"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("audited", "opened", "status"), [(3, 9, 200), (3.01, 9, 503), (None, 3, 200), (None, 3.01, 503), (9, 3, 200)]
)
def test_an_audit_older_than_three_hours_is_named(
    client: Client, time_machine: Any, audited: float | None, opened: float, status: int
) -> None:
    time_machine.move_to(builders.NOW, tick=False)
    sweep_seen()
    database_copy.accept_database(now=timezone.now() - timedelta(hours=opened))
    if audited:
        drift.audit_counters(now=timezone.now() - timedelta(hours=audited))
    found, checks = answer(client)
    assert (found, checks["drift"].startswith("the counters were not audited since")) == (status, status == 503)


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "again"), [(59, False), (60, True), (-1, True)])
def test_counters_are_audited_every_hour(minutes: int, again: bool) -> None:
    drift.audit_counters(now=builders.NOW)
    later = builders.NOW + timedelta(minutes=minutes)
    audit = drift.audit_counters_when_due(now=later)
    assert (audit is not None) == again


@pytest.mark.django_db
@pytest.mark.expects_errors
@pytest.mark.parametrize(("state", "drifted"), [("published", 1), ("closed", 1), ("completed", 0), ("cancelled", 0)])
def test_only_drives_that_can_change_are_audited(state: str, drifted: int) -> None:
    drive = builders.drive()
    Slot.objects.filter(drive=drive, n=0).update(chairs_taken=1)
    Drive.objects.filter(pk=drive.pk).update(state=state)
    assert drift.audit_counters(now=timezone.now()).drifted_slots == drifted


@pytest.mark.django_db
def test_figures_take_twelve_queries(client: Client) -> None:
    sweep_seen()
    builders.booked(builders.drive())
    audited_at = timezone.now()
    drift.audit_counters(now=audited_at)

    def organizations(many: int) -> Callable[[], object]:
        for number in range(many):
            builders.booked(builders.drive(), number=10 * many + number)
        return partial(client.get, "/metrics")

    assert query_counts.count_for_each(organizations) == 12
    response = client.get("/metrics")
    families = {family.name: family for family in text_string_to_metric_families(response.content.decode())}
    assert set(families) == {
        "drives_messages",
        "drives_texts_failed",
        "drives_bookings",
        "drives_messages_deferred",
        "drives_messages_due",
        "drives_refusals_in_a_row",
        "drives_outbox_lag_seconds",
        "drives_parked_rows",
        "drives_failing_providers",
        "drives_drifted_slots",
        "drives_counter_audit_time_seconds",
        "drives_message_alerts",
        "drives_heartbeat_age_seconds",
    }
    assert [sample.value for sample in families["drives_drifted_slots"].samples] == [0.0]
    bookings = {sample.labels["state"]: sample.value for sample in families["drives_bookings"].samples}
    assert (bookings["booked"], bookings["held"]) == (1.0, 0.0)
    (audit,) = families["drives_counter_audit_time_seconds"].samples
    assert audit.value == audited_at.timestamp()


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.7", "172.31.255.255", "192.168.1.1", "fd00::7", "::ffff:10.0.0.7"]
)
@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
@pytest.mark.django_db
def test_a_monitor_in_the_private_network_is_answered(client: Client, path: str, address: str) -> None:
    assert client.get(path, REMOTE_ADDR=address).status_code != 403


@pytest.mark.parametrize("address", ["203.0.113.7", "172.32.0.0", "2001:db8::7", "::ffff:203.0.113.7", "", "unknown"])
@pytest.mark.parametrize("sent", ["", "Bearer ", "Bearer wrong", "the-token"])
def test_the_public_gets_no_figures_and_costs_no_query(client: Client, sent: str, address: str) -> None:
    for token in ("", "the-token"):
        with override_settings(METRICS_TOKEN=token):
            response = client.get("/metrics", REMOTE_ADDR=address, headers={"Authorization": sent})
        assert response.status_code == 403


@pytest.mark.django_db
def test_the_public_gets_the_bare_status_of_the_last_seconds(client: Client) -> None:
    sweep_seen()
    stranger = partial(client.get, "/readyz", REMOTE_ADDR="203.0.113.7")
    assert (stranger().status_code, stranger().json()) == (200, {"ok": True})
    assert query_counts.statements_of(stranger) == []
    sweep_seen(timedelta(minutes=2))
    caches["local"].clear()
    assert (stranger().status_code, stranger().json()) == (503, {"ok": False})


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.parametrize("host", ["10.0.0.5:8000", "[fd00::7]", "web-7d9f", "a_b"])
def test_a_probe_may_use_any_name_or_address(client: Client, path: str, host: str) -> None:
    sweep_seen()
    assert client.get(path, headers={"Host": host}).status_code == 200
    assert client.get("/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Forwarded-For": "10.0.0.9"}, 200),
        ({"X-Forwarded-For": "203.0.113.7, 10.0.0.9"}, 200),
        ({"X-Forwarded-For": "10.0.0.9", "X-Forwarded-Proto": "https"}, 200),
        ({"X-Forwarded-For": "203.0.113.7"}, 403),
        ({"X-Forwarded-For": "10.0.0.9, 203.0.113.7"}, 403),
        ({"X-Forwarded-For": "203.0.113.7:4711"}, 403),
        ({"X-Forwarded-Proto": "https"}, 403),
        ({"X-Real-IP": "203.0.113.7"}, 403),
        ({"Forwarded": "for=203.0.113.7"}, 403),
        ({"Via": "1.1 proxy"}, 403),
    ],
)
@pytest.mark.django_db
def test_a_proxy_in_the_private_network_does_not_lend_its_address(
    client: Client, headers: dict[str, str], status: int
) -> None:
    assert client.get("/metrics", REMOTE_ADDR="172.18.0.1", headers=headers).status_code == status


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
@pytest.mark.django_db
@override_settings(METRICS_TOKEN="the-token")
def test_the_token_opens_both_from_anywhere(client: Client, path: str) -> None:
    headers = {"Authorization": "Bearer the-token"}
    assert client.get(path, REMOTE_ADDR="203.0.113.7", headers=headers).status_code != 403
