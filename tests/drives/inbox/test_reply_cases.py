"""Send every reply in the case file through the signed webhook.

Check the changes that the reply makes and the pages that a coordinator then sees.
"""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext

from drives.booking import changes
from drives.inbox import replies
from drives.models import Booking, CancelledBy, Conversation, Drive, Offer, WaitlistEntry
from drives.waitlist import offers
from notifications import message_content
from notifications import queries as notifications_queries
from notifications.models import InboundMessage, Message, Purpose, Suppression
from tests import builders
from tests.builders import NOW
from tests.cases import list_cases
from tests.drives.inbox.test_conversations import DAY_BEFORE, PHONE, ana, asked, state_of
from tests.notifications import made
from tests.standins.twilio import signed
from volunteers.models import Volunteer

pytestmark = pytest.mark.django_db
INBOUND = "/webhooks/twilio/inbound/"
_sids = count(1)


def post_text(booking: Booking, fields: dict[str, str], at: datetime) -> InboundMessage:
    return post_to(booking.drive, fields, at)


def post_to(drive: Drive, fields: dict[str, str], at: datetime) -> InboundMessage:
    """Send a text as Twilio does, then run the sweep that handles it."""
    number = drive.organization.senders.get().number
    fields = {"MessageSid": f"SM{next(_sids):032x}", "From": PHONE, "To": number, **fields}
    with time_machine.travel(at, tick=False):
        response = Client().post(
            INBOUND, fields, headers={"X-Twilio-Signature": signed("http://testserver" + INBOUND, fields)}
        )
    assert response.status_code == 200
    replies.handle_new_replies(now=at)
    return InboundMessage.objects.get(provider_id=fields["MessageSid"])


def prompted() -> Booking:
    booking = ana()
    builders.agreed(booking.drive.organization, PHONE, *Purpose.values, now=DAY_BEFORE - timedelta(days=1))
    asked(booking)
    return booking


def judge(booking: Booking, case: dict[str, Any]) -> str:
    """Send the texts of a case. Return their effect in the words of the case file."""
    texts = case["input"] if isinstance(case["input"], list) else [case["input"]]
    for minute, text in enumerate(texts, 1):
        fields = {"Body": text} if isinstance(text, str) else text
        post_text(booking, fields, DAY_BEFORE + timedelta(minutes=minute))
    organization = booking.drive.organization
    consents = notifications_queries.load_consents(organization, [PHONE]).values()
    if notifications_queries.is_suppressed(organization, PHONE):
        assert not any(consents)
        return "opt_out"
    assert all(consents)
    if is_waiting(booking):
        return "suggest_cancel" if Conversation.objects.get().may_mean_cancel else "no_opt_out"
    return {"confirmed": "confirm", "cancelled": "cancel"}.get(state_of(booking), "none")


def is_waiting(booking: Booking) -> bool:
    return Conversation.objects.of(booking.drive.organization).awaiting_reply().exists()


READ_BY_A_PERSON = {"no_opt_out", "suggest_cancel"}


@pytest.mark.parametrize(
    "case", list_cases("K1", "K6", "K7", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "held out")
)
def test_a_reply_does_what_its_case_says(case: dict[str, Any]) -> None:
    booking = prompted()
    found, expected = judge(booking, case), case["expect"]
    if expected == "none" and "reaction" not in case["kind"]:
        assert found == "no_opt_out"  # a person reads it, and nothing is suggested
        assert not Suppression.objects.exists()
    elif expected == "no_opt_out":
        assert found in READ_BY_A_PERSON
    elif expected == "opt_in":
        assert (found, Suppression.objects.count()) == ("none", 0)
    else:
        assert found == expected
    if "paused" in case:
        assert Suppression.objects.filter(basis="undecided").exists() is case["paused"]
    if expected not in ("confirm", "cancel"):
        assert state_of(booking) == "booked"


