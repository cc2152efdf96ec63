from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from notifications.models import MessageState
from notifications.providers import twilio
from notifications.providers.base import OutgoingMessage, ProviderError
from notifications.providers.twilio import TwilioProvider
from tests.notifications.made import ANA, NOON
from tests.standins.twilio import SECRET, TwilioStandIn

ACCOUNT = "AC" + "0" * 32
LETTER = OutgoingMessage(
    key="booking:1/day_before/0/sms",
    token="the-token",
    channel="sms",
    address=ANA,
    text="See you tomorrow",
    at=NOON,
    expires_at=NOON + timedelta(hours=2),
    number="+12025550100",
)


@pytest.fixture
def standin() -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as running:
        yield running


@pytest.fixture
def provider(standin: TwilioStandIn) -> Iterator[TwilioProvider]:
    made = TwilioProvider(standin.url, "https://drives.example.org", ACCOUNT, SECRET)
    yield made
    made.close()


def test_a_text_carries_where_to_report_and_how_long_it_is_useful(
    standin: TwilioStandIn, provider: TwilioProvider
) -> None:
    receipt = provider.send(LETTER)
    [kept] = standin.accepted
    assert kept.fields == {
        "To": ANA,
        "From": "+12025550100",
        "Body": "See you tomorrow",
        "StatusCallback": "https://drives.example.org/webhooks/twilio/status/the-token/",
        "ValidityPeriod": "7200",
    }
    assert (receipt.provider_id, receipt.state) == (kept.sid, MessageState.ACCEPTED)


def test_a_messaging_service_replaces_a_number(standin: TwilioStandIn, provider: TwilioProvider) -> None:
    service = "MG" + "0" * 32
    provider.send(replace(LETTER, number="", messaging_service=service))
    fields = standin.accepted[0].fields
    assert (fields.get("MessagingServiceSid"), fields.get("From")) == (service, None)


def test_no_break_spaces_do_not_double_the_price(standin: TwilioStandIn, provider: TwilioProvider) -> None:
    provider.send(replace(LETTER, text="10:30\u00a0AM"))
    assert standin.accepted[0].fields["Body"] == "10:30 AM"


@pytest.mark.parametrize(("left", "seconds"), [(timedelta(days=3), "36000"), (timedelta(milliseconds=5), "1")])
def test_validity_stays_in_the_providers_bounds(
    standin: TwilioStandIn, provider: TwilioProvider, left: timedelta, seconds: str
) -> None:
    provider.send(replace(LETTER, expires_at=NOON + left))
    assert standin.accepted[0].fields["ValidityPeriod"] == seconds


@pytest.mark.parametrize(
    ("fault", "kind", "taken"),
    [
        ("500", "in_doubt", 0),
        ("503", "in_doubt", 0),
        ("429", "transient", 0),
        ("reset", "in_doubt", 0),
        ("accepted-500", "in_doubt", 1),
        ("accepted-reset", "in_doubt", 1),
        ("accepted-cut", "in_doubt", 1),
        ("accepted-not-json", "in_doubt", 1),
    ],
)
def test_faults_are_told_apart_by_whether_it_may_have_been_sent(
    standin: TwilioStandIn, provider: TwilioProvider, fault: str, kind: str, taken: int
) -> None:
    standin.plan([fault])
    with pytest.raises(ProviderError) as error:
        provider.send(LETTER)
    assert error.value.kind == kind
    assert len(standin.accepted) == taken
    assert standin.calls == 1  # the client did not retry


@pytest.mark.parametrize("fault", ["hang", "accepted-hang"])
def test_a_call_that_times_out_leaves_the_message_in_doubt(standin: TwilioStandIn, fault: str) -> None:
    provider = TwilioProvider(standin.url, "https://drives.example.org", ACCOUNT, SECRET, read_seconds=0.2)
    standin.plan([fault])
    with pytest.raises(ProviderError) as error:
        provider.send(LETTER)
    provider.close()
    assert (error.value.kind, error.value.reason) == ("in_doubt", "no_answer")


def test_a_slow_answer_is_an_answer(standin: TwilioStandIn, provider: TwilioProvider) -> None:
    standin.slowness = 0.3
    standin.plan(["slow"])
    assert provider.send(LETTER).provider_id


def test_an_answer_after_our_timeout_leaves_the_message_in_doubt(standin: TwilioStandIn) -> None:
    provider = TwilioProvider(standin.url, "https://drives.example.org", ACCOUNT, SECRET, read_seconds=0.2)
    standin.plan(["slow"])
    with pytest.raises(ProviderError) as error:
        provider.send(LETTER)
    provider.close()
    assert (error.value.kind, len(standin.accepted)) == ("in_doubt", 1)


