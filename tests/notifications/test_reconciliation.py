from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings

from notifications import claim, delivery, outbox, providers, reconciliation, reports, results
from notifications.error_codes import ErrorKind
from notifications.models import Message
from notifications.providers.base import ProviderError
from tests import builders
from tests.notifications import made
from tests.notifications.made import ANA
from tests.standins.smtp import MailSink
from tests.standins.twilio import TwilioStandIn

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC)  # the stand-in dates messages by the real clock


@pytest.fixture
def twilio() -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as standin, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=standin.url):
        yield standin


def queued(text: str = "See you tomorrow") -> Message:
    return made.queued(builders.organization(), text, due_at=NOW, expires_at=NOW + timedelta(days=1))


def what_became(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.state, message.reason


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_worker_that_died_after_the_claim_left_nothing_behind(twilio: TwilioStandIn) -> None:
    message = queued()
    claim.claim_messages(channel="sms", limit=1, now=NOW)
    assert reconciliation.reconcile_messages(now=later(29)) == {}
    assert reconciliation.reconcile_messages(now=later(30)) == {"released": 1}
    assert made.deliver(later(31)) == {"accepted": 1}
    assert what_became(message) == ("accepted", "")
    assert len(twilio.accepted) == 1


def test_a_message_of_a_worker_that_died_before_the_call_is_sent_again_after_the_look_up(twilio: TwilioStandIn) -> None:
    message = queued()
    claim.admit_messages(claimed=claim.claim_messages(channel="sms", limit=1, now=NOW), now=NOW)
    assert reconciliation.reconcile_messages(now=later(31)) == {"in_doubt": 1, "settling": 1}
    assert reconciliation.reconcile_messages(now=later(61)) == {"sent_again": 1}
    made.deliver(later(62))
    assert what_became(message) == ("accepted", "")
    assert len(twilio.accepted) == 1


def test_a_message_is_not_repeated_if_the_worker_died_after_the_provider_accepted_it(twilio: TwilioStandIn) -> None:
    message = queued()
    [passed] = claim.admit_messages(claimed=claim.claim_messages(channel="sms", limit=1, now=NOW), now=NOW)
    providers.get_provider("sms").send(passed.build_outgoing_message(NOW))
    assert reconciliation.reconcile_messages(now=later(31)) == {"in_doubt": 1, "adopted": 1}
    assert made.deliver(later(120)) == {}
    assert what_became(message) == ("accepted", "")
    assert message.provider_id == twilio.accepted[0].sid
    assert len(twilio.accepted) == 1


@pytest.mark.parametrize("fault", ["accepted-500", "accepted-reset", "accepted-not-json"])
def test_a_message_that_was_accepted_without_a_clear_answer_is_adopted(twilio: TwilioStandIn, fault: str) -> None:
    twilio.plan([fault])
    message = queued()
    made.deliver(NOW)
    assert reconciliation.reconcile_messages(now=later(1)) == {"adopted": 1}
    assert what_became(message) == ("accepted", "")


def test_a_later_status_at_the_provider_is_adopted(twilio: TwilioStandIn) -> None:
    twilio.plan(["accepted-reset"])
    message = queued()
    made.deliver(NOW)
    twilio.set_status(twilio.accepted[0].sid, "delivered")
    reconciliation.reconcile_messages(now=later(1))
    assert what_became(message) == ("delivered", "")


def test_two_in_doubt_with_the_same_text_adopt_one_each(twilio: TwilioStandIn) -> None:
    twilio.plan(["accepted-reset", "accepted-reset"])
    first, second = queued(), queued()
    made.deliver(NOW)
    assert reconciliation.reconcile_messages(now=later(1)) == {"adopted": 2}
    first.refresh_from_db()
    second.refresh_from_db()
    assert {first.provider_id, second.provider_id} == {kept.sid for kept in twilio.accepted}


def test_the_same_text_that_is_known_already_is_not_taken_for_it(twilio: TwilioStandIn) -> None:
    queued()
    made.deliver(NOW)
    twilio.plan(["reset"])
    message = queued()
    made.deliver(NOW)
    assert reconciliation.reconcile_messages(now=later(1)) == {"settling": 1}
    assert what_became(message)[0] == "in_doubt"


def test_an_earlier_try_that_was_reported_is_not_taken_for_the_next(twilio: TwilioStandIn) -> None:
    message = queued()
    made.deliver(NOW)
    reports.record_report(provider_id=twilio.accepted[0].sid, status="undelivered", error_code="30003", now=NOW)
    twilio.plan(["reset"])
    made.deliver(later(900))
    assert reconciliation.reconcile_messages(now=later(901)) == {"settling": 1}
    assert what_became(message)[0] == "in_doubt"


def test_the_answer_to_an_earlier_try_changes_nothing_of_the_next(twilio: TwilioStandIn) -> None:
    message = queued()
    [first] = claim.admit_messages(claimed=claim.claim_messages(channel="sms", limit=1, now=NOW), now=NOW)
    assert reconciliation.reconcile_messages(now=later(31)) == {"in_doubt": 1, "settling": 1}
    assert reconciliation.reconcile_messages(now=later(61)) == {"sent_again": 1}
    [_second] = claim.admit_messages(claimed=claim.claim_messages(channel="sms", limit=1, now=later(62)), now=later(62))
    refused = results.CallResult(first, error=ProviderError(ErrorKind.PERMANENT, "number_invalid", "21211"))
    results.record_results(call_results=[refused], now=later(63), chance=lambda: 0.0)
    assert what_became(message) == ("sending", "")


def test_another_text_to_the_same_number_is_not_taken_for_it(twilio: TwilioStandIn) -> None:
    queued("Your code is 1")
    made.deliver(NOW)
    twilio.plan(["reset"])
    message = queued("Your code is 2")
    made.deliver(NOW)
    assert reconciliation.reconcile_messages(now=later(1)) == {"settling": 1}
    assert what_became(message)[0] == "in_doubt"


@pytest.mark.expects_errors
def test_after_five_more_tries_a_person_decides(twilio: TwilioStandIn) -> None:
    twilio.plan(["reset"] * 9)
    message = queued()
    for minutes in range(0, 24, 3):
        made.deliver(later(60 * minutes))
        reconciliation.reconcile_messages(now=later(60 * minutes + 70))
    assert what_became(message) == ("failed", "needs_person")
    assert twilio.calls == 6


@pytest.mark.expects_errors
def test_without_a_look_up_it_is_sent_again_at_most_twice(twilio: TwilioStandIn) -> None:
    twilio.plan(["accepted-reset"] * 9)
    twilio.deaf = True
    message = queued()
    for minutes in range(0, 60, 3):
        made.deliver(later(60 * minutes))
        reconciliation.reconcile_messages(now=later(60 * minutes + 70))
    assert what_became(message) == ("failed", "needs_person")
    assert len(twilio.accepted) == 3


def test_a_message_that_expires_before_a_look_up_has_an_unknown_result(twilio: TwilioStandIn) -> None:
    twilio.plan(["reset"])
    twilio.deaf = True
    message = queued()
    made.deliver(NOW)
    Message.objects.update(expires_at=later(60))
    assert reconciliation.reconcile_messages(now=later(61)) == {"ended": 1}
    assert what_became(message) == ("failed", "unknown_fate")


def test_an_answer_that_comes_after_the_lease_still_counts(twilio: TwilioStandIn) -> None:
    message = queued()
    [passed] = claim.admit_messages(claimed=claim.claim_messages(channel="sms", limit=1, now=NOW), now=NOW)
    outcome = delivery.call_provider(providers.get_provider("sms"), passed, passed.build_outgoing_message(NOW))
    twilio.deaf = True
    assert reconciliation.reconcile_messages(now=later(31)) == {"in_doubt": 1, "not_answered": 1}
    results.record_results(call_results=[outcome], now=later(32), chance=lambda: 0.0)
    assert what_became(message) == ("accepted", "")


@pytest.mark.expects_errors
@pytest.mark.django_db(transaction=True)
def test_a_row_with_an_unexpected_error_is_parked_and_the_rest_is_reconciled(twilio: TwilioStandIn) -> None:
    twilio.plan(["accepted-reset", "accepted-reset"])
    poison, fine = queued("Poison"), queued("Fine")
    made.deliver(NOW)
    twilio.poison("Poison")
    assert reconciliation.reconcile_messages(now=later(1)) == {"left_to_a_person": 1, "adopted": 1}
    assert [what_became(poison), what_became(fine)] == [("failed", "needs_person"), ("accepted", "")]


def test_codes_are_blanked_once_they_have_served_or_expired(twilio: TwilioStandIn) -> None:
    organization = builders.organization()
    twilio.plan(["ok", "accepted-reset"])
    for address in (ANA, "+12135550143"):
        made.queued(
            organization, "123456 is your code", kind="code", address=address, due_at=NOW, expires_at=later(600)
        )
    made.queued(organization, "See you", due_at=NOW, expires_at=later(600), address="+12135550144")
    made.deliver(NOW)
    reconciliation.reconcile_messages(now=later(599))
    assert Message.objects.filter(text__contains="123456").count() == 2
    reconciliation.reconcile_messages(now=later(600))
    assert list(Message.objects.order_by("pk").values_list("text", flat=True)) == ["-", "-", "See you"]


def test_an_expired_message_is_not_sent_again(twilio: TwilioStandIn) -> None:
    twilio.plan(["reset"])
    message = queued()
    made.deliver(NOW)
    Message.objects.update(expires_at=later(60))
    assert reconciliation.reconcile_messages(now=later(61)) == {"ended": 1}
    assert what_became(message) == ("expired", "unknown_fate")


def test_while_the_provider_does_not_answer_nothing_is_sent_again() -> None:
    message = queued()
    with override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL="http://127.0.0.1:9"):
        claim.admit_messages(claimed=claim.claim_messages(channel="sms", limit=1, now=NOW), now=NOW)
        assert reconciliation.reconcile_messages(now=later(300)) == {"in_doubt": 1, "not_answered": 1}
    assert what_became(message)[0] == "in_doubt"