@pytest.mark.parametrize("case", list_cases("K6 missed opt-out", "R3"))
def test_an_opt_out_in_the_donors_own_words_is_confirmed_once(case: dict[str, Any]) -> None:
    booking = prompted()
    for minute in (1, 2):
        post_text(booking, {"Body": case["input"]}, DAY_BEFORE + timedelta(minutes=minute))
    made.deliver(DAY_BEFORE + timedelta(minutes=3))
    told = Message.objects.filter(kind="opt_out", state="delivered")
    assert told.count() == 1


@pytest.mark.parametrize("case", list_cases("K9"))
def test_a_picture_without_words_reaches_a_person(case: dict[str, Any]) -> None:
    booking = prompted()
    reply = post_text(booking, case["input"], DAY_BEFORE + timedelta(minutes=1))
    assert (reply.text, reply.media_count) == ("", 1)
    assert is_waiting(booking)


@pytest.mark.parametrize("fields", [{"Body": "STOP"}, {"Body": "BYE", "OptOutType": "STOP"}])
def test_control_twilio_confirms_its_own_words_itself(fields: dict[str, str]) -> None:
    booking = prompted()
    post_text(booking, fields, DAY_BEFORE + timedelta(minutes=1))
    assert Suppression.objects.get().basis == "keyword"
    assert not Message.objects.filter(kind="opt_out").exists()


def test_a_spaced_stop_which_twilio_does_not_know_is_confirmed_by_us() -> None:
    booking = prompted()
    post_text(booking, {"Body": "S T O P"}, DAY_BEFORE + timedelta(minutes=1))
    made.deliver(DAY_BEFORE + timedelta(minutes=2))
    assert Suppression.objects.get().basis == "keyword"
    assert Message.objects.get(kind="opt_out").state == "delivered"


def offered(language: str = "en") -> tuple[WaitlistEntry, Offer]:
    """Create an offer of a freed spot, and deliver its text to the donor."""
    full = builders.full_drive()
    entry = builders.waits(full[0].drive)
    assert entry.volunteer_id is not None
    Volunteer.objects.filter(pk=entry.volunteer_id).update(language=language)
    changes.cancel_bookings(booking_id=full[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    offers.sweep_waitlists(now=NOW)
    offer = builders.offer_to(entry)
    assert offer is not None
    made.deliver(NOW)
    return entry, offer


@pytest.mark.parametrize(
    ("letters", "state"), [(["C"], "booked"), (["C", "X"], "cancelled"), (["C", "X", "X"], "cancelled")]
)
def test_x_after_an_accepted_offer_cancels_that_booking_and_says_so(letters: list[str], state: str) -> None:
    entry, offer = offered()
    address = Message.objects.get(kind="offer", channel="sms").address
    handled = []
    for minute, letter in enumerate(letters, 1):
        at = NOW + timedelta(minutes=minute)
        handled.append(post_to(entry.drive, {"Body": letter, "From": address}, at).handled_as)
        made.deliver(at)
    booking = Offer.objects.get(pk=offer.pk).booking
    assert booking is not None
    assert (state_of(booking), handled[0], set(handled[1:]) <= {"cancel"}) == (state, "confirm", True)
    told = Message.objects.filter(kind="cancelled", channel="sms", state="delivered", address=address)
    assert told.count() == (state == "cancelled")
    assert not Message.objects.filter(kind="waitlist_answer").exists()


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_refused_c_to_an_offer_is_explained_in_the_donors_language(language: str) -> None:
    entry, _offer = offered(language)
    address = Message.objects.get(kind="offer", channel="sms").address
    Drive.objects.filter(pk=entry.drive_id).update(state="cancelled")
    assert post_to(entry.drive, {"Body": "C", "From": address}, NOW + timedelta(minutes=1)).handled_as == "refused"
    (answer,) = Message.objects.filter(kind="reply_answer", address=address)
    with translation.override(language):
        expected = message_content.convert_to_gsm(gettext("This drive has been cancelled."))
    assert answer.text.endswith(expected), answer.text
