import pytest
from django.test import Client
from django.utils import timezone

from notifications import breakers
from notifications.models import Message
from tests import builders
from tests.notifications import made

pytestmark = pytest.mark.django_db


def test_readiness_names_the_failing_provider() -> None:
    breakers.count_failures(calls=[("sender:7", True)] * 10, now=timezone.now())
    checks = Client().get("/readyz").json()["checks"]
    assert checks["messages"].startswith("sender:7 has failed since ")


def test_metrics_count_paused_senders_and_deferred_messages() -> None:
    breakers.count_failures(calls=[("email", True)] * 10, now=timezone.now())
    made.queued(builders.organization())
    Message.objects.update(reason="budget")
    told = Client().get("/metrics").content.decode()
    assert "drives_failing_providers 1.0" in told
    assert 'drives_messages_deferred{reason="budget"} 1.0' in told
    assert 'drives_messages_deferred{reason="pace"} 0.0' in told