def test_retry_after_is_passed_on(standin: TwilioStandIn, provider: TwilioProvider) -> None:
    standin.plan(["429"])
    with pytest.raises(ProviderError) as error:
        provider.send(LETTER)
    assert error.value.retry_after == timedelta(seconds=30)


@pytest.mark.parametrize(
    ("code", "status", "kind"), [(21211, 400, "permanent"), (21610, 400, "opted_out"), (20003, 401, "configuration")]
)
def test_error_codes_are_read(
    standin: TwilioStandIn, provider: TwilioProvider, code: int, status: int, kind: str
) -> None:
    standin.refuse(ANA, code, status)
    with pytest.raises(ProviderError) as error:
        provider.send(LETTER)
    assert (error.value.kind, error.value.code) == (kind, str(code))


def test_a_refused_connection_means_not_sent() -> None:
    provider = TwilioProvider("http://127.0.0.1:9", "https://drives.example.org", ACCOUNT, SECRET)
    with pytest.raises(ProviderError) as error:
        provider.send(LETTER)
    assert error.value.kind == "transient"


def test_errors_carry_no_number_and_no_text(standin: TwilioStandIn, provider: TwilioProvider) -> None:
    standin.plan(["500"])
    with pytest.raises(ProviderError) as error:
        provider.send(LETTER)
    assert ANA not in str(error.value)
    assert LETTER.text not in str(error.value)


def test_an_accepted_message_is_found_by_number(standin: TwilioStandIn, provider: TwilioProvider) -> None:
    receipt = provider.send(LETTER)
    provider.send(replace(LETTER, address="+12135550143"))
    [found] = provider.find(LETTER, datetime.now(UTC) - timedelta(minutes=1))
    assert (found.provider_id, found.status, found.text) == (receipt.provider_id, "queued", "See you tomorrow")
    assert provider.find(LETTER, datetime.now(UTC) + timedelta(minutes=1)) == []


def test_one_message_is_fetched_by_its_number(standin: TwilioStandIn, provider: TwilioProvider) -> None:
    receipt = provider.send(LETTER)
    standin.set_status(receipt.provider_id, "undelivered", 30003)
    found = provider.fetch(receipt.provider_id)
    assert found
    assert (found.status, found.error_code) == ("undelivered", "30003")
    assert provider.fetch("SM-unknown") is None


def test_connections_are_kept(standin: TwilioStandIn, provider: TwilioProvider) -> None:
    for _ in range(5):
        provider.send(LETTER)
    assert len(standin.open) == 1


def test_the_library_logs_nothing(
    standin: TwilioStandIn, provider: TwilioProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    provider.send(LETTER)
    assert not any(ANA in record.getMessage() or LETTER.text in record.getMessage() for record in caplog.records)


def test_certificates_are_checked() -> None:
    pool: Any = twilio.TwilioHttpClient("https://api.twilio.com")._pool
    assert isinstance(pool, urllib3.PoolManager)
    assert pool.connection_pool_kw["ca_certs"]


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        (timedelta(hours=10), "36000"),
        (timedelta(hours=10, seconds=-1), "35999"),
        (timedelta(seconds=1), "1"),
        (timedelta(seconds=2), "2"),
    ],
)
def test_a_text_is_valid_until_it_is_useless_and_ten_hours_at_the_most(
    standin: TwilioStandIn, provider: TwilioProvider, left: timedelta, seconds: str
) -> None:
    provider.send(replace(LETTER, expires_at=NOON + left))
    assert standin.accepted[0].fields["ValidityPeriod"] == seconds


@pytest.mark.parametrize(("first", "second"), [("an old token", SECRET), (SECRET, "a new token")])
def test_either_of_two_auth_tokens_is_enough_while_one_replaces_the_other(
    standin: TwilioStandIn, first: str, second: str
) -> None:
    provider = TwilioProvider(standin.url, "https://drives.example.org", ACCOUNT, first, second)
    assert provider.send(LETTER).provider_id
    assert len(standin.accepted) == 1
    provider.close()


def test_two_wrong_auth_tokens_are_refused_once(standin: TwilioStandIn) -> None:
    provider = TwilioProvider(standin.url, "https://drives.example.org", ACCOUNT, "an old token", "a new token")
    with pytest.raises(ProviderError) as error:
        provider.send(LETTER)
    provider.close()
    assert (error.value.code, standin.accepted) == ("20003", [])
