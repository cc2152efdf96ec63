"""Texts from donors: commands that we carry out, texts that wait for a coordinator, and replies that we send."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from drives.booking import changes
from drives.domain.reply_parser import ReplyCommand
from drives.inbox import conversations, replies, reply_answers
from drives.inbox import queries as inbox_queries
from drives.inbox.questions import Question
from drives.models import Booking, CancelledBy, Conversation, Drive
from drives.web import links, members
from notifications import message_content
from notifications import replies as notifications_replies
from notifications.models import ConsentEntry, InboundMessage, Message, Sender
from organizations.models import AuditEntry, Organization
from tests import builders
from tests.builders import NOW
from tests.notifications import made
from volunteers.models import Volunteer

pytestmark = pytest.mark.django_db

_sids = count(1)
PHONE = builders.phone(42)
DAY_BEFORE = NOW + timedelta(days=11)  # 10:00 on Friday; the visit is on Saturday


def say(
    text: str,
    now: datetime,
    sender: Sender | None = None,
    number: int = 42,
    sid: str = "",
    sweep_at: datetime | None = None,
) -> InboundMessage:
    """Receive a text from a donor, and run the sweep that handles it."""
    to = sender or Sender.objects.order_by("pk")[0]
    reply = notifications_replies.receive_reply(
        sender_number=to.number,
        provider_id=sid or f"SM{next(_sids):032x}",
        address=builders.phone(number),
        text=text,
        now=now,
    )
    replies.handle_new_replies(now=sweep_at or now)
    reply.refresh_from_db()
    return reply


def asked(booking: Booking, at: datetime = DAY_BEFORE, kind: str = "day_before", **fields: Any) -> Message:
    """Create a delivered text that asks the donor to reply C or X about a booking."""
    person = booking.volunteer
    assert person
    assert person.phone
    return asked_of(
        booking.drive.organization,
        address=person.phone.address,
        about=booking.about,
        revision=booking.revision,
        kind=kind,
        at=at,
        expires_at=fields.pop("expires_at", booking.starts_at),
        **fields,
    )


def asked_of(organization: Organization, at: datetime, **fields: Any) -> Message:
    message = made.queued(organization, due_at=at, **fields)
    made.deliver(at)
    message.refresh_from_db()
    assert message.state == "delivered", (message.state, message.reason)
    return message


def ana(drive: Drive | None = None, number: int = 42, n: int = 0, **who: Any) -> Booking:
    """Create Ana's booking, and withdraw or delete the messages that exist so far."""
    booking = builders.booked(drive or builders.drive(), number=number, n=n, **who)
    Message.objects.exclude(state="scheduled").update(state="withdrawn", reason="")
    Message.objects.filter(state="scheduled").delete()
    return Booking.objects.select_related("drive__organization", "drive__site", "volunteer__phone").get(pk=booking.pk)


def state_of(booking: Booking) -> str:
    return Booking.objects.values_list("state", flat=True).get(pk=booking.pk)


# Single-letter replies


@pytest.mark.parametrize(("text", "state"), [("c", "confirmed"), ("X", "cancelled")])
def test_a_command_acts_on_the_booking_of_its_prompt_and_needs_no_coordinator(text: str, state: str) -> None:
    booking = ana()
    asked(booking)
    reply = say(text, DAY_BEFORE)
    assert (state_of(booking), reply.handled_as) == (state, {"c": "confirm", "X": "cancel"}[text])
    assert members.count_open_conversations(booking.drive.organization) == 0
    assert list(inbox_queries.list_conversations(booking.drive.organization)) == []


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("Cancelled:", "Undo or rebook:")), ("es", ("Cancelada:", "Deshacer:"))]
)
def test_the_answer_to_x_says_what_is_cancelled_and_how_to_undo_it_in_one_segment(
    language: str, words: tuple[str, str], settings: Any
) -> None:
    settings.BASE_URL = "https://drives.example"
    owner = builders.organization(sms_name="W" * 20)
    place = builders.site(owner, sms_name="M" * 20)
    booking = ana(builders.drive(owner, builders.plan(place)), n=12, language=language)
    settings.BASE_URL += "x" * (50 - len(links.build_booking_link(booking)))
    asked(booking)
    say("X", DAY_BEFORE)
    (answer,) = Message.objects.filter(kind="cancelled", channel="sms")
    assert all(word in answer.text for word in (*words, "12:00", f"/b/{booking.token}/"))
    assert (message_content.is_gsm(answer.text), message_content.count_segments(answer.text)) == (True, 1), answer.text


