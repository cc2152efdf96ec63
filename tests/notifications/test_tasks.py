from datetime import timedelta

import pytest
from django.utils import timezone

from config import celery
from notifications import queries as notifications_queries
from notifications import tasks
from notifications.models import Heartbeat
from tests import builders
from tests.notifications import made

pytestmark = pytest.mark.django_db


def test_the_sweep_reports_its_counts_and_ignores_arguments_of_later_versions() -> None:
    now = timezone.now()
    made.queued(builders.organization(), due_at=now, expires_at=now + timedelta(hours=1))
    assert tasks.deliver_due(later=True) == {"delivered": 1}
    assert tasks.reconcile_outbox(later=True) == {}


def test_a_delivery_records_its_heartbeat() -> None:
    assert notifications_queries.find_last_delivery_at() is None
    tasks.deliver_due()
    assert notifications_queries.find_last_delivery_at() == Heartbeat.objects.get().seen_at


def test_the_beat_table_names_our_sweeps() -> None:
    ours = {name for name in celery.app.conf.beat_schedule if name.startswith("notifications.")}
    assert ours == {
        task.name
        for task in (
            *(tasks.deliver_codes, tasks.deliver_due, tasks.reconcile_outbox),
            *(tasks.watch_delivery, tasks.settle_opt_outs),
        )
    }
