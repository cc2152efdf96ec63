import re
from hashlib import sha256

import pytest

from notifications.models import Purpose
from organizations.models import Organization
from volunteers import consent_texts

HOPE = Organization(name="Hope Foundation", legal_name="Hope Foundation, Inc.", sms_name="Hope Foundation")


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("purpose", Purpose.values)
def test_a_consent_text_contains_what_the_law_requires(purpose: str, language: str) -> None:
    version, text = consent_texts.render_consent_text(purpose, language, HOPE)
    said = ["Hope Foundation, Inc.", "Msg & data rates may apply", "STOP", "HELP", "privac"]
    assert re.search(r"\d (messages|mensajes)", text)
    assert [part for part in said if part not in text] == []
    assert version == f"{consent_texts.CONSENT_VERSION}-{language}"


def test_a_changed_consent_text_needs_a_new_version() -> None:
    """The version in the consent ledger must identify the exact wording.

    If you change the wording, change the version and the digest here.
    """
    words = [
        consent_texts.render_consent_text(purpose, language, HOPE)[1]
        for purpose in Purpose.values
        for language in ("en", "es")
    ]
    digest = sha256("\n".join(words).encode()).hexdigest()
    assert (consent_texts.CONSENT_VERSION, digest[:16]) == ("2026-11.6", "966ed9cbfe3ec3d7")


def test_a_consent_in_another_language_is_shown_and_kept_in_english() -> None:
    assert consent_texts.render_consent_text("reminders", "fr", HOPE) == consent_texts.render_consent_text(
        "reminders", "en", HOPE
    )