def test_a_cancellation_by_text_can_be_undone_on_the_page(client: Any) -> None:
    booking = ana()
    asked(booking)
    say("X", DAY_BEFORE)
    changes.restore_booking(booking_id=booking.pk, actor="donor", now=DAY_BEFORE + timedelta(minutes=14))
    assert state_of(booking) == "booked"


def test_a_second_x_cancels_nothing_more_and_needs_no_coordinator() -> None:
    booking = ana()
    asked(booking)
    replies_ = [say("X", DAY_BEFORE + timedelta(seconds=second)) for second in (0, 1)]
    assert [reply.handled_as for reply in replies_] == ["cancel", "cancel"]
    assert (state_of(booking), members.count_open_conversations(booking.drive.organization)) == ("cancelled", 0)
    assert Message.objects.filter(kind="cancelled", channel="sms").count() == 1


def test_a_command_after_stop_and_start_still_works() -> None:
    booking = ana()
    asked(booking)
    for minute, text in enumerate(["STOP", "START", "C"]):
        say(text, DAY_BEFORE + timedelta(minutes=minute))
    assert state_of(booking) == "confirmed"


def test_a_command_after_the_prompt_has_expired_goes_to_a_coordinator() -> None:
    booking = ana()
    asked(booking, expires_at=DAY_BEFORE + timedelta(hours=1))
    reply = say("X", DAY_BEFORE + timedelta(hours=2))
    conversation = Conversation.objects.get()
    assert (state_of(booking), reply.handled_as, conversation.may_mean_cancel) == ("booked", "other", True)


def test_a_command_does_not_answer_a_later_prompt() -> None:
    booking = ana()
    later = ana(builders.drive(booking.drive.organization), number=43)
    first = asked(booking, DAY_BEFORE)
    reply = notifications_replies.receive_reply(
        sender_number=Sender.objects.order_by("pk")[0].number,
        provider_id="SM1",
        address=PHONE,
        text="C",
        now=DAY_BEFORE + timedelta(minutes=1),
    )
    asked_of(
        booking.drive.organization,
        DAY_BEFORE + timedelta(minutes=2),
        address=PHONE,
        about=later.about,
        kind="day_before",
        expires_at=later.starts_at,
    )
    replies.handle_new_replies(now=DAY_BEFORE + timedelta(minutes=3))
    reply.refresh_from_db()
    assert first.about == booking.about
    assert (state_of(booking), state_of(later), reply.handled_as) == ("confirmed", "booked", "confirm")


@pytest.mark.parametrize("letter", ["C", "X"])
def test_a_command_for_the_old_time_of_a_moved_booking_goes_to_a_coordinator(letter: str) -> None:
    booking = ana()
    asked(booking)
    changes.move_bookings(
        booking_id=booking.pk, slot_id=builders.slot(booking.drive, 8).pk, actor="user:1", now=DAY_BEFORE
    )
    reply = say(letter, DAY_BEFORE + timedelta(seconds=10))
    assert (state_of(booking), reply.handled_as) == ("booked", "unclear")
    assert members.count_open_conversations(booking.drive.organization) == 1


@pytest.mark.parametrize(("letter", "state"), [("C", "confirmed"), ("X", "cancelled")])
def test_a_reply_counts_for_the_new_time_once_the_donor_is_notified(letter: str, state: str) -> None:
    booking = ana()
    asked(booking)
    changes.move_bookings(
        booking_id=booking.pk, slot_id=builders.slot(booking.drive, 8).pk, actor="user:1", now=DAY_BEFORE
    )
    made.deliver(DAY_BEFORE + timedelta(seconds=5))
    say(letter, DAY_BEFORE + timedelta(minutes=1))
    assert state_of(booking) == state


