"""Several questions are open for one phone number, and the donor replies with only C or X.

We ask the donor which visit the reply is about, and the donor's answer decides.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from drives.domain import localtime, reply_parser
from drives.inbox.questions import Question
from drives.models import Booking, Offer
from drives.waitlist import offers
from notifications import message_content
from notifications.models import Message
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.drives.inbox.test_conversations import PHONE, asked, asked_of, say, state_of
from tests.notifications import made
from volunteers.models import Volunteer

MINUTE = timedelta(minutes=1)
database = pytest.mark.django_db
Asked = Callable[[Organization, int], Question]


def ask_about_booking(owner: Organization, position: int) -> Question:
    """Create a booking of Ana (position 0) or Zoe (1), and text a question about it to Ana's phone."""
    drive = builders.drive(owner, day=builders.DRIVE_DAY + position * timedelta(days=1))
    booking = builders.booked(drive, number=42 + position, n=2 * position, name=("Ana Test", "Zoe Test")[position])
    asked_of(
        owner, NOW, address=PHONE, about=booking.about, revision=0, kind="day_before", expires_at=booking.starts_at
    )
    return Question(booking)


def ask_about_offer(owner: Organization, position: int) -> Question:
    day, policy = builders.DRIVE_DAY + position * timedelta(days=1), builders.lax()
    full = builders.full_drive(of=owner, day=day, policy_id=policy.pk)
    entry = builders.waits(full[0].drive, number=42 + position, name=("Ana Test", "Zoe Test")[position])
    builders.cancelled(full[position])
    offers.sweep_waitlists(now=NOW)
    made.deliver(NOW)
    offer = builders.offer_to(entry)
    assert offer is not None
    Message.objects.filter(about=offer.about).update(address=PHONE)
    return Question(None, offer)


def result_of(question: Question) -> str:
    if question.booking:
        return state_of(question.booking)
    return Offer.objects.get(pk=question.subject.pk).state


def say_and_deliver(text: str, minute: int) -> str:
    handled_as = say(text, NOW + minute * MINUTE).handled_as
    made.deliver(NOW + minute * MINUTE)
    return handled_as


PAIRS = [
    (ask_about_booking, ask_about_booking),
    (ask_about_offer, ask_about_booking),
    (ask_about_booking, ask_about_offer),
    (ask_about_offer, ask_about_offer),
]
DONE = {
    ("booking", "C"): "confirmed",
    ("booking", "X"): "cancelled",
    ("offer", "C"): "accepted",
    ("offer", "X"): "declined",
}
ANSWERS = {
    "number": "{letter} 2",
    "name": "{letter} Zoe",
    "time": "{letter} {time}",
    "bare number": "2",
    "bare name": "Zoe, please",
    "bare time": "the {time} one",
}


@database
@pytest.mark.parametrize("letter", ["C", "X"])
@pytest.mark.parametrize("pair", PAIRS)
def test_c_or_x_with_another_open_question_is_asked_about_and_each_answer_counts(
    pair: tuple[Asked, Asked], letter: str
) -> None:
    owner = builders.organization(codes_per_day=100_000)
    first, second = (ask(owner, position) for position, ask in enumerate(pair))
    before = (result_of(first), result_of(second))
    for number, answer in enumerate(ANSWERS.values()):
        with builders.rolled_back():
            assert say_and_deliver(letter, 10) == "asked"
            (question,) = Message.objects.filter(kind="reply_answer")
            assert f"{letter} 1 = Ana " in question.text
            assert f"{letter} 2 = Zoe " in question.text
            assert (message_content.is_gsm(question.text), message_content.count_segments(question.text)) == (True, 1)
            assert (result_of(first), result_of(second)) == before
            time = localtime.format_time(second.starts_at, second.drive.site.timezone)
            handled_as = say_and_deliver(answer.format(letter=letter, time=time), 11 + number)
            kind = "booking" if second.booking else "offer"
            assert (result_of(first), result_of(second)) == (before[0], DONE[kind, letter]), answer
            assert handled_as == {"C": "confirm", "X": "cancel"}[letter]


@database
@pytest.mark.parametrize(("letter", "codes"), [("C", ["accepted", "confirmed"]), ("X", ["declined", "cancelled"])])
def test_all_answers_an_offer_and_a_booking(letter: str, codes: list[str]) -> None:
    owner = builders.organization(codes_per_day=100_000)
    offer, booking = ask_about_offer(owner, 0), ask_about_booking(owner, 1)
    say_and_deliver(letter, 10)
    say_and_deliver(f"{letter} all", 11)
    assert [result_of(offer), result_of(booking)] == codes


