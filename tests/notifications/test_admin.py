import pytest
from django.test import Client

from notifications import senders
from notifications.models import Sender
from organizations.models import User
from tests import builders
from tests.notifications import made
from tests.notifications.made import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator@example.org", builders.PASSWORD))
    return client


def test_the_limits_of_a_sender_are_set_in_the_admin_and_nothing_else_of_it(operator: Client) -> None:
    builders.organization()
    sender = Sender.objects.get()
    typed = {"per_minute": "600", "per_day": "0", "number": "+12025550177", "name": "Other"}
    assert operator.post(f"/admin/notifications/sender/{sender.pk}/change/", typed).status_code == 302
    changed = Sender.objects.get()
    assert (changed.per_minute, changed.per_day, changed.number) == (600, 0, sender.number)


@pytest.mark.expects_errors
def test_a_stopped_sender_is_resumed_in_the_admin(operator: Client) -> None:
    message = made.queued(builders.organization())
    sender = Sender.objects.get()
    senders.stop_sender(sender_id=sender.pk, reason="20003", now=NOON)
    asked = {"action": "resume", "_selected_action": [sender.pk]}
    assert operator.post("/admin/notifications/sender/", asked).status_code == 302
    made.deliver()
    message.refresh_from_db()
    assert message.state == "delivered"