def family() -> tuple[Booking, Booking]:
    """Create two bookings with the same phone. Each booking has an open question."""
    first = ana()
    second = ana(builders.drive(first.drive.organization), n=2, number=43, name="Test Ben Birch")
    asked(first, DAY_BEFORE)
    asked_of(
        second.drive.organization,
        DAY_BEFORE + timedelta(minutes=5),
        address=PHONE,
        about=second.about,
        revision=second.revision,
        kind="day_before",
        expires_at=second.starts_at,
    )
    return first, second


@pytest.mark.parametrize("letter", ["C", "X"])
def test_c_or_x_that_may_mean_two_bookings_is_asked_about_by_name_and_time(letter: str) -> None:
    first, second = family()
    reply = say(letter, DAY_BEFORE + timedelta(minutes=6))
    assert (state_of(first), state_of(second), reply.handled_as) == ("booked", "booked", "asked")
    (question,) = Message.objects.filter(kind="reply_answer")
    assert f"{letter} 1 = Test " in question.text
    assert f"{letter} 2 = Test " in question.text
    assert (message_content.is_gsm(question.text), message_content.count_segments(question.text)) == (True, 1)
    assert members.count_open_conversations(first.drive.organization) == 0


@pytest.mark.parametrize(
    ("answers", "left"),
    [
        (["X 1"], ["cancelled", "booked"]),
        (["X 2"], ["booked", "cancelled"]),
        (["X 1", "X 1"], ["cancelled", "booked"]),
        (["X 1", "X"], ["cancelled", "booked"]),
        (["X all"], ["cancelled", "cancelled"]),
        (["C 2"], ["booked", "confirmed"]),
        (["X 3"], ["booked", "booked"]),
        (["X Zoe"], ["booked", "booked"]),
    ],
)
def test_the_donor_says_which(answers: list[str], left: list[str]) -> None:
    rows = sorted(family(), key=lambda row: (row.starts_at, row.pk))
    say("X", DAY_BEFORE + timedelta(minutes=6))
    made.deliver(DAY_BEFORE + timedelta(minutes=6))
    for minute, answer in enumerate(answers, 7):
        say(answer, DAY_BEFORE + timedelta(minutes=minute))
    assert [state_of(row) for row in rows] == left


@pytest.mark.parametrize("answer", ["X Zoe", "x zoé"])
def test_the_donor_says_which_by_first_name(answer: str) -> None:
    first, second = family()
    Volunteer.objects.filter(bookings=second).update(name="Zoe Test")
    say("X", DAY_BEFORE + timedelta(minutes=6))
    made.deliver(DAY_BEFORE + timedelta(minutes=6))
    say(answer, DAY_BEFORE + timedelta(minutes=7))
    assert (state_of(first), state_of(second)) == ("booked", "cancelled")


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("X 1", ["booked", "booked"]),
        ("C 1", ["booked", "booked"]),
        ("X all", ["booked", "booked"]),
        ("X 2", ["booked", "cancelled"]),
    ],
)
def test_a_choice_does_not_count_for_a_booking_that_has_moved_since_the_question(answer: str, left: list[str]) -> None:
    rows = sorted(family(), key=lambda row: (row.starts_at, row.pk))
    say("X", DAY_BEFORE + timedelta(minutes=6))
    made.deliver(DAY_BEFORE + timedelta(minutes=6))
    slot = builders.slot(rows[0].drive, 8).pk
    changes.move_bookings(booking_id=rows[0].pk, slot_id=slot, actor="user:1", now=DAY_BEFORE + timedelta(minutes=7))
    reply = say(answer, DAY_BEFORE + timedelta(minutes=8))
    assert [state_of(row) for row in rows] == left
    assert reply.handled_as == ("cancel" if answer == "X 2" else "unclear")


@pytest.mark.parametrize(("days", "fits"), [(3, True), (4, False)])
def test_a_question_that_needs_two_texts_is_not_asked(days: int, fits: bool) -> None:
    owner = builders.organization(sms_name="W" * 20)
    policy = builders.lax().pk
    rows = [
        ana(builders.drive(owner, day=builders.DRIVE_DAY + timedelta(days=day), policy_id=policy), number=50 + day, n=6)
        for day in range(days)
    ]
    asked(rows[0])
    reply = say("Hello", DAY_BEFORE, number=50)
    assert reply_answers.ask_which(reply, ReplyCommand.CANCEL, [Question(row) for row in rows], DAY_BEFORE) is fits
    assert Message.objects.filter(kind="reply_answer").count() == fits