def test_mail_in_doubt_is_sent_once_more_under_the_same_message_id() -> None:
    with MailSink() as sink, override_settings(EMAIL_URL=sink.url):
        mail = {"channel": "email", "address": "ana@example.org", "subject": "See you"}
        message = made.queued(builders.organization(), due_at=NOW, expires_at=later(86400), **mail)
        sink.answers["."] = "drop"
        assert made.deliver(NOW) == {"in_doubt": 1}
        sink.answers.clear()
        assert reconciliation.reconcile_messages(now=later(61)) == {"sent_again": 1}
        assert made.deliver(later(62)) == {"sent": 1}
        assert len({kept.parsed["Message-ID"] for kept in sink.mails}) == 1
    assert what_became(message) == ("sent", "")


def test_missing_reports_are_polled_at_growing_intervals_for_a_day(twilio: TwilioStandIn) -> None:
    message = queued()
    made.deliver(NOW)
    assert reconciliation.reconcile_messages(now=later(14 * 60)) == {}
    asked = [
        hours
        for hours in range(48)
        if reconciliation.reconcile_messages(now=later(15 * 60 + 3600 * hours)).get("polled")
    ]
    assert asked == [0, 1, 3, 7, 15, 31]
    assert what_became(message)[0] == "accepted"


def test_the_answer_moves_the_message_forward(twilio: TwilioStandIn) -> None:
    message = queued()
    made.deliver(NOW)
    twilio.set_status(twilio.accepted[0].sid, "delivered")
    assert reconciliation.reconcile_messages(now=later(15 * 60)) == {"polled": 1}
    assert what_became(message) == ("delivered", "")
    assert message.check_at is None


