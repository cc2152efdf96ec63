"""The service sets aside rows and responses that it cannot process, with a reason, and processes all others."""

from datetime import timedelta

import pytest
from django.db import DataError

from notifications import claim, results
from notifications.error_codes import ErrorKind
from notifications.models import Message
from notifications.providers.base import OutgoingMessage, ProviderError, Receipt
from notifications.providers.smtp import SmtpProvider
from tests import builders
from tests.notifications import made
from tests.notifications.made import NOON
from tests.standins.smtp import MailSink


@pytest.mark.expects_errors
@pytest.mark.django_db(transaction=True)
def test_an_answer_that_no_row_can_hold_is_in_doubt_and_the_others_are_recorded() -> None:
    made.many(builders.organization(), 3)
    claimed = claim.admit_messages(claimed=claim.claim_messages(channel="sms", limit=9, now=NOON), now=NOON)
    receipts = [Receipt("SM1"), Receipt("SM" + 99 * "0"), Receipt("SM3")]
    outcomes = [results.CallResult(one, receipt) for one, receipt in zip(claimed, receipts, strict=True)]
    with pytest.raises(DataError):
        results._write_rows([(outcomes[1], results._compute_next_state(outcomes[1], NOON, 0.0))], NOON, results.RECORD)
    results.record_results(call_results=outcomes, now=NOON, chance=lambda: 0.0)
    states = list(Message.objects.order_by("pk").values_list("state", "reason"))
    assert states == [("accepted", ""), ("in_doubt", "unreadable_answer"), ("accepted", "")]


def test_an_error_code_is_kept_as_far_as_a_row_can_hold_it() -> None:
    assert ProviderError(ErrorKind.PERMANENT, "refused", "9\x00" * 99).code == "9" * 40


def test_a_text_that_cannot_be_composed_fails_before_the_server_is_called() -> None:
    letter = OutgoingMessage(
        key="k", token="t", channel="email", address="ana@example.org", text="\ud800", at=NOON, expires_at=NOON
    )
    with MailSink() as sink:
        provider = SmtpProvider(sink.url, "drives@example.org")
        with pytest.raises(ProviderError, match="permanent: not_composable"):
            provider.send(letter)
        assert sink.connections == 0


@pytest.mark.django_db
def test_an_unknown_zone_counts_as_utc() -> None:
    organization = builders.organization()
    made.queued(organization, zone="Nowhere/At All", keeps_quiet_hours=True)
    made.queued(organization)
    made.deliver(NOON + timedelta(hours=14))  # 10 AM UTC
    assert list(Message.objects.values_list("state", flat=True)) == ["delivered", "delivered"]