@pytest.mark.parametrize(
    ("name", "shown"), [("Bartholomewu", "1 = Bartholomewu Sat"), ("Bartholomewus", "1 = Bartholomewu Sat")]
)
def test_a_question_names_up_to_twelve_letters(name: str, shown: str) -> None:
    booking = ana()
    Volunteer.objects.filter(bookings=booking).update(name=f"{name} Test")
    asked(booking)
    reply = say("Hello", DAY_BEFORE)
    assert reply_answers.ask_which(
        reply, ReplyCommand.CANCEL, [Question(Booking.objects.get(pk=booking.pk))], DAY_BEFORE
    )
    assert shown in Message.objects.get(kind="reply_answer").text


def test_control_c_or_x_to_the_only_question_acts_at_once() -> None:
    first, second = ana(), ana(builders.drive(), number=43)
    asked(first, DAY_BEFORE)
    say("X", DAY_BEFORE + timedelta(minutes=6))
    assert (state_of(first), state_of(second)) == ("cancelled", "booked")


def test_a_refused_c_or_x_is_explained() -> None:
    booking = ana()
    asked(booking)
    changes.cancel_bookings(
        booking_id=booking.pk, actor="user:1", cancelled_by=CancelledBy.COORDINATOR, now=DAY_BEFORE, reason=""
    )
    made.deliver(DAY_BEFORE + timedelta(seconds=5))
    assert say("C", DAY_BEFORE + timedelta(minutes=1)).handled_as == "refused"
    (answer,) = Message.objects.filter(kind="reply_answer")
    assert len(answer.text) > len("Hope Foundation: ")


def test_a_command_for_a_deleted_row_goes_to_a_coordinator() -> None:
    organization, later = builders.organization(), DAY_BEFORE + timedelta(days=1)
    for about in ("offer:7", "booking:0"):
        asked_of(organization, DAY_BEFORE, address=PHONE, about=about, kind="offer", expires_at=later)
    assert say("C", DAY_BEFORE).handled_as == "unclear"
    assert members.count_open_conversations(organization) == 1


# Texts that wait for a coordinator


def test_free_text_is_shown_to_the_coordinator_with_the_booking() -> None:
    booking = ana(n=4)
    asked(booking)
    say("Where do I park? <script>alert(1)</script>", DAY_BEFORE)
    organization = booking.drive.organization
    (conversation,) = inbox_queries.list_conversations(organization)
    (row,) = inbox_queries.load_conversation_rows(organization, [conversation])
    assert (row.names, row.text) == (["Test Ana Alder"], "Where do I park? <script>alert(1)</script>")
    shown = inbox_queries.load_thread(conversation, DAY_BEFORE)
    assert [beside.booking for beside in shown.bookings] == [booking]
    assert [line.message is not None for line in shown.texts] == [True, False]
    assert conversation.may_mean_cancel is False


def test_the_same_text_is_filed_once() -> None:
    booking = ana()
    asked(booking)
    for _ in range(3):
        say("Hello?", DAY_BEFORE, sid="SM-the-same")
    assert Conversation.objects.get().texts.count() == 1
    (reply,) = InboundMessage.objects.all()
    conversations.file_reply(reply=reply, organization=None, needs_a_person=True, may_mean_cancel=False)
    assert Conversation.objects.get().texts.count() == 1


def test_cancel_stops_all_texts_at_once_and_is_shown_as_a_possible_cancellation() -> None:
    booking = ana()
    asked(booking)
    reply = say("CANCEL", DAY_BEFORE)
    conversation = Conversation.objects.get()
    assert (reply.handled_as, reply.handled_at) == ("stop_or_cancel", DAY_BEFORE)
    assert (state_of(booking), conversation.may_mean_cancel) == ("booked", True)
    assert inbox_queries.load_answer_permission(conversation, DAY_BEFORE).code == "opted_out"


@pytest.mark.parametrize("text", ["STOP", "alto", "START", "help"])
def test_stop_start_and_help_need_no_coordinator(text: str) -> None:
    booking = ana()
    asked(booking)
    say(text, DAY_BEFORE)
    assert members.count_open_conversations(booking.drive.organization) == 0


