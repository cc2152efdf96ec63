import pytest

from notifications import message_content
from notifications.models import Channel
from organizations.models import Organization
from volunteers import code_texts

HOPE = Organization(name="Hope Foundation", legal_name="Hope Foundation, Inc.", sms_name="Hope Foundation")


@pytest.mark.parametrize("language", ["en", "es", "fr"])
@pytest.mark.parametrize("base_url", ["https://drives.example.org", "http://localhost:8000", f"https://{'x' * 40}.org"])
def test_a_code_text_is_one_segment_and_ends_with_its_host(language: str, base_url: str, settings: object) -> None:
    settings.BASE_URL = base_url  # type: ignore[attr-defined]
    longest = Organization(sms_name="W" * 20)
    text = code_texts.render_code_message(longest, Channel.SMS, language, "482913", "booking:7").text
    host = base_url.split("//")[1].split(":", maxsplit=1)[0]
    assert message_content.count_segments(text) == 1
    assert text.startswith("482913 ")
    assert text.splitlines()[-1] == f"@{host} #482913"


def test_a_host_that_is_too_long_is_left_out(settings: object) -> None:
    settings.BASE_URL = f"https://{'x' * 63}.{'y' * 63}.org"  # type: ignore[attr-defined]
    text = code_texts.render_code_message(HOPE, Channel.SMS, "en", "482913", "booking:7").text
    assert text == "482913 is your Hope Foundation code. It expires in 10 minutes. Do not share it."


def test_a_code_is_worded_in_both_languages() -> None:
    texts = [
        code_texts.render_code_message(HOPE, Channel.SMS, language, "482913", "booking:7").text.splitlines()[0]
        for language in ("en", "es")
    ]
    assert texts == [
        "482913 is your Hope Foundation code. It expires in 10 minutes. Do not share it.",
        "482913 es su codigo de Hope Foundation. Vence en 10 minutos. No lo comparta.",
    ]


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_code_mail_names_the_code_in_its_subject(language: str) -> None:
    mail = code_texts.render_code_message(HOPE, Channel.EMAIL, language, "482913", "booking:7")
    assert "482913" in mail.subject
    assert "482913" in mail.text
    assert "\n" not in mail.subject


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ("booking:7", "to confirm your time with Hope Foundation."),
        ("waitlist:7", "to join a waiting list with Hope Foundation."),
        ("find", "to see your bookings with Hope Foundation."),
        ("contact", "to verify that this e-mail address is yours, so that Hope Foundation can write to you here."),
    ],
)
def test_a_code_mail_says_what_the_code_is_for(about: str, said: str) -> None:
    mails = [
        code_texts.render_code_message(HOPE, Channel.EMAIL, language, "482913", about).text for language in ("en", "es")
    ]
    assert mails[0].startswith(f"482913 is your code {said}")
    assert mails[1].startswith("482913 es su código para ")
