"""/readyz, the log and a metric report messages that are not sent.

Each report in /readyz and the log names the start time and the remedy.
"""

from datetime import timedelta

import pytest
from django.core.mail import send_mail
from django.test import Client
from django.utils import timezone

from notifications import alerts, refusals, senders, stuck_messages, tasks
from notifications.mail import OutboxBackend
from notifications.models import Message, Sender
from tests import builders
from tests.notifications import made
from tests.notifications.made import NOON

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def find_codes() -> list[str]:
    return [one.code for one in stuck_messages.find_blockages(NOON)]


def count_due() -> dict[str, int]:
    return {one.state: one.count for one in stuck_messages.list_overdue_messages(NOON) if one.count}


def test_all_is_well() -> None:
    made.queued(builders.organization(), due_at=NOON - 5 * MINUTE + timedelta(seconds=1))
    senders.ensure_default_sender()
    assert find_codes() == []


@pytest.mark.expects_errors
def test_a_stopped_sender_is_named_with_its_time_and_remedy(caplog: pytest.LogCaptureFixture) -> None:
    organization = builders.organization()
    sender = builders.sender(organization)
    senders.stop_sender(sender_id=sender.pk, reason="20003 credentials_refused", now=NOON)
    message = made.queued(organization)
    Message.objects.filter(pk=message.pk).update(state="blocked", reason="sender_stopped", settled_at=NOON)
    found = Client().get("/readyz").json()["checks"]["messages"]
    assert "have not been sent since 2027-03-10 20:00 UTC: 20003 credentials_refused" in found
    assert "`manage.py set_sender NUMBER --resume`" in found
    assert count_due() == {"blocked": 1}
    alerts.log_delivery_problems(problems=[], blockages=stuck_messages.find_blockages(NOON), now=NOON)
    assert "set_sender NUMBER --resume" in caplog.text


def test_without_a_sender_the_missing_setting_is_named() -> None:
    builders.organization()
    Sender.objects.all().delete()
    assert find_codes() == ["no_sender"]


@pytest.mark.parametrize(("refused", "codes"), [(4, []), (5, ["refused"])])
def test_mails_that_are_refused_in_a_row_are_named(
    refused: int, codes: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for n in range(refused):
        refusals.count_refusals(calls=[("email", "550 refused")], now=NOON + n * MINUTE)
    assert caplog.text.count("email rejected a message: 550 refused") == refused
    assert [one.code for one in stuck_messages.find_blockages(NOON)] == codes
    assert [one.since for one in stuck_messages.find_blockages(NOON)] == [NOON] * len(codes)
    assert f'drives_refusals_in_a_row{{subject="email"}} {refused}.0' in Client().get("/metrics").content.decode()
    refusals.count_refusals(calls=[("email", "550 refused"), ("email", "")], now=NOON)
    assert find_codes() == []


def test_an_unclear_answer_neither_counts_nor_ends_the_row() -> None:
    calls: list[tuple[str, str | None]] = [("email", "550 refused")] * 5
    refusals.count_refusals(calls=[*calls, ("email", None)], now=NOON)
    assert find_codes() == ["refused"]


def test_a_mail_of_no_organization_is_counted() -> None:
    send_mail("Reset", "A link", None, ["ben@example.org"], connection=OutboxBackend())
    Message.objects.update(due_at=NOON - 5 * MINUTE, expires_at=NOON + MINUTE)
    assert count_due() == {"queued": 1}
    assert find_codes() == ["overdue"]


@pytest.mark.parametrize("state", ["scheduled", "queued", "claimed", "sending", "in_doubt"])
@pytest.mark.parametrize(("seconds", "codes"), [(299, []), (300, ["overdue"])])
def test_a_due_message_is_counted_in_each_state_that_can_hold_it(state: str, seconds: int, codes: list[str]) -> None:
    message = made.queued(builders.organization(), due_at=NOON - timedelta(seconds=seconds))
    senders.ensure_default_sender()
    Message.objects.filter(pk=message.pk).update(state=state, lease_until=NOON, check_at=NOON)
    assert count_due() == {state: 1}
    assert find_codes() == codes


@pytest.mark.parametrize("state", ["delivered", "withdrawn", "expired", "failed"])
def test_a_settled_message_is_not_counted(state: str) -> None:
    made.queued(builders.organization(), due_at=NOON - timedelta(hours=1))
    Message.objects.update(state=state, settled_at=NOON)
    assert count_due() == {}


def test_the_worker_logs_what_does_not_leave(caplog: pytest.LogCaptureFixture) -> None:
    made.queued(
        builders.organization(), due_at=timezone.now() - 6 * MINUTE, expires_at=timezone.now() + timedelta(hours=1)
    )
    tasks.watch_delivery()
    assert "1 messages have been due and queued since" in caplog.text


def test_it_takes_six_queries(django_assert_num_queries: object) -> None:
    builders.organization()
    with django_assert_num_queries(6):  # type: ignore[operator]
        stuck_messages.find_blockages(NOON)
