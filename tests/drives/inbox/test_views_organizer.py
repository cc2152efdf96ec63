from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from drives.inbox import replies
from drives.models import Booking, Conversation
from notifications import replies as notifications_replies
from notifications.models import Message, Sender, Suppression
from organizations.models import AuditEntry, Membership, Organization, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def ben(role: str = Role.COORDINATOR) -> Membership:
    return builders.member(builders.organization(), role)


def says(organization: Organization, words: str, number: int = 42) -> Conversation:
    notifications_replies.receive_reply(
        sender_number=Sender.objects.get(organizations=organization).number,
        provider_id=f"SM-{organization.pk}-{number}-{words}",
        address=builders.phone(number),
        text=words,
        now=NOW,
    )
    replies.handle_new_replies(now=NOW)
    return Conversation.objects.get(organization=organization, address=builders.phone(number))


def address(conversation: Conversation, page: str = "conversation") -> str:
    return reverse(f"organizer_{page}", args=[conversation.pk])


def test_a_reply_is_counted_at_home_listed_and_shown_beside_the_booking() -> None:
    member = ben()
    browser, booking = coordinator.signed_in(member), builders.booked(builders.drive(member.organization))
    conversation = says(member.organization, "Can my sister come along? <b>")
    assert "1 reply needs an answer." in text(browser.get("/organizer/"))
    listed = browser.get(reverse("organizer_replies"))
    assert "Test Ana Alder Mon Mar 1, 10:00 AM Can my sister come along? &lt;b&gt; waiting" in text(listed)
    shown = browser.get(address(conversation))
    assert "Can my sister come along? &lt;b&gt;" in shown.content.decode()
    assert reverse("organizer_booking", args=[booking.pk]) in shown.content.decode()
    at_booking = text(browser.get(reverse("organizer_booking", args=[booking.pk])))
    assert "“Can my sister come along? &lt;b&gt;” Open the conversation" in at_booking


def test_an_answer_goes_out_once_and_closes_the_case() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    builders.booked(builders.drive(member.organization))
    conversation = says(member.organization, "Where do I park?")
    form = browser.get(address(conversation)).context["form"]
    typed = {"text": "Behind the hall.", "request_key": form.initial["request_key"]}
    for _ in range(2):
        assert browser.post(address(conversation, "answer_conversation"), typed)["Location"] == address(conversation)
    assert [message.text for message in Message.objects.filter(kind="answer")] == ["Hope Foundation: Behind the hall."]
    shown = text(browser.get(address(conversation)))
    assert "Answer, Mon Mar 1, 10:00 AM waiting to be sent" in shown
    assert "No one is waiting for an answer." in text(browser.get(reverse("organizer_replies")))
    assert "Test Ana Alder" in text(browser.get(reverse("organizer_replies"), {"all": "1"}))


@pytest.mark.parametrize("typed", [{}, {"text": ""}, {"text": "x" * 500, "request_key": "1"}])
def test_a_refused_answer_is_explained_beside_the_field_and_stays_typed(typed: dict[str, str]) -> None:
    member = ben()
    conversation = says(member.organization, "Hello")
    response = coordinator.signed_in(member).post(address(conversation, "answer_conversation"), typed)
    assert response.status_code == 422
    assert "There is a problem" in text(response)
    assert typed.get("text", "") in response.content.decode()
    assert Message.objects.filter(kind="answer").count() == 0


def test_after_stop_the_page_shows_phone_and_e_mail_instead_of_a_form() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    builders.booked(builders.drive(member.organization), email="ana@example.org")
    conversation = says(member.organization, "CANCEL")
    shown = browser.get(address(conversation)).content.decode()
    assert "The donor asked us to stop texting" in shown
    assert "mailto:ana@example.org" in shown
    assert "The donor may want to cancel." in shown
    assert 'name="text"' not in shown
    refused = browser.post(address(conversation, "answer_conversation"), {"text": "Hi", "request_key": "1"})
    assert (refused.status_code, Message.objects.filter(kind="answer").count()) == (422, 0)


