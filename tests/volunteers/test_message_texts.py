"""The texts of codes and consents."""

import re
from hashlib import sha256

import pytest

from notifications import message_content
from notifications.models import Channel, Purpose
from organizations.models import Organization
from volunteers import message_texts

HOPE = Organization(name="Hope Foundation", legal_name="Hope Foundation, Inc.", sms_name="Hope Foundation")


@pytest.mark.parametrize("language", ["en", "es", "fr"])
@pytest.mark.parametrize("base_url", ["https://drives.example.org", "http://localhost:8000", f"https://{'x' * 40}.org"])
def test_a_code_text_is_one_segment_and_ends_with_its_host(language: str, base_url: str, settings: object) -> None:
    settings.BASE_URL = base_url  # type: ignore[attr-defined]
    longest = Organization(sms_name="W" * 20)
    text = message_texts.render_code_message(longest, Channel.SMS, language, "482913", "booking:7").text
    host = base_url.split("//")[1].split(":", maxsplit=1)[0]
    assert message_content.count_segments(text) == 1
    assert text.startswith("482913 ")
    assert text.splitlines()[-1] == f"@{host} #482913"


def test_a_host_that_is_too_long_is_left_out(settings: object) -> None:
    settings.BASE_URL = f"https://{'x' * 63}.{'y' * 63}.org"  # type: ignore[attr-defined]
    text = message_texts.render_code_message(HOPE, Channel.SMS, "en", "482913", "booking:7").text
    assert text == "482913 is your Hope Foundation code. It expires in 10 minutes. Do not share it."


def test_a_code_is_worded_in_both_languages() -> None:
    texts = [
        message_texts.render_code_message(HOPE, Channel.SMS, language, "482913", "booking:7").text.splitlines()[0]
        for language in ("en", "es")
    ]
    assert texts == [
        "482913 is your Hope Foundation code. It expires in 10 minutes. Do not share it.",
        "482913 es su codigo de Hope Foundation. Vence en 10 minutos. No lo comparta.",
    ]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_code_mail_names_the_code_in_its_subject(language: str) -> None:
    mail = message_texts.render_code_message(HOPE, Channel.EMAIL, language, "482913", "booking:7")
    assert "482913" in mail.subject
    assert "482913" in mail.text
    assert "\n" not in mail.subject


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ("booking:7", "to confirm your time with Hope Foundation."),
        ("waiting:7", "to join a waiting list with Hope Foundation."),
        ("find", "to see your bookings with Hope Foundation."),
        ("contact", "to verify that this e-mail address is yours, so that Hope Foundation can write to you here."),
    ],
)
def test_a_code_mail_says_what_the_code_is_for(about: str, said: str) -> None:
    mails = [
        message_texts.render_code_message(HOPE, Channel.EMAIL, language, "482913", about).text
        for language in ("en", "es")
    ]
    assert mails[0].startswith(f"482913 is your code {said}")
    assert mails[1].startswith("482913 es su código para ")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("purpose", Purpose.values)
def test_a_consent_says_all_that_the_law_asks_for(purpose: str, language: str) -> None:
    version, text = message_texts.render_consent_text(purpose, language, HOPE)
    said = ["Hope Foundation, Inc.", "Msg & data rates may apply", "STOP", "HELP", "privac"]
    assert re.search(r"\d (messages|mensajes)", text)
    assert [part for part in said if part not in text] == []
    assert version == f"{message_texts.CONSENT_VERSION}-{language}"


def test_a_changed_consent_text_needs_a_new_version() -> None:
    """The version in the ledger must identify the exact wording, so change both together."""
    words = [
        message_texts.render_consent_text(purpose, language, HOPE)[1]
        for purpose in Purpose.values
        for language in ("en", "es")
    ]
    digest = sha256("\n".join(words).encode()).hexdigest()
    assert (message_texts.CONSENT_VERSION, digest[:16]) == ("2026-11.6", "966ed9cbfe3ec3d7")


def test_a_consent_in_another_language_is_shown_and_kept_in_english() -> None:
    assert message_texts.render_consent_text("reminders", "fr", HOPE) == message_texts.render_consent_text(
        "reminders", "en", HOPE
    )
