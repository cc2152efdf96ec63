from datetime import timedelta

import pytest

from notifications import error_codes
from notifications.error_codes import ErrorKind


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("21211", 400, ErrorKind.PERMANENT),
        ("21610", 400, ErrorKind.OPTED_OUT),
        ("21408", 400, ErrorKind.CONFIGURATION),
        ("30034", 0, ErrorKind.CONFIGURATION),
        ("30003", 0, ErrorKind.TRANSIENT),
        ("30036", 0, ErrorKind.EXPIRED),
        ("20429", 429, ErrorKind.TRANSIENT),
        ("20003", 401, ErrorKind.CONFIGURATION),
        ("", 500, ErrorKind.IN_DOUBT),
        ("", 503, ErrorKind.IN_DOUBT),
        ("99999", 400, ErrorKind.PERMANENT),
    ],
)
def test_errors_are_treated_by_the_table(code: str, status: int, kind: ErrorKind) -> None:
    assert error_codes.choose_treatment(code, status).kind == kind


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("30003", 0, "unreachable"),
        ("", 499, "refused"),
        ("", 500, "no_clear_answer"),
        ("99999", 503, "no_clear_answer"),
        ("99999", 0, "refused"),
    ],
)
def test_an_unknown_error_is_in_doubt_from_status_500_on(code: str, status: int, reason: str) -> None:
    assert error_codes.choose_treatment(code, status).reason == reason


@pytest.mark.parametrize(
    ("kind", "reason", "sms", "email"),
    [
        (ErrorKind.CONFIGURATION, "credentials_refused", False, True),
        (ErrorKind.IN_DOUBT, "no_clear_answer", True, True),
        (ErrorKind.TRANSIENT, "unreachable", True, True),
        (ErrorKind.TRANSIENT, "refused_for_now", False, False),
        (ErrorKind.TRANSIENT, "queue_full", False, False),
        (ErrorKind.PERMANENT, "number_invalid", False, False),
        (ErrorKind.EXPIRED, "expired", False, False),
    ],
)
def test_some_errors_speak_of_the_provider_and_others_of_the_message(
    kind: ErrorKind, reason: str, sms: bool, email: bool
) -> None:
    assert error_codes.is_provider_failure(kind, reason, "sms") is sms
    assert error_codes.is_provider_failure(kind, reason, "email") is email


def test_pauses_before_each_resend() -> None:
    minute = timedelta(minutes=1)
    for code in ("30003", "30008"):
        assert error_codes.choose_treatment(code).delays == (15 * minute, 120 * minute)
    for code in ("30001", "21611", "20429"):
        assert error_codes.choose_treatment(code).delays == (minute, 5 * minute, 30 * minute)
