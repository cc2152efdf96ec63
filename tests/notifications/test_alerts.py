"""The service lists, logs and counts problems with delivery."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client
from django.utils import timezone

from notifications import alerts, senders
from notifications import queries as notifications_queries
from notifications.models import Message, Sender
from notifications.queries import DeliveryProblem
from organizations.models import Organization
from tests import builders, query_counts
from tests.notifications import made
from tests.notifications.made import NOON

pytestmark = pytest.mark.django_db


def codes(organization: Organization) -> list[tuple[str, int]]:
    return [(one.code, one.figure) for one in notifications_queries.list_delivery_problems(NOON, organization)]


def fates(organization: Organization, *states: str) -> None:
    """Create a text for each of these states. They were sent one minute apart, the last one a minute before NOON."""
    for position, state in enumerate(states):
        message = made.queued(organization)
        Message.objects.filter(pk=message.pk).update(
            state=state, sending_at=NOON - timedelta(minutes=len(states) - position)
        )


def test_all_is_well_while_messages_leave_and_arrive() -> None:
    organization = builders.organization()
    made.queued(organization, due_at=NOON - timedelta(seconds=119))
    made.queued(organization, due_at=NOON + timedelta(hours=1))
    fates(organization, *["delivered"] * 40, *["undelivered"] * 10)
    assert codes(organization) == []


def test_messages_that_should_have_left_two_minutes_ago_are_late() -> None:
    organization, other = builders.organization(), builders.organization()
    for _ in range(3):
        made.queued(organization, due_at=NOON - timedelta(minutes=2))
    assert (codes(organization), codes(other)) == ([("late", 3)], [])


def test_a_message_that_is_tried_again_and_again_is_late_whatever_its_time_is_now() -> None:
    organization = builders.organization()
    message = made.queued(organization, due_at=NOON + timedelta(minutes=20))
    Message.objects.filter(pk=message.pk).update(attempts=4)
    assert codes(organization) == [("late", 1)]


def test_a_stopped_sender_is_a_problem_for_organizations_without_another() -> None:
    organization, lucky = builders.organization(), builders.organization()
    builders.sender(lucky)
    for one in (organization, lucky):
        sender = one.senders.order_by("pk")[0]
        Sender.objects.filter(pk=sender.pk).update(stopped_at=NOON, stopped_reason="20003 credentials_refused")
    assert (codes(organization), codes(lucky)) == ([("sender_stopped", 0)], [])


def test_without_any_sender_nothing_can_leave() -> None:
    organization = builders.organization()
    Sender.objects.all().delete()
    assert codes(organization) == [("no_sender", 0)]
    senders.ensure_default_sender()
    assert codes(organization) == []


def test_more_than_a_fifth_of_the_last_fifty_that_did_not_arrive_is_trouble() -> None:
    organization = builders.organization()
    fates(organization, *["undelivered"] * 30, *["delivered"] * 39, *["failed"] * 11)
    assert codes(organization) == [("undelivered", 22)]


def test_a_refused_region_counts_as_undelivered_and_an_opt_out_does_not() -> None:
    organization, other = builders.organization(), builders.organization()
    for one, reason, code in ((organization, "trial_account", "21608"), (other, "opted_out", "21610")):
        fates(one, *["blocked"] * 20)
        Message.objects.of(one).update(reason=reason, error_code=code)
    assert (codes(organization), codes(other)) == ([("undelivered", 100)], [])


def test_few_or_old_texts_say_nothing() -> None:
    organization = builders.organization()
    fates(organization, *["undelivered"] * 19)
    assert codes(organization) == []
    fates(organization, "undelivered")
    assert codes(organization) == [("undelivered", 100)]
    Message.objects.update(sending_at=NOON - timedelta(days=2))
    assert codes(organization) == []


def test_all_organizations_are_looked_at_in_three_queries() -> None:
    def late(organizations: int) -> Callable[[], object]:
        while len(notifications_queries.list_delivery_problems(NOON)) < organizations:
            made.queued(builders.organization(), due_at=NOON - timedelta(minutes=5))
        return partial(notifications_queries.list_delivery_problems, NOON)

    assert query_counts.count_for_each(late) == 3


def test_the_alert_is_logged_once_a_minute_without_personal_data(caplog: pytest.LogCaptureFixture) -> None:
    organization = builders.organization()
    found = [DeliveryProblem("late", organization.pk, 7), DeliveryProblem("late", organization.pk + 1, 3)]
    for seconds in (0, 5, 60):
        with caplog.at_level(logging.WARNING):
            assert alerts.log_delivery_problems(problems=found, now=NOON + timedelta(seconds=seconds)) == {"late": 2}
    lines = [record for record in caplog.records if record.name == "notifications.alerts"]
    assert [(record.levelname, record.getMessage()) for record in lines] == [("WARNING", "message alert: late")] * 2
    assert lines[0].__dict__["fields"] == {"organizations": f"{organization.pk},{organization.pk + 1}", "figure": 7}


@pytest.mark.expects_errors
def test_a_stopped_sender_is_an_error(caplog: pytest.LogCaptureFixture) -> None:
    alerts.log_delivery_problems(problems=[DeliveryProblem("sender_stopped", 1)], now=NOON)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_without_trouble_the_log_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    assert alerts.log_delivery_problems(problems=[], now=NOON) == {}
    assert caplog.records == []


def test_the_metric_counts_organizations_by_trouble(client: Client) -> None:
    present = timezone.now()
    made.queued(builders.organization(), due_at=present - timedelta(minutes=5), expires_at=present + timedelta(hours=1))
    lines = client.get("/metrics").content.decode()
    assert 'drives_message_alerts{code="late"} 1.0' in lines
    assert 'drives_message_alerts{code="sender_stopped"} 0.0' in lines


@pytest.mark.parametrize(("seconds", "is_late"), [(119, False), (120, True)])
def test_a_message_is_late_from_two_minutes_on(seconds: int, is_late: bool) -> None:
    organization = builders.organization()
    made.queued(organization, due_at=NOON - timedelta(seconds=seconds))
    assert codes(organization) == ([("late", 1)] if is_late else [])


@pytest.mark.parametrize(("attempts", "is_late"), [(3, False), (4, True)])
def test_a_message_is_late_from_the_fourth_try_on(attempts: int, is_late: bool) -> None:
    organization = builders.organization()
    message = made.queued(organization, due_at=NOON + timedelta(minutes=20))
    Message.objects.filter(pk=message.pk).update(attempts=attempts)
    assert codes(organization) == ([("late", 1)] if is_late else [])


@pytest.mark.parametrize(
    ("texts", "lost", "found"), [(19, 19, []), (20, 4, []), (20, 5, [25]), (50, 10, []), (50, 11, [22])]
)
def test_more_than_a_fifth_of_at_least_twenty_texts_is_trouble(texts: int, lost: int, found: list[int]) -> None:
    organization = builders.organization()
    fates(organization, *["undelivered"] * lost, *["delivered"] * (texts - lost))
    assert codes(organization) == [("undelivered", percent) for percent in found]


@pytest.mark.parametrize(("ago", "count"), [(timedelta(hours=24), 0), (timedelta(hours=24, seconds=-1), 1)])
def test_texts_of_the_last_24_hours_say_how_it_is(ago: timedelta, count: int) -> None:
    organization = builders.organization()
    fates(organization, *["undelivered"] * 20)
    Message.objects.update(sending_at=NOON - ago)
    assert len(codes(organization)) == count


def test_the_alert_is_logged_again_after_fifty_seconds(caplog: pytest.LogCaptureFixture) -> None:
    for seconds, lines in ((0, 1), (49, 1), (50, 2)):
        with caplog.at_level(logging.WARNING):
            alerts.log_delivery_problems(
                problems=[DeliveryProblem("late", 1, 1)], now=NOON + timedelta(seconds=seconds)
            )
        assert len([record for record in caplog.records if record.name == "notifications.alerts"]) == lines


@pytest.mark.parametrize("number", [0, 2])
def test_parked_rows_are_logged_each_minute(caplog: pytest.LogCaptureFixture, number: int) -> None:
    parked = {"close_out": number} if number else {}
    for seconds in (0, 60):
        alerts.log_delivery_problems(problems=[], parked=parked, now=NOON + timedelta(seconds=seconds))
    assert caplog.messages == ["sweep alert: close_out"] * (2 if number else 0)