def test_a_scheduled_message_that_is_not_rendered_in_time_expires() -> None:
    envelope = made.envelope(due_at=NOW, expires_at=later(60))
    outbox.schedule_messages(organization=builders.organization(), envelopes=[envelope], now=NOW)
    assert reconciliation.reconcile_messages(now=later(60)) == {"expired": 1}
    assert Message.objects.get(address=ANA).reason == "not_worded"


def test_a_lease_ends_after_thirty_seconds_and_is_of_no_clock_beyond_a_minute(twilio: TwilioStandIn) -> None:
    queued()
    claim.claim_messages(channel="sms", limit=1, now=NOW)
    assert Message.objects.get().lease_until == later(30)
    assert reconciliation.reconcile_messages(now=later(-30)) == {}
    assert reconciliation.reconcile_messages(now=later(-30.001)) == {"released": 1}


def test_a_message_in_doubt_is_settled_after_a_minute(twilio: TwilioStandIn) -> None:
    twilio.plan(["reset"])
    message = queued()
    made.deliver(NOW)
    assert reconciliation.reconcile_messages(now=later(59)) == {"settling": 1}
    message.refresh_from_db()
    assert message.check_at == later(60)
    assert reconciliation.reconcile_messages(now=later(60)) == {"sent_again": 1}


