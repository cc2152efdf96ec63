import pytest
from django.core.management import CommandError, call_command

from notifications import senders
from notifications.models import Sender
from tests import builders
from tests.notifications import made
from tests.notifications.made import NOON

pytestmark = pytest.mark.django_db


def test_the_limits_of_a_sender_are_set_by_command() -> None:
    builders.organization()
    sender = Sender.objects.get()
    call_command("set_sender", sender.number, per_minute=600, per_day=0)
    changed = Sender.objects.get()
    assert (changed.per_minute, changed.per_day, changed.number) == (600, 0, sender.number)
    for wrong in ({"sender": "+12025550199"}, {"sender": sender.number, "per_day": -1}):
        with pytest.raises(CommandError):
            call_command("set_sender", **wrong)


@pytest.mark.expects_errors
def test_a_stopped_sender_is_resumed_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    message = made.queued(builders.organization())
    sender = Sender.objects.get()
    senders.stop_sender(sender_id=sender.pk, reason="20003", now=NOON)
    call_command("set_sender")
    assert "stopped: 20003" in capsys.readouterr().out
    call_command("set_sender", sender.number, resume=True)
    made.deliver()
    message.refresh_from_db()
    assert message.state == "delivered"
