import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from typing import Any, cast

import pytest

from notifications.models import MessageState
from notifications.providers import smtp
from notifications.providers.base import OutgoingMessage, ProviderError
from notifications.providers.smtp import SmtpProvider
from tests.cases import list_cases
from tests.notifications.made import NOON
from tests.standins.smtp import MailSink

CALENDAR = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Plasmaspende für Zoë\r\nEND:VCALENDAR\r\n"
LETTER = OutgoingMessage(
    key="booking:1/booked/0/email",
    token="the-token",
    channel="email",
    address="ana@example.org",
    text="You're booked.\n.\nBring a photo ID, Núñez.",
    at=NOON,
    expires_at=NOON + timedelta(hours=2),
    name="Rhythm of Life, Foundation",
    reply_to="office@example.org",
    subject="You're booked: Saturday, März 13",
    html="<p>You're booked.</p>",
    calendar=CALENDAR,
    calendar_method="REQUEST",
)


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with MailSink() as running:
        yield running


@pytest.fixture
def provider(sink: MailSink) -> Iterator[SmtpProvider]:
    made = SmtpProvider(sink.url, "drives@example.org")
    yield made
    made.close()


def test_a_mail_has_text_then_html_then_the_calendar(sink: MailSink, provider: SmtpProvider) -> None:
    receipt = provider.send(LETTER)
    [mail] = sink.mails
    parsed = mail.parsed
    assert parsed.get_content_type() == "multipart/alternative"
    parts = [cast(EmailMessage, part) for part in parsed.iter_parts()]
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html", "text/calendar"]
    assert parts[0].get_content().splitlines() == LETTER.text.splitlines()
    assert parts[2].get_param("method") == "REQUEST"
    assert parts[2].get_content_charset() == "utf-8"
    assert parts[2].get_payload(decode=True) == CALENDAR.encode()
    assert (mail.sender, mail.to) == ("drives@example.org", "ana@example.org")
    assert receipt.state == MessageState.SENT


def test_the_headers_name_the_sender_and_mark_the_mail_as_automatic(sink: MailSink, provider: SmtpProvider) -> None:
    provider.send(LETTER)
    parsed = sink.mails[0].parsed
    assert str(parsed["From"]) == '"Rhythm of Life, Foundation" <drives@example.org>'
    assert parsed["Subject"] == LETTER.subject
    assert parsed["Reply-To"] == "office@example.org"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["Date"].datetime == NOON
    assert parsed["List-Unsubscribe"] is None


def test_a_second_try_has_the_same_message_id(sink: MailSink, provider: SmtpProvider) -> None:
    first, second = provider.send(LETTER), provider.send(replace(LETTER, token="another"))
    assert first.provider_id == second.provider_id == str(sink.mails[0].parsed["Message-ID"])
    assert provider.send(replace(LETTER, key="another")).provider_id != first.provider_id


def test_plain_mail_is_plain() -> None:
    mail = smtp.compose_mail(replace(LETTER, html="", calendar="", name=""), "", "drives@example.org").message()
    assert mail.get_content_type() == "text/plain"
    assert str(mail["From"]) == "drives@example.org"


def test_unsubscribing_is_one_click_where_there_is_a_link() -> None:
    letter = replace(LETTER, unsubscribe_url="https://drives.example.org/stop/x/")
    mail = smtp.compose_mail(letter, "", "drives@example.org").message()
    assert mail["List-Unsubscribe"] == "<https://drives.example.org/stop/x/>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_long_unsubscribe_address_is_neither_folded_nor_encoded(sink: MailSink, provider: SmtpProvider) -> None:
    url = f"https://{'drives.' * 12}example.org/stop/{'x' * 22}/"
    provider.send(replace(LETTER, unsubscribe_url=url))
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in sink.mails[0].raw


@pytest.mark.parametrize("line_break", ["\r\n", "\n", "\r", "\x0b", "\x85", "\u2028", "\u2029", "\x00"])
def test_no_header_can_be_slipped_in(line_break: str) -> None:
    evil = f"Hello{line_break}Bcc: cleo@example.org"
    letter = replace(LETTER, subject=evil, name=evil, reply_to="a@example.org" + line_break)
    mail = smtp.compose_mail(letter, "", "drives@example.org").message()
    raw = mail.as_bytes()
    assert mail["Bcc"] is None
    assert b"\nBcc:" not in raw
    assert b"\rBcc:" not in raw


def test_no_line_ends_twice(sink: MailSink, provider: SmtpProvider) -> None:
    provider.send(LETTER)
    assert b"\r\r\n" not in sink.mails[0].raw


