import itertools
from datetime import timedelta

import pytest

from notifications import claim, reports
from notifications.models import Message, Report
from tests import builders
from tests.notifications import made
from tests.notifications.made import ANA, NOON

pytestmark = pytest.mark.django_db


def accepted(provider_id: str = "SM1") -> Message:
    message = made.queued(builders.organization())
    Message.objects.filter(pk=message.pk).update(
        state="accepted", provider_id=provider_id, attempt_token=f"token-of-{provider_id}", attempts=1, sent_at=NOON
    )
    message.refresh_from_db()
    return message


def report(status: str, provider_id: str = "SM1", error_code: str = "", token: str = "") -> Report:
    return reports.record_report(provider_id=provider_id, status=status, error_code=error_code, token=token, now=NOON)


def test_every_order_of_reports_ends_with_the_highest() -> None:
    statuses = ["queued", "sent", "undelivered", "delivered"]
    for number, order in enumerate(itertools.permutations(statuses)):
        message = accepted(f"SM{number}")
        for status in order:
            report(status, f"SM{number}")
        message.refresh_from_db()
        assert (message.state, message.settled_at) == ("delivered", NOON)


def test_doubled_reports_are_kept_and_change_nothing() -> None:
    message = accepted()
    for _ in range(3):
        report("sent")
    message.refresh_from_db()
    assert message.state == "sent"
    assert message.reports.count() == 3


def test_a_report_before_our_own_record_gives_the_providers_number_by_the_token() -> None:
    message = made.queued(builders.organization())
    claimed = claim.claim_messages(channel="sms", limit=1, now=NOON)
    [passed] = claim.admit_messages(claimed=claimed, now=NOON)
    report("sent", "SM9", token=passed.token)
    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("sent", "SM9")


def test_an_unknown_report_is_kept_and_adopted_when_its_message_is_known() -> None:
    early = report("delivered")
    assert early.message is None
    assert reports.adopt_orphan_reports(now=NOON) == 0
    message = accepted()
    assert reports.adopt_orphan_reports(now=NOON) == 1
    assert reports.adopt_orphan_reports(now=NOON) == 0
    message.refresh_from_db()
    assert (message.state, message.reports.count()) == ("delivered", 1)


@pytest.mark.parametrize(("delay", "attempts"), [(timedelta(minutes=15), 1), (timedelta(hours=2), 2)])
def test_an_unreachable_phone_is_tried_twice_more(delay: timedelta, attempts: int) -> None:
    message = accepted()
    Message.objects.update(attempts=attempts)
    report("undelivered", error_code="30003")
    message.refresh_from_db()
    assert (message.state, message.due_at, message.reason) == ("queued", NOON + delay, "unreachable")


def test_after_the_last_resend_a_text_stays_undelivered() -> None:
    message = accepted()
    Message.objects.update(attempts=3)
    report("undelivered", error_code="30003")
    message.refresh_from_db()
    assert (message.state, message.reason, message.error_code) == ("undelivered", "unreachable", "30003")


def test_a_message_is_not_retried_after_it_has_expired() -> None:
    message = accepted()
    Message.objects.update(expires_at=NOON + timedelta(minutes=15))
    report("undelivered", error_code="30003")
    message.refresh_from_db()
    assert message.state == "undelivered"


def test_delivered_after_all_ends_a_waiting_retry() -> None:
    message = accepted()
    report("undelivered", error_code="30003")
    report("delivered")
    message.refresh_from_db()
    assert message.state == "delivered"


def test_expired_at_the_provider_is_expired() -> None:
    message = accepted()
    report("failed", error_code="30036")
    message.refresh_from_db()
    assert (message.state, message.reason) == ("expired", "expired")


def test_an_opt_out_in_a_report_withdraws_what_waits() -> None:
    organization = builders.organization()
    waiting = made.queued(organization, due_at=NOON + timedelta(hours=1))
    message = made.queued(organization)
    Message.objects.filter(pk=message.pk).update(
        state="accepted", provider_id="SM1", sender=organization.senders.first()
    )
    report("failed", error_code="21610")
    waiting.refresh_from_db()
    assert (waiting.state, waiting.address) == ("withdrawn", ANA)


@pytest.mark.parametrize("state", ["withdrawn", "expired", "blocked"])
def test_a_final_state_never_changes(state: str) -> None:
    message = accepted()
    Message.objects.update(state=state)
    report("delivered")
    message.refresh_from_db()
    assert message.state == state


def test_words_that_we_do_not_know_are_kept_and_change_nothing() -> None:
    message = accepted()
    report("teleported")
    message.refresh_from_db()
    assert (message.state, message.reports.count()) == ("accepted", 1)


@pytest.mark.parametrize(("later", "adopted"), [(timedelta(days=3), 0), (timedelta(days=3, seconds=-1), 1)])
def test_a_report_of_an_unknown_message_is_adopted_within_three_days(later: timedelta, adopted: int) -> None:
    report("delivered")
    accepted()
    assert reports.adopt_orphan_reports(now=NOON + later) == adopted


@pytest.mark.parametrize(("seconds", "state"), [(15 * 60, "undelivered"), (15 * 60 + 1, "queued")])
def test_a_text_is_sent_again_after_a_quarter_of_an_hour_if_it_is_still_of_use(seconds: int, state: str) -> None:
    message = accepted()
    Message.objects.update(expires_at=NOON + timedelta(seconds=seconds))
    report("undelivered", error_code="30003")
    message.refresh_from_db()
    assert message.state == state