def test_a_sentence_that_stops_texts_is_heeded_at_once_and_read_by_a_person() -> None:
    booking = ana()
    asked(booking)
    reply = say("Please stop texting me. I was at the wrong door. Where is it?", DAY_BEFORE)
    conversation = Conversation.objects.get()
    assert (reply.handled_as, reply.handled_at) == ("stop_in_words", DAY_BEFORE)
    assert conversation.unanswered_since == DAY_BEFORE
    assert inbox_queries.load_answer_permission(conversation, DAY_BEFORE).code == "opted_out"


def test_on_a_shared_sender_free_text_goes_to_the_organization_that_texted_last() -> None:
    first, second = ana(), ana(builders.drive(builders.organization("Faith Foundation"), policy_id=builders.lax().pk))
    shared = first.drive.organization.senders.get()
    second.drive.organization.senders.set([shared])
    asked(second, DAY_BEFORE)
    asked(first, DAY_BEFORE + timedelta(minutes=5), kind="moved")
    say("Thank you", DAY_BEFORE + timedelta(minutes=6), shared)
    assert [members.count_open_conversations(one.drive.organization) for one in (first, second)] == [1, 0]


def test_a_first_text_goes_to_each_organization_that_knows_the_number() -> None:
    first, second = ana(), ana(builders.drive(builders.organization("Faith Foundation"), policy_id=builders.lax().pk))
    shared = first.drive.organization.senders.get()
    second.drive.organization.senders.set([shared])
    third = builders.organization("Third")
    third.senders.set([shared])
    say("Are you open today?", DAY_BEFORE, shared)
    counted = [
        members.count_open_conversations(one) for one in (first.drive.organization, second.drive.organization, third)
    ]
    assert counted == [1, 1, 0]
    say("Hello", DAY_BEFORE, shared, number=77)
    assert Conversation.objects.filter(address=builders.phone(77)).count() == 0


def test_a_stranger_reaches_the_only_organization_of_a_sender() -> None:
    organization = builders.organization()
    say("How do I book?", DAY_BEFORE, number=77)
    assert members.count_open_conversations(organization) == 1


@pytest.mark.expects_errors
def test_a_reply_that_fails_is_parked_and_the_rest_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    booking = ana()
    asked(booking)
    Message.objects.filter(kind="day_before").update(about="booking:no-number")
    assert say("C", DAY_BEFORE).handled_as == "failed"
    assert members.count_open_conversations(booking.drive.organization) == 1
    assert say("Hello", DAY_BEFORE).handled_as == "other"


# Replies to the donor


def talk(text: str = "Where do I park?", at: datetime = DAY_BEFORE) -> Conversation:
    booking = ana()
    asked(booking, at)
    say(text, at)
    return Conversation.objects.select_related("organization").get()


def answered(conversation: Conversation, text: str = "Behind the hall.", key: str = "a", after: float = 0) -> Message:
    return conversations.send_answer(
        conversation_id=conversation.pk,
        text=text,
        request_key=key,
        actor="user:1",
        now=DAY_BEFORE + timedelta(hours=after),
    )


def test_an_answer_within_a_day_needs_no_consent_names_the_organization_and_closes_the_case() -> None:
    conversation = talk()
    ConsentEntry.objects.all().delete()
    message = answered(conversation, "Detrás del salón, ¡gracias!", after=23)
    assert (message.text, message.purpose) == ("Hope Foundation: Detras del salon, ¡gracias!", "")
    made.deliver(DAY_BEFORE + timedelta(hours=23))
    message.refresh_from_db()
    assert (message.state, message.keeps_quiet_hours) == ("delivered", False)
    assert members.count_open_conversations(conversation.organization) == 0
    assert AuditEntry.objects.filter(verb="reply.answered", actor="user:1").count() == 1


def test_a_later_answer_needs_consent() -> None:
    conversation = talk()
    assert answered(conversation, after=25).purpose == "reminders"
    ConsentEntry.objects.all().delete()
    with pytest.raises(ValidationError) as refusal:
        answered(conversation, key="b", after=25)
    assert refusal.value.error_dict["text"][0].code == "no_consent"


