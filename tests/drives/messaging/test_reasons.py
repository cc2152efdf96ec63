"""Every reason why a message failed has a sentence in both languages, with the provider's code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import translation

from drives.templatetags import drive_labels
from notifications.error_codes import TREATMENTS
from notifications.models import Message
from notifications.queries import DEFERRAL_REASONS

ROOT = Path(__file__).resolve().parents[3]
INTERNAL = {
    *("booking_changed", "withdrawn", "stopped", "no_consent", "no_sender", "sender_stopped", "unverified_mailbox"),
    *DEFERRAL_REASONS,
}


def provider_reasons() -> Iterator[str]:
    """Yield the reason of every ProviderError that the providers' source code raises."""
    for path in (ROOT / "notifications" / "providers").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "ProviderError" and len(node.args) > 1:
                yield from (
                    each.value
                    for each in ast.walk(node.args[1])
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                )


REASONS = sorted({treatment.reason for treatment in TREATMENTS.values()} | set(provider_reasons()) | INTERNAL)


def test_control_the_reasons_of_the_providers_are_found() -> None:
    assert {"no_answer", "unreadable_answer", "not_composable"} <= set(provider_reasons())


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_a_text_in_both_languages(reason: str) -> None:
    assert reason in drive_labels._REASONS
    with translation.override("en"):
        english = drive_labels.reason_text(reason)
    with translation.override("es"):
        assert drive_labels.reason_text(reason) != english


def test_the_provider_code_follows_the_text() -> None:
    assert (
        drive_labels.failure_reason(Message(reason="unreachable", error_code="30003"))
        == "the phone can’t be reached (30003)"
    )
    assert drive_labels.failure_reason(Message(reason="", error_code="21999")) == "(21999)"
    assert drive_labels.failure_reason(Message(reason="a_new_one")) == "a new one"