@database
def test_each_refusal_has_its_own_answer() -> None:
    owner = builders.organization(codes_per_day=100_000)
    offer, booking = ask_about_offer(owner, 0), ask_about_booking(owner, 1)
    say_and_deliver("C", 10)
    assert booking.booking is not None
    Booking.objects.filter(pk=booking.booking.pk).update(state="checked_in")
    offers.decline_offer(offer_id=offer.subject.pk, now=NOW + 11 * MINUTE)
    assert say_and_deliver("C all", 12) == "refused"
    refusals = Message.objects.filter(kind__in=["reply_answer", "waitlist_answer"]).exclude(about__startswith="which:")
    assert {text.about.partition(":")[0] for text in refusals} == {"booking", "offer"}


@database
@pytest.mark.parametrize("letter", ["C", "X"])
def test_c_or_x_after_an_offer_has_ended_changes_no_booking(letter: str) -> None:
    owner = builders.organization(codes_per_day=100_000)
    booking, offer = ask_about_booking(owner, 1), ask_about_offer(owner, 0)
    assert offer.offer is not None
    Message.objects.filter(about=offer.about).update(sending_at=NOW + MINUTE, expires_at=NOW + 2 * MINUTE)
    assert say_and_deliver(letter, 10) == "asked"
    assert result_of(booking) == "booked"
    (question,) = Message.objects.filter(kind="reply_answer")
    assert f"{letter} 1 = Zoe " in question.text


@database
def test_control_a_bare_answer_counts_only_right_after_the_question() -> None:
    owner = builders.organization(codes_per_day=100_000)
    first, second = ask_about_booking(owner, 0), ask_about_booking(owner, 1)
    assert say_and_deliver("2", 9) == "other"
    say_and_deliver("X", 10)
    assert first.booking is not None
    asked(first.booking, NOW + 11 * MINUTE, kind="same_day")
    assert say_and_deliver("2", 12) == "other"
    assert (result_of(first), result_of(second)) == ("booked", "booked")


@database
def test_a_bare_answer_does_not_confirm_after_an_x_whose_question_has_not_left_yet() -> None:
    owner = builders.organization(codes_per_day=100_000)
    first, second = ask_about_booking(owner, 0), ask_about_booking(owner, 1)
    say_and_deliver("C", 10)
    assert say("X", NOW + 20 * MINUTE).handled_as == "asked"
    assert say_and_deliver("2", 21) == "other"
    assert (result_of(first), result_of(second)) == ("booked", "booked")
    assert say_and_deliver("2", 22) == "cancel"
    assert (result_of(first), result_of(second)) == ("booked", "cancelled")


@database
def test_two_people_with_one_first_name_are_told_apart_by_number_or_time_only() -> None:
    owner = builders.organization(codes_per_day=100_000)
    first, second = ask_about_booking(owner, 0), ask_about_booking(owner, 1)
    Volunteer.objects.update(name="Ana Test")
    say_and_deliver("X", 10)
    assert say_and_deliver("X Ana", 11) == "unclear"
    say_and_deliver("X 2", 12)
    assert (result_of(first), result_of(second)) == ("booked", "cancelled")


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        *(("2", "2"), ("number 2", "2"), ("Zoe", "zoe"), ("la de Zoé", "zoe"), ("all", "all"), ("ambas", "all")),
        *(("10:30", "10 30"), ("the 10:30 AM one", "10 30 am"), ("a las 10:30 a.m.", "10 30 a m"), ("10am", "10am")),
        *(("2?", ""), ("Ana can't come", ""), ("2\nand call me", ""), ("", ""), ("10:30 or 11", "")),
    ],
)
def test_a_short_answer_is_a_choice_and_a_sentence_is_none(text: str, choice: str) -> None:
    assert reply_parser.parse_choice(text) == choice


@pytest.mark.parametrize(
    ("choice", "times"),
    [
        ("10 30", {(10, 30), (22, 30)}),
        ("1030", {(10, 30), (22, 30)}),
        ("10 30 am", {(10, 30)}),
        ("12 am", {(0, 0)}),
        ("12 p m", {(12, 0)}),
        ("14 30", {(14, 30)}),
        ("23", {(23, 0)}),
        *(("24", set[tuple[int, int]]()), ("10 60", set[tuple[int, int]]()), ("zoe", set[tuple[int, int]]())),
    ],
)
def test_a_time_may_leave_out_morning_or_evening(choice: str, times: set[tuple[int, int]]) -> None:
    assert reply_parser.list_clock_times(choice) == times