def test_a_provider_that_does_not_answer_is_asked_again_after_half_a_minute_for_ten_minutes(
    twilio: TwilioStandIn,
) -> None:
    twilio.plan(["reset"])
    twilio.deaf = True
    message = queued()
    made.deliver(NOW)
    assert reconciliation.reconcile_messages(now=later(599)) == {"not_answered": 1}
    message.refresh_from_db()
    assert message.check_at == later(629)
    Message.objects.update(check_at=NOW)
    assert reconciliation.reconcile_messages(now=later(600)) == {"sent_again": 1}


@pytest.mark.parametrize(("days", "outcome"), [(3, "adopted"), (3.01, "settling")])
def test_a_provider_is_asked_of_what_it_took_up_to_three_days_before(
    twilio: TwilioStandIn, days: float, outcome: str
) -> None:
    twilio.plan(["accepted-reset"])
    queued()
    made.deliver(NOW)
    twilio.accepted[0].created_at = NOW.replace(microsecond=0) - timedelta(days=days)
    Message.objects.update(sending_at=NOW.replace(microsecond=0))
    assert reconciliation.reconcile_messages(now=later(1)) == {outcome: 1}


@pytest.mark.parametrize(
    ("asks", "resends", "outcome"),
    [
        (True, 4, "sent_again"),
        (True, 5, "left_to_a_person"),
        (False, 1, "sent_again"),
        (False, 2, "left_to_a_person"),
    ],
)
@pytest.mark.expects_errors
def test_it_is_sent_again_five_times_where_the_provider_can_be_asked_and_else_twice(
    twilio: TwilioStandIn, asks: bool, resends: int, outcome: str
) -> None:
    twilio.plan(["reset"])
    twilio.deaf = not asks
    queued()
    made.deliver(NOW)
    Message.objects.update(resends=resends)
    assert reconciliation.reconcile_messages(now=later(601)) == {outcome: 1}


@pytest.mark.parametrize(("hours", "asks_again"), [(23.999, True), (24, False)])
def test_missing_reports_are_polled_for_a_day(twilio: TwilioStandIn, hours: float, asks_again: bool) -> None:
    message = queued()
    made.deliver(NOW)
    Message.objects.update(expires_at=later(4 * 86400))
    assert reconciliation.reconcile_messages(now=later(3600 * hours)) == {"polled": 1}
    message.refresh_from_db()
    assert (message.check_at is not None) is asks_again


def test_a_message_is_first_asked_about_after_a_quarter_of_an_hour(twilio: TwilioStandIn) -> None:
    message = queued()
    made.deliver(NOW)
    message.refresh_from_db()
    assert message.check_at == later(15 * 60)
