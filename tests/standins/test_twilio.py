"""The fake Twilio behaves as Twilio's API is documented.

The tests call it with Twilio's client and check its responses against Twilio's schema.
"""

import http.client
import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import jsonschema
import pytest
from django.test import Client as Browser
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from notifications.models import InboundMessage, Message
from notifications.providers.twilio import TwilioHttpClient
from tests import builders
from tests.notifications import made
from tests.standins.twilio import ACCOUNT, SECRET, TwilioStandIn

NUMBER, TO = "+12025550100", "+12135550142"
LIST = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
FIELDS = {"To": TO, "From": NUMBER, "Body": "See you tomorrow"}
TEXT, URI = {"type": ["string", "null"]}, {"type": "string", "pattern": "^/2010-04-01/Accounts/AC"}
DATE = {"type": ["string", "null"], "pattern": r"^\w{3}, \d{2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000$"}


def sid(*prefixes: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "pattern": f"^({'|'.join(prefixes)})[0-9a-fA-F]{{32}}$"}


# `api.v2010.account.message` and `ListMessageResponse` of twilio_api_v2010.json, and no other members.
STATUSES = ["queued", "sending", "sent", "failed", "delivered", "undelivered", "receiving", "received", "accepted"]
STATUSES += ["scheduled", "read", "partially_delivered", "canceled"]
MESSAGE = {
    "account_sid": sid("AC"),
    "api_version": TEXT,
    "body": TEXT,
    "date_created": DATE,
    "date_sent": DATE,
    "date_updated": DATE,
    "direction": {"enum": ["inbound", "outbound-api", "outbound-call", "outbound-reply"]},
    "error_code": {"type": ["integer", "null"]},
    "error_message": TEXT,
    "from": TEXT,
    "messaging_service_sid": sid("MG"),
    "num_media": TEXT,
    "num_segments": TEXT,
    "price": TEXT,
    "price_unit": TEXT,
    "sid": sid("SM", "MM"),
    "status": {"enum": STATUSES},
    "subresource_uris": {"type": "object"},
    "to": TEXT,
    "uri": URI,
}
PAGE = {
    "end": {"type": "integer"},
    "first_page_uri": URI,
    "messages": {"type": "array"},
    "next_page_uri": {"type": ["string", "null"]},
    "page": {"type": "integer"},
    "page_size": {"type": "integer"},
    "previous_page_uri": {"type": ["string", "null"]},
    "start": {"type": "integer"},
    "uri": URI,
}


def fits(schema: dict[str, Any], answer: Any) -> None:
    whole = {"type": "object", "properties": schema, "required": list(schema), "additionalProperties": False}
    jsonschema.Draft202012Validator(whole).validate(answer)


@pytest.fixture
def standin() -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as running:
        yield running


@pytest.fixture
def client(standin: TwilioStandIn) -> Iterator[Client]:
    wire = TwilioHttpClient(standin.url)
    yield Client(ACCOUNT, SECRET, http_client=wire)
    wire.clear()


def call(
    standin: TwilioStandIn, method: str, path: str, fields: dict[str, str] | None = None, secret: str = SECRET
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(standin.url).netloc, timeout=5)
    authorization = "Basic " + b64encode(f"{ACCOUNT}:{secret}".encode()).decode()
    connection.request(method, path, urlencode(fields or {}), {"Authorization": authorization} if secret else {})
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


@pytest.mark.parametrize("by", [{"From": NUMBER}, {"MessagingServiceSid": "MG" + "a" * 32}])
def test_created_fetched_and_listed_messages_fit_the_schema(standin: TwilioStandIn, by: dict[str, str]) -> None:
    status, created = call(standin, "POST", LIST, {"To": TO, "Body": "Hola", **by})
    assert status == 201
    fits(MESSAGE, created)
    standin.set_status(created["sid"], "undelivered", 30003)
    _status, fetched = call(standin, "GET", created["uri"])
    fits(MESSAGE, fetched)
    assert (fetched["status"], fetched["error_code"], fetched["date_created"]) == (
        "undelivered",
        30003,
        created["date_created"],
    )
    assert parsedate_to_datetime(fetched["date_sent"])
    _status, page = call(standin, "GET", LIST)
    fits(PAGE, page)
    assert page["messages"] == [fetched]


def test_a_queued_message_has_no_sent_date(standin: TwilioStandIn) -> None:
    _status, created = call(standin, "POST", LIST, FIELDS)
    assert (created["status"], created["date_sent"], created["num_segments"]) == ("queued", None, "1")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "213 555 0142"}, 21211),
        ({"From": ""}, 21603),
        ({"From": "nobody"}, 21212),
        ({"Body": ""}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"StatusCallback": "not an address"}, 21609),
        ({"ValidityPeriod": "0"}, 20001),
        ({"ValidityPeriod": "36001"}, 20001),
    ],
)
def test_refusals_have_twilios_code(standin: TwilioStandIn, changed: dict[str, str], code: int) -> None:
    status, error = call(standin, "POST", LIST, {**FIELDS, **changed})
    assert (status, error["status"], error["code"], sorted(error)) == (
        400,
        400,
        code,
        ["code", "message", "more_info", "status"],
    )
    assert standin.accepted == []


