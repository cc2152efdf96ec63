"""Prometheus metrics, read from the database at each scrape. No process keeps its own counters."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config import client_address
from drives.capacity import drift
from drives.models import BookingState, CounterAudit
from notifications import queries as messages
from notifications import stuck_messages
from organizations import sweeps


@require_safe
@never_cache
@client_address.require_monitor
def show_metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics. Always takes twelve queries."""
    registry = CollectorRegistry()
    registry.register(DatabaseCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class DatabaseCollector(Collector):
    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield _build_gauge(
            "drives_messages",
            "Messages that are not settled, by state; more than 10,000 are shown as 10,000.",
            "state",
            messages.count_unsettled_messages(),
        )
        yield _build_gauge(
            "drives_texts_failed",
            "Texts that failed within the last hour, by state.",
            "state",
            messages.count_failed_texts(since=now - timedelta(hours=1)),
        )
        yield from _build_audit_gauges(drift.find_last_audit())
        overdue = stuck_messages.list_overdue_messages(now)
        yield _build_gauge(
            "drives_messages_due",
            "Messages that are due but were not sent, by state, including e-mails of no organization.",
            "state",
            {one.state: one.count for one in overdue},
        )
        yield GaugeMetricFamily(
            "drives_outbox_lag_seconds",
            "How late the oldest scheduled or queued message is.",
            value=stuck_messages.compute_outbox_lag(overdue, now).total_seconds(),
        )
        refusals = {run.subject: run.refusals for run in stuck_messages.list_refusal_runs()}
        yield _build_gauge(
            "drives_refusals_in_a_row",
            "Messages that a sender or the mail server rejected in a row since it last accepted one.",
            "subject",
            refusals,
        )
        yield GaugeMetricFamily(
            "drives_failing_providers",
            "Senders and mail servers that are paused because they fail; anything but 0 is a fault.",
            value=len(messages.list_open_breakers()),
        )
        yield _build_gauge(
            "drives_messages_deferred",
            "Messages that are waiting, by reason.",
            "reason",
            messages.count_deferred_messages(),
        )
        yield _build_gauge(
            "drives_parked_rows", "Rows that a sweep could not handle.", "sweep", sweeps.count_parked_rows()
        )
        yield _build_alert_gauge(messages.list_delivery_problems(now))
        if seen_at := messages.find_last_delivery_at():
            age = (now - seen_at).total_seconds()
            yield GaugeMetricFamily("drives_heartbeat_age_seconds", "Time since the last sweep.", value=age)


def _build_alert_gauge(problems: Sequence[messages.DeliveryProblem]) -> Metric:
    family = GaugeMetricFamily(
        "drives_message_alerts", "Organizations whose messages are in trouble, by kind.", labels=["code"]
    )
    for code in ("late", "no_sender", "sender_stopped", "undelivered"):
        family.add_metric([code], sum(one.code == code for one in problems))
    return family


def _build_audit_gauges(audit: CounterAudit | None) -> Iterator[Metric]:
    if audit is None:  # the first hour of a new installation
        return
    counts = {str(state): audit.booking_counts.get(state, 0) for state in BookingState}
    meaning = "Bookings by state at drives that are not completed or cancelled, when the counters were last audited."
    yield _build_gauge("drives_bookings", meaning, "state", counts)
    yield GaugeMetricFamily(
        "drives_drifted_slots",
        "Slots whose counters disagree with their bookings; anything but 0 is a fault.",
        value=audit.drifted_slots,
    )
    yield GaugeMetricFamily(
        "drives_counter_audit_time_seconds",
        "When the counters were last audited, in Unix time.",
        value=audit.audited_at.timestamp(),
    )


def _build_gauge(name: str, meaning: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
