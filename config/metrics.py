"""Prometheus metrics, read from the database at each scrape. No process keeps its own counters."""

from collections.abc import Iterator, Sequence

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config import client_address
from drives.capacity import drift
from drives.models import Booking, BookingState
from notifications import queries as messages
from notifications.models import Message, MessageState


@require_safe
@never_cache
@client_address.require_monitor
def show_metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics. Always ten queries."""
    registry = CollectorRegistry()
    registry.register(DatabaseCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class DatabaseCollector(Collector):
    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield _build_state_gauge("drives_messages", "Messages by state.", MessageState.values, _count_by_state(Message))
        yield _build_state_gauge("drives_bookings", "Bookings by state.", BookingState.values, _count_by_state(Booking))
        yield GaugeMetricFamily(
            "drives_outbox_lag_seconds",
            "How late the oldest due message is.",
            value=messages.compute_outbox_lag(now).total_seconds(),
        )
        yield GaugeMetricFamily(
            "drives_failing_providers",
            "Senders and mail servers that are left alone because they fail; anything but 0 is a fault.",
            value=len(messages.list_open_breakers()),
        )
        deferred = GaugeMetricFamily("drives_messages_deferred", "Messages that wait, by why.", labels=["reason"])
        for reason, count in messages.count_deferred_messages().items():
            deferred.add_metric([reason], count)
        yield deferred
        yield GaugeMetricFamily(
            "drives_drifted_slots",
            "Slots whose counters disagree with their bookings; anything but 0 is a fault.",
            value=drift.count_drifted_slots(),
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


def _count_by_state(model: type[Message] | type[Booking]) -> dict[str, int]:
    return dict(model._default_manager.values_list("state").annotate(Count("pk")).order_by())


def _build_state_gauge(name: str, meaning: str, states: list[str], counts: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=["state"])
    for state in states:
        family.add_metric([state], counts.get(state, 0))
    return family