def test_a_booking_is_cancelled_from_the_conversation() -> None:
    member = ben()
    browser, booking = coordinator.signed_in(member), builders.booked(builders.drive(member.organization))
    conversation = says(member.organization, "I can't come")
    assert "may want to cancel" in text(browser.get(reverse("organizer_replies")))
    where = reverse("organizer_conversation_cancel_booking", args=[conversation.pk, booking.pk])
    assert "The booking is cancelled." in text(browser.post(where, follow=True))
    booking.refresh_from_db()
    assert (booking.state, booking.cancelled_by) == ("cancelled", "donor")


def test_only_bookings_of_that_phone_are_cancelled_there() -> None:
    member = ben()
    drive = builders.drive(member.organization)
    builders.booked(drive)
    other = builders.booked(drive, n=4, number=43)
    conversation = says(member.organization, "I can't come")
    where = reverse("organizer_conversation_cancel_booking", args=[conversation.pk, other.pk])
    assert coordinator.signed_in(member).post(where).status_code == 404
    assert Booking.objects.get(pk=other.pk).state == "booked"


def test_closing_a_conversation_takes_it_off_the_list() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    conversation = says(member.organization, "Thank you!")
    assert "Done." in text(browser.post(address(conversation, "close_conversation"), follow=True))
    assert "No one is waiting for an answer." in text(browser.get(reverse("organizer_replies")))


def test_the_length_is_said_while_typing() -> None:
    browser = coordinator.signed_in(ben())
    said = text(browser.post(reverse("organizer_measure_reply"), {"text": "Behind the hall."}))
    assert said == "33 characters, 1 text"
    assert "70 characters per text because of 주" in text(
        browser.post(reverse("organizer_measure_reply"), {"text": "주"})
    )


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CHECK_IN])
def test_a_viewer_reads_and_sends_nothing(role: str) -> None:
    member = ben(role)
    browser = coordinator.signed_in(member)
    booking = builders.booked(builders.drive(member.organization))
    conversation = says(member.organization, "I can't come")
    shown = browser.get(address(conversation))
    assert shown.status_code == 200
    assert "Send the answer" not in text(shown)
    typed = {"text": "Hi", "request_key": "1"}
    where = reverse("organizer_conversation_cancel_booking", args=[conversation.pk, booking.pk])
    addresses = [address(conversation, "answer_conversation"), address(conversation, "close_conversation"), where]
    assert [browser.post(each, typed).status_code for each in addresses] == [403, 403, 403]
    assert Message.objects.filter(kind="answer").count() == 0


def test_a_stranger_finds_no_conversation() -> None:
    member = ben()
    booking = builders.booked(builders.drive(member.organization))
    conversation = says(member.organization, "Hello")
    cleo = coordinator.signed_in(ben())
    where = reverse("organizer_conversation_cancel_booking", args=[conversation.pk, booking.pk])
    typed = {"text": "Hi", "request_key": "1"}
    answers = [cleo.get(address(conversation)).status_code]
    answers += [cleo.post(each, typed).status_code for each in (address(conversation, "answer_conversation"), where)]
    assert answers == [404, 404, 404]
    assert "Test Ana" not in text(cleo.get(reverse("organizer_replies"), {"all": "1"}))
    assert Client().get(address(conversation)).status_code == 302


def test_the_list_takes_as_many_queries_for_three_as_for_one() -> None:
    member = ben()
    browser = coordinator.signed_in(member)

    def conversations(many: int) -> Callable[[], object]:
        for number in range(Conversation.objects.count(), many):
            says(member.organization, "Hello", number)
        browser.get(reverse("organizer_replies"))
        return partial(browser.get, reverse("organizer_replies"))

    assert query_counts.count_for_each(conversations) <= 15


def test_a_long_list_comes_in_pages() -> None:
    member = ben()
    for number in range(30):
        says(member.organization, "Hello", number)
    browser = coordinator.signed_in(member)
    first = browser.get(reverse("organizer_replies"))
    assert len(first.context["rows"]) == 25
    assert len(browser.get(reverse("organizer_replies"), {"page": 2}).context["rows"]) == 5


def test_an_old_text_is_answered_only_with_consent(time_machine: Any) -> None:
    member = ben()
    conversation = says(member.organization, "Hello")
    time_machine.move_to(NOW + timedelta(hours=25), tick=False)
    shown = coordinator.AllDay(member.user).get(address(conversation))
    assert "The donor wrote more than a day ago and never agreed to texts." in text(shown)