def test_a_number_after_stop_gets_no_answer() -> None:
    conversation = talk()
    queued = answered(conversation)
    say("STOP", DAY_BEFORE)
    made.deliver(DAY_BEFORE)
    queued.refresh_from_db()
    assert queued.state == "withdrawn"
    with pytest.raises(ValidationError) as refusal:
        answered(conversation, key="b")
    assert refusal.value.error_dict["text"][0].code == "opted_out"


def test_a_consent_taken_back_after_the_text_holds() -> None:
    conversation = talk()
    at = DAY_BEFORE + timedelta(minutes=5)
    builders.agreed(conversation.organization, PHONE)
    ConsentEntry.objects.filter(address=PHONE).update(given=False, at=at)
    with pytest.raises(ValidationError) as refusal:
        answered(conversation, after=1)
    assert refusal.value.error_dict["text"][0].code == "consent_withdrawn"


def test_an_answer_sent_twice_is_one() -> None:
    conversation = talk()
    assert answered(conversation) == answered(conversation)
    assert Message.objects.filter(kind="answer").count() == 1
    assert AuditEntry.objects.filter(verb="reply.answered").count() == 1


@pytest.mark.parametrize(
    ("text", "code"), [("", "text_missing"), (" \u202e ", "text_missing"), ("a" * 460, "too_long")]
)
def test_an_answer_without_words_or_without_end_is_refused(text: str, code: str) -> None:
    conversation = talk()
    with pytest.raises(ValidationError) as refusal:
        answered(conversation, text)
    assert refusal.value.error_dict["text"][0].code == code


@pytest.mark.parametrize(
    ("text", "sent"), [("주차는 뒤쪽입니다", "주차는 뒤쪽입니다"), ("Sure 👍", "Sure 👍"), ("a\nb", "a b")]
)
def test_characters_outside_the_sms_alphabet_are_kept(text: str, sent: str) -> None:
    assert answered(talk(), text).text == f"Hope Foundation: {sent}"


def test_a_new_text_opens_a_closed_conversation_again() -> None:
    conversation = talk()
    conversations.close_conversation(conversation_id=conversation.pk, actor="user:1", now=DAY_BEFORE)
    assert members.count_open_conversations(conversation.organization) == 0
    say("And the bus?", DAY_BEFORE + timedelta(hours=1))
    assert members.count_open_conversations(conversation.organization) == 1
    assert list(inbox_queries.list_conversations(conversation.organization)) == [conversation]


def test_a_booking_cancelled_for_a_text_counts_as_the_donors_own() -> None:
    conversation = talk("I can't come")
    booking = Booking.objects.get()
    assert conversation.may_mean_cancel is True
    conversations.cancel_requested_booking(
        conversation_id=conversation.pk, booking_id=booking.pk, actor="user:1", now=DAY_BEFORE
    )
    booking.refresh_from_db()
    assert (booking.state, booking.cancelled_by) == ("cancelled", "donor")
    assert members.count_open_conversations(conversation.organization) == 0


def test_the_list_takes_as_many_queries_for_three_as_for_one(django_assert_num_queries: Any) -> None:
    organization = builders.organization()
    say("Hello", DAY_BEFORE, number=1)
    with django_assert_num_queries(5):
        inbox_queries.load_conversation_rows(organization, list(inbox_queries.list_conversations(organization)))
    say("Hello", DAY_BEFORE, number=2)
    say("Hello", DAY_BEFORE, number=3)
    with django_assert_num_queries(5):
        inbox_queries.load_conversation_rows(organization, list(inbox_queries.list_conversations(organization)))


def test_a_text_allows_answers_for_exactly_a_day_and_an_answer_is_useful_for_an_hour() -> None:
    conversation = talk()
    ConsentEntry.objects.all().delete()
    message = answered(conversation, after=24)
    assert (message.purpose, message.expires_at) == ("", DAY_BEFORE + timedelta(hours=24) + timedelta(hours=1))
    with pytest.raises(ValidationError) as refusal:
        answered(conversation, key="b", after=24 + 1 / 3600)
    assert refusal.value.error_dict["text"][0].code == "no_consent"
