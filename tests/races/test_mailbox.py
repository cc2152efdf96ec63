"""A donor switches to an unverified mailbox between entering the code and the booking."""

from collections.abc import Callable
from typing import Any

import pytest

from drives.booking import verify
from drives.models import Booking, WaitlistEntry
from drives.waitlist import entries
from tests import builders, seeds
from tests.builders import NOW
from volunteers import codes
from volunteers.codes import CodeResult
from volunteers.models import Contact
from volunteers.verification import CodeWrong

pytestmark = pytest.mark.django_db
MAILBOX = "ana@example.org"


def hold_booking() -> Booking:
    return builders.held(builders.drive(), email=MAILBOX)


def hold_party() -> Booking:
    return builders.held_together(builders.drive(), email=MAILBOX)[0]


def join_waitlist() -> WaitlistEntry:
    return builders.asked_to_wait(builders.full_drive()[0].drive, email=MAILBOX)


@pytest.mark.parametrize("ask", [hold_booking, hold_party, join_waitlist])
def test_the_code_of_the_phone_does_not_verify_the_mailbox(
    ask: Callable[[], Booking | WaitlistEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask()
    resend: Any = verify.resend_hold_code if isinstance(asked, Booking) else entries.resend_entry_code
    verify_contact: Any = verify.verify_booking if isinstance(asked, Booking) else entries.verify_entry
    named = {"booking_id" if isinstance(asked, Booking) else "entry_id": asked.pk, "bound_to": "browser-42"}
    code = builders.code_of(asked)
    judge = codes.check_code

    def then_the_mailbox(**said: Any) -> CodeResult:
        result = judge(**said)
        resend(**named, ip=None, by_email=True, now=NOW)
        return result

    seeds.replace(monkeypatch, codes, "check_code", then_the_mailbox)
    with pytest.raises(CodeWrong):
        verify_contact(**named, code=code, now=NOW)
    assert not Contact.objects.filter(address=MAILBOX).exclude(verified_at=None).exists()
    asked.refresh_from_db()
    assert asked.state == "held"