def test_a_body_of_1600_characters_is_accepted(standin: TwilioStandIn) -> None:
    status, created = call(standin, "POST", LIST, {**FIELDS, "Body": "x" * 1600})
    assert (status, created["num_segments"]) == (201, "11")


def test_wrong_credentials_and_addresses_are_refused(standin: TwilioStandIn) -> None:
    refused = [
        call(standin, "POST", LIST, FIELDS, secret="another"),
        call(standin, "POST", LIST, FIELDS, secret=""),
        call(standin, "GET", LIST.replace("Messages", "Calls")),
        call(standin, "GET", LIST.replace(".json", "/SM1.json")),
        call(standin, "PUT", LIST),
    ]
    assert [(status, error["code"]) for status, error in refused] == [
        (401, 20003),
        (401, 20003),
        (404, 20404),
        (404, 20404),
        (405, 20004),
    ]
    assert standin.accepted == []


@pytest.mark.parametrize(("fault", "code"), [("429", 20429), ("503", 20503)])
def test_faults_have_the_body_of_an_error(standin: TwilioStandIn, fault: str, code: int) -> None:
    standin.plan([fault])
    status, error = call(standin, "POST", LIST, FIELDS)
    assert (status, error["status"], error["code"]) == (int(fault), int(fault), code)


def test_the_list_comes_in_pages_the_newest_first(standin: TwilioStandIn, client: Client) -> None:
    made_ = [client.messages.create(to=TO, from_=NUMBER, body=f"Text {number}").sid for number in range(5)]
    client.messages.create(to="+12135550143", from_=NUMBER, body="Another")
    found = client.messages.list(to=TO, page_size=2)
    assert [one.sid for one in found] == made_[::-1]
    _status, page = call(standin, "GET", f"{LIST}?{urlencode({'To': TO, 'PageSize': 2, 'Page': 1})}")
    fits(PAGE, page)
    assert (page["start"], page["end"], len(page["messages"])) == (2, 3, 2)
    assert "Page=0" in page["previous_page_uri"]
    assert "Page=2" in page["next_page_uri"]


def test_the_list_is_filtered_by_the_day_of_sending(standin: TwilioStandIn, client: Client) -> None:
    sent, _queued = (client.messages.create(to=TO, from_=NUMBER, body=text).sid for text in ("Sent", "Queued"))
    standin.set_status(sent or "", "sent")
    at = client.messages(sent or "").fetch().date_sent
    assert at is not None
    found = [
        client.messages.list(date_sent=at),
        client.messages.list(date_sent_after=at),
        client.messages.list(date_sent_before=at),
    ]
    assert [[one.sid for one in each] for each in found] == [[sent]] * 3


@pytest.mark.django_db
def test_reports_and_texts_reach_our_webhooks_with_signatures_that_hold(standin: TwilioStandIn) -> None:
    message = made.queued(builders.organization())
    address = "http://testserver/webhooks/twilio/status/the-token/"
    _status, created = call(standin, "POST", LIST, {**FIELDS, "StatusCallback": address})
    Message.objects.update(state="accepted", attempt_token="the-token")
    where, fields, signature = standin.report(created["sid"], "failed", "30007")
    assert RequestValidator(SECRET).validate(address, fields, signature)
    assert {"MessageSid", "MessageStatus", "ErrorCode", "SmsSid", "SmsStatus", "AccountSid", "To", "From"} < set(fields)
    answer = Browser().post(where.removeprefix("http://testserver"), fields, headers={"X-Twilio-Signature": signature})
    assert answer.status_code == 204
    message.refresh_from_db()
    assert (message.state, message.error_code, message.provider_id) == ("failed", "30007", created["sid"])
    inbound = "http://testserver/webhooks/twilio/inbound/"
    fields, signature = standin.inbound(inbound, TO, NUMBER, " Grüße 👋 ")
    answer = Browser().post("/webhooks/twilio/inbound/", fields, headers={"X-Twilio-Signature": signature})
    assert (answer.status_code, InboundMessage.objects.get().text) == (200, " Grüße 👋 ")
    _status, page = call(standin, "GET", f"{LIST}?{urlencode({'From': TO})}")
    assert [(one["direction"], one["status"]) for one in page["messages"]] == [("inbound", "received")]


def test_delivery_reports_are_posted_to_the_callback() -> None:
    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/status/token/"
        with TwilioStandIn(reports=True) as standin:
            _status, created = call(standin, "POST", LIST, {**FIELDS, "StatusCallback": address})
        server.shutdown()
    assert [(fields["MessageSid"], fields["MessageStatus"]) for fields, _signature in Hook.heard] == [
        (created["sid"], "sent"),
        (created["sid"], "delivered"),
    ]
    assert all(RequestValidator(SECRET).validate(address, fields, signature) for fields, signature in Hook.heard)


class Hook(BaseHTTPRequestHandler):
    heard: ClassVar[list[tuple[dict[str, str], str]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.heard.append((dict(parse_qsl(body)), self.headers["X-Twilio-Signature"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_said: object) -> None:
        pass