def test_one_connection_serves_many_and_a_lost_one_is_replaced(sink: MailSink, provider: SmtpProvider) -> None:
    provider.send(LETTER)
    provider.send(LETTER)
    assert sink.connections == 1
    sink.answers["NOOP"] = "drop"
    provider.send(LETTER)
    assert (sink.connections, len(sink.mails)) == (2, 3)


@pytest.mark.parametrize(
    ("answers", "kind", "reason"),
    [
        ({"RCPT": "550 no such user"}, "permanent", "address_refused"),
        ({"RCPT": "450 later"}, "transient", "refused_for_now"),
        ({"RCPT": "550 5.1.1 no such user"}, "permanent", "address_refused"),
        ({"RCPT": "554 5.2.1 mailbox disabled"}, "permanent", "address_refused"),
        ({"RCPT": "550 5.7.1 your network is blocked"}, "permanent", "refused"),
        ({"RCPT": "554 no"}, "permanent", "refused"),
        ({"MAIL": "550 who are you"}, "configuration", "sender_refused"),
        ({"MAIL": "451 later"}, "transient", "refused_for_now"),
        ({"DATA": "451 busy"}, "transient", "refused_for_now"),
        ({".": "554 spam"}, "permanent", "refused"),
        ({".": "452 full"}, "transient", "refused_for_now"),
        ({"DATA": "drop"}, "in_doubt", "no_answer"),
        ({".": "drop"}, "in_doubt", "no_answer"),
        ({"MAIL": "drop"}, "transient", "unreachable"),
        ({"EHLO": "drop"}, "transient", "unreachable"),
    ],
)
def test_refusals_are_told_apart(
    sink: MailSink, provider: SmtpProvider, answers: dict[str, str], kind: str, reason: str
) -> None:
    sink.answers = answers
    with pytest.raises(ProviderError) as error:
        provider.send(LETTER)
    assert (error.value.kind, error.value.reason) == (kind, reason)


def test_a_server_that_is_down_is_tried_later() -> None:
    with pytest.raises(ProviderError) as error:
        SmtpProvider("smtp://127.0.0.1:9", "drives@example.org").send(LETTER)
    assert error.value.kind == "transient"


def test_a_refused_address_does_not_end_the_connection(sink: MailSink, provider: SmtpProvider) -> None:
    sink.answers = {"RCPT": "550 no such user"}
    with pytest.raises(ProviderError):
        provider.send(LETTER)
    sink.answers = {}
    provider.send(LETTER)
    assert (sink.connections, len(sink.mails)) == (1, 1)


@pytest.mark.parametrize("case", list_cases("K3 delivery"))
def test_a_domain_in_letters_of_its_language_is_written_in_ascii(
    case: dict[str, Any], sink: MailSink, provider: SmtpProvider
) -> None:
    provider.send(replace(LETTER, address=case["input"]))
    assert f"RCPT TO <{sink.mails[0].to}>" == case["right"]


def test_a_mail_server_that_does_not_answer_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        provider = SmtpProvider(f"smtp://127.0.0.1:{silent.getsockname()[1]}/?timeout=1", "drives@example.org")
        with pytest.raises(ProviderError) as error:
            provider.send(LETTER)
    assert (error.value.kind, error.value.reason) == ("transient", "unreachable")
    assert smtp.parse_email_url("smtp://mail.example.org")["timeout"] == smtp.TIMEOUT_SECONDS


def test_a_server_without_encryption_is_not_used_where_it_is_demanded(sink: MailSink) -> None:
    provider = SmtpProvider(sink.url.replace("smtp:", "submission:"), "drives@example.org")
    with pytest.raises(ProviderError) as error:
        provider.send(LETTER)
    assert (error.value.kind, error.value.reason) == ("configuration", "no_encryption")
    assert sink.mails == []


@pytest.mark.parametrize(
    ("url", "tls", "port"),
    [
        ("smtp://mail.example.org", (False, False), 25),
        ("smtp://ben:secret@mail.example.org:587", (True, False), 587),
        ("smtp://ben:secret@127.0.0.1:2525", (False, False), 2525),
        ("submission://mail.example.org", (True, False), 587),
        ("smtp://ben:secret@mail.example.org:465/?ssl=on", (False, True), 465),
    ],
)
def test_a_password_leaves_this_machine_only_encrypted(url: str, tls: tuple[bool, bool], port: int) -> None:
    server = smtp.parse_email_url(url)
    assert ((server["use_tls"], server["use_ssl"]), server["port"]) == (tls, port)


def test_a_password_may_hold_any_character() -> None:
    server = smtp.parse_email_url("smtp://ben%40example.org:a%2Fb%3Ac@mail.example.org")
    assert (server["username"], server["password"]) == ("ben@example.org", "a/b:c")