@pytest.mark.parametrize(("characters", "is_refused"), [(599, False), (600, False), (601, True)])
def test_an_answer_has_at_most_six_hundred_characters(characters: int, is_refused: bool) -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    conversation = says(member.organization, "Where do I park?")
    typed = {"text": "x" * characters, "request_key": "k" * 32}
    answer = browser.post(address(conversation, "answer_conversation"), typed, follow=True)
    assert ("at most 600 characters" in text(answer)) == is_refused


@pytest.mark.parametrize(("characters", "measured"), [(1_199, 1_199), (1_200, 1_200), (1_201, 1_200)])
def test_the_length_of_an_answer_is_measured_up_to_twice_what_may_be_sent(characters: int, measured: int) -> None:
    browser = coordinator.signed_in(ben())
    shown = browser.post(reverse("organizer_measure_reply"), {"text": "x" * characters}).context["measured"]
    assert shown.characters == len("Hope Foundation: ") + measured


def test_a_possible_opt_out_is_shown_with_its_deadline_and_decided_with_one_tap() -> None:
    member = ben()
    browser, booking = coordinator.signed_in(member), builders.booked(builders.drive(member.organization))
    conversation = says(member.organization, "Please call me, don't text")
    assert "may not want any more texts" in text(browser.get(reverse("organizer_replies")))
    for page in (address(conversation), reverse("organizer_booking", args=[booking.pk])):
        shown = text(browser.get(page))
        assert "If no one decides by Wed Mar 3, 10:00 AM, we’ll treat the donor’s text as an opt-out." in shown
    browser.post(address(conversation, "decide_opt_out"), {"decision": "stop"})
    shown = text(browser.get(address(conversation)))
    assert "The donor opted out of texts on" in shown
    assert "Undo the opt-out" in shown
    assert AuditEntry.objects.filter(verb="opt_out.confirmed").count() == 1
    again = browser.post(address(conversation, "decide_opt_out"), {"decision": "keep"}, follow=True)
    assert "Someone else has already decided about this number." in text(again)


def test_a_coordinator_who_keeps_texting_ends_the_pause() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    conversation = says(member.organization, "Please call me, don't text")
    browser.post(address(conversation, "decide_opt_out"), {"decision": "keep"})
    assert "may not want any more texts" not in text(browser.get(address(conversation)))
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(("reason", "is_undone"), [("misread", True), ("", False), ("unknown", False)])
def test_an_inferred_opt_out_is_undone_with_a_reason(reason: str, is_undone: bool) -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    conversation = says(member.organization, "Please stop texting me")
    browser.post(address(conversation, "undo_opt_out"), {"reason": reason})
    assert Suppression.objects.exists() is not is_undone
    assert AuditEntry.objects.filter(verb="opt_out.undone_misread").exists() is is_undone


def test_control_a_keyword_has_no_undo_button_and_is_not_undone() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    conversation = says(member.organization, "CANCEL")
    assert "Only the donor can undo it, by texting START." in text(browser.get(address(conversation)))
    answer = browser.post(address(conversation, "undo_opt_out"), {"reason": "misread"}, follow=True)
    assert "Only the donor can undo this opt-out" in text(answer)
    assert Suppression.objects.get().basis == "keyword"


@pytest.mark.parametrize("page", ["decide_opt_out", "undo_opt_out"])
def test_a_viewer_decides_nothing(page: str) -> None:
    member = ben(Role.VIEWER)
    conversation = says(member.organization, "Please call me, don't text")
    assert coordinator.signed_in(member).post(address(conversation, page), {"decision": "stop"}).status_code == 403
    assert Suppression.objects.get().basis == "undecided"


@pytest.mark.parametrize(
    ("words", "shown", "may_undo"),
    [("Please stop texting me", "a coordinator can undo it", True), ("CANCEL", "Only the donor can undo it", False)],
)
def test_the_donors_page_shows_the_opt_out_and_the_way_to_undo_it(words: str, shown: str, may_undo: bool) -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    person = builders.booked(builders.drive(member.organization)).volunteer
    assert person is not None
    page = reverse("organizer_person", args=[person.pk])
    assert "opted out of texts" not in text(browser.get(page))
    conversation = says(member.organization, words)
    response = browser.get(page)
    assert "The donor opted out of texts on" in text(response)
    assert shown in text(response)
    assert (address(conversation) in response.content.decode()) is may_undo
