import random
import string

import pytest
from django.test import Client, override_settings

from notifications.models import ConsentEntry, InboundMessage, Message, Report, Suppression
from tests import builders
from tests.notifications import made
from tests.notifications.made import ANA
from tests.standins.twilio import SECRET, signed

pytestmark = pytest.mark.django_db
STATUS = "/webhooks/twilio/status/the-token/"
INBOUND = "/webhooks/twilio/inbound/"
BASE = "http://testserver"
REPORT = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": ANA, "ErrorCode": ""}


def post(path: str, fields: dict[str, str], signature: str, **extra: str) -> int:
    return Client().post(path, fields, headers={"X-Twilio-Signature": signature, **extra}).status_code


def test_a_signed_report_moves_its_message() -> None:
    message = made.queued(builders.organization())
    Message.objects.update(state="accepted", attempt_token="the-token")
    assert post(STATUS, REPORT, signed(BASE + STATUS, REPORT)) == 204
    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("delivered", "SM1")


def test_a_report_of_an_unknown_message_is_kept() -> None:
    assert post(STATUS, REPORT, signed(BASE + STATUS, REPORT)) == 204
    assert Report.objects.get().message is None


def test_a_changed_request_fails_the_signature_check() -> None:
    right = signed(BASE + STATUS, REPORT)
    mutated = [
        *(({**REPORT, name: value + "x"}, right, STATUS) for name, value in REPORT.items()),
        *(({key: REPORT[key] for key in REPORT if key != name}, right, STATUS) for name in ("MessageSid", "To")),
        ({**REPORT, "Extra": "1"}, right, STATUS),
        (REPORT, right, STATUS + "?a=b"),
        (REPORT, right, STATUS.replace("the-token", "another")),
        *((REPORT, wrong, STATUS) for wrong in ("", "nonsense", right[:-1], right.lower(), right[::-1])),
    ]
    assert {post(path, fields, signature) for fields, signature, path in mutated} == {403}
    assert Report.objects.count() == 0


def test_every_flipped_character_of_the_signature_is_refused() -> None:
    right, letters = signed(BASE + STATUS, REPORT), string.ascii_letters + string.digits + "+/"
    # Some changes of the last character decode to the same bytes, but the service compares the text.
    flips = [right[:at] + letter + right[at + 1 :] for at in range(27) for letter in letters if letter != right[at]]
    assert len(flips) > 1_000
    assert {post(STATUS, REPORT, signature) for signature in random.sample(flips, 1_000)} == {403}
    assert Report.objects.count() == 0


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (STATUS, {"MessageSid": "SM1", "To": ANA}),
        (STATUS, {"MessageStatus": "failed", "To": ANA}),
        (INBOUND, {"From": ANA, "Body": "STOP"}),
        (INBOUND, {"MessageSid": "SM1", "Body": "STOP"}),
        (INBOUND, {}),
    ],
)
def test_a_request_without_an_id_is_refused_and_changes_nothing(path: str, fields: dict[str, str]) -> None:
    message = made.queued(builders.organization())
    Message.objects.update(state="accepted", attempt_token="the-token", provider_id="SM9")
    assert post(path, fields, signed(BASE + path, fields)) == 400
    message.refresh_from_db()
    assert (message.state, message.provider_id) == ("accepted", "SM9")
    assert Report.objects.count() == InboundMessage.objects.count() == 0


def test_a_text_without_words_or_with_many_is_kept() -> None:
    for sid, body in (("SM1", ""), ("SM2", "á" * 1600), ("SM3", "👋🏽" * 400)):
        fields = {"MessageSid": sid, "From": ANA, "To": "+12025550100", "Body": body}
        assert post(INBOUND, fields, signed(BASE + INBOUND, fields)) == 200
        assert InboundMessage.objects.get(provider_id=sid).text == body


def test_the_same_text_a_hundred_times_has_one_effect() -> None:
    organization = builders.organization()
    builders.agreed(organization, ANA, "reminders")
    fields = {"MessageSid": "SM1", "From": ANA, "To": organization.senders.get().number, "Body": "STOP"}
    signature = signed(BASE + INBOUND, fields)
    assert {post(INBOUND, fields, signature) for _ in range(100)} == {200}
    assert (InboundMessage.objects.count(), Suppression.objects.count()) == (1, 1)
    assert ConsentEntry.objects.filter(address=ANA, given=False).count() == 1


def test_another_secret_is_refused_and_none_opens_nothing() -> None:
    right = signed(BASE + STATUS, REPORT)
    for secret in ("another", ""):
        with override_settings(TWILIO_AUTH_TOKEN=secret):
            assert post(STATUS, REPORT, right) == 403


@override_settings(BASE_URL="https://drives.example.org")
def test_behind_a_proxy_the_public_address_counts_whatever_the_request_shows() -> None:
    assert post(STATUS, REPORT, signed("https://drives.example.org" + STATUS, REPORT)) == 204
    assert post(STATUS, REPORT, signed(BASE + STATUS, REPORT)) == 403


def test_blanks_at_the_ends_are_part_of_what_was_signed() -> None:
    fields = {"MessageSid": "SM1", "From": ANA, "To": "+12025550100", "Body": "  C \n"}
    assert post(INBOUND, fields, signed(BASE + INBOUND, fields)) == 200
    assert InboundMessage.objects.get().text == "  C \n"


def test_an_inbound_text_is_answered_with_silence() -> None:
    organization = builders.organization()
    number = organization.senders.get().number
    fields = {"MessageSid": "SM1", "From": ANA, "To": number, "Body": "STOP"}
    answer = Client().post(INBOUND, fields, headers={"X-Twilio-Signature": signed(BASE + INBOUND, fields)})
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/xml")
    assert answer.content == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert InboundMessage.objects.get().handled_as == "stop"


@pytest.mark.parametrize("path", [STATUS, INBOUND])
def test_only_post_requests_are_accepted(path: str) -> None:
    assert Client().get(path).status_code == 405


def test_no_csrf_token_is_asked_of_the_provider() -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(STATUS, REPORT, headers={"X-Twilio-Signature": signed(BASE + STATUS, REPORT)})
    assert answer.status_code == 204


@pytest.mark.parametrize("names", [("TWILIO_AUTH_TOKEN",), ("TWILIO_SECONDARY_AUTH_TOKEN",)])
def test_a_signature_with_either_auth_token_is_accepted_while_one_replaces_the_other(names: tuple[str]) -> None:
    tokens = {"TWILIO_AUTH_TOKEN": "another token", "TWILIO_SECONDARY_AUTH_TOKEN": "another token"}
    with override_settings(**{**tokens, names[0]: SECRET}):
        assert post(STATUS, REPORT, signed(BASE + STATUS, REPORT)) == 204
    with override_settings(**tokens):
        assert post(STATUS, REPORT, signed(BASE + STATUS, REPORT)) == 403
    with override_settings(TWILIO_AUTH_TOKEN="", TWILIO_SECONDARY_AUTH_TOKEN=""):
        assert post(STATUS, REPORT, signed(BASE + STATUS, REPORT, "")) == 403
