"""At the worst moment, between the code and the place, somebody turns to a mailbox that nobody has proved."""

from collections.abc import Callable
from typing import Any

import pytest

from drives.booking import verify
from drives.models import Booking, WaitingEntry
from drives.waitlist import entries
from tests import builders, seeds
from tests.builders import NOW
from volunteers import codes
from volunteers.codes import CodeResult
from volunteers.models import Contact
from volunteers.verification import CodeWrong

pytestmark = pytest.mark.django_db
MAILBOX = "ana@example.org"


def keep_a_time() -> Booking:
    return builders.held(builders.drive(), email=MAILBOX)


def keep_a_party() -> Booking:
    return builders.held_together(builders.drive(), email=MAILBOX)[0]


def ask_to_wait() -> WaitingEntry:
    return builders.asked_to_wait(builders.full_drive()[0].drive, email=MAILBOX)


@pytest.mark.parametrize("ask", [keep_a_time, keep_a_party, ask_to_wait])
def test_the_code_of_the_phone_does_not_prove_the_mailbox(
    ask: Callable[[], Booking | WaitingEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ask()
    door: Any = verify if isinstance(asked, Booking) else entries
    named = {"booking_id" if isinstance(asked, Booking) else "entry_id": asked.pk, "bound_to": "browser-42"}
    code = builders.code_of(asked)
    judge = codes.judge

    def then_the_mailbox(**said: Any) -> CodeResult:
        result = judge(**said)
        door.send_code_again(**named, ip=None, by_email=True, now=NOW)
        return result

    seeds.replace(monkeypatch, codes, "judge", then_the_mailbox)
    with pytest.raises(CodeWrong):
        door.prove(**named, code=code, now=NOW)
    assert not Contact.objects.filter(address=MAILBOX).exclude(proved_at=None).exists()
    asked.refresh_from_db()
    assert asked.state == "held"
