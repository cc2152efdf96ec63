"""Pages of replies, broadcasts and calls in a real browser: accessibility, narrow screens, light and dark colors."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from drives.inbox import conversations, replies
from drives.messaging import broadcasts
from drives.models import Conversation, Drive
from notifications import replies as notifications_replies
from notifications.models import Message
from organizations.models import Membership
from tests import builders
from tests.browser.pages import IN_BROWSER, OpenPage, look_in_every_view, press
from tests.builders import NOW
from tests.notifications import made

pytestmark = IN_BROWSER

QUESTIONS = (
    "Hello, can my sister come along? She has never given before and would like to see how it is.",
    "Lo siento, no puedo ir mañana",
    "CANCEL",
)


def world() -> tuple[Membership, Drive]:
    """Create a running drive with donors who replied, a donor whom no message reached, and a broadcast."""
    member = builders.member(builders.organization(), email="ben@example.org")
    drive = builders.drive(member.organization)
    names = ("Test Ana Alder", "Test Bo Birch", "Test Carla Cedar", "Test Dee Dogwood", "Test Eve Elm")
    for number, name in enumerate(names):
        consents = () if number == 4 else ("reminders",)
        mail = f"donor{number}@example.org" if number == 3 else ""
        builders.booked(drive, n=2 * number, number=number, name=name, consents=consents, email=mail)
    made.deliver(NOW)
    for number, text in enumerate(QUESTIONS):
        notifications_replies.receive_reply(
            sender_number=member.organization.senders.get().number,
            provider_id=f"SM{number}",
            address=builders.phone(number),
            text=text,
            now=NOW + timedelta(minutes=number),
        )
    replies.handle_new_replies(now=NOW + timedelta(minutes=5))
    first = Conversation.objects.order_by("pk")[0]
    conversations.send_answer(
        conversation_id=first.pk, text="Of course, bring her!", request_key="a", actor="user:1", now=NOW
    )
    broadcasts.send_late_notice(
        drive=drive, minutes=20, request_key="a", actor=f"user:{member.user.pk}", now=drive.starts_at
    )
    made.deliver(drive.starts_at + timedelta(minutes=1))
    return member, drive


def signed_in(page: Page, member: Membership, live_server: LiveServer) -> Page:
    client = Client()
    client.force_login(member.user)
    cookie: Any = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])
    return page


def test_no_barriers_and_no_sideways_scroll(open_page: OpenPage, live_server: LiveServer, time_machine: Any) -> None:
    member, drive = world()
    time_machine.move_to(drive.starts_at + timedelta(minutes=1))
    page, problems = signed_in(open_page(), member, live_server), list[str]()
    talks = list(Conversation.objects.order_by("pk").values_list("pk", flat=True))
    addresses = {
        "replies": reverse("organizer_replies"),
        "replies-all": reverse("organizer_replies") + "?all=1",
        "reply-answered": reverse("organizer_conversation", args=[talks[0]]),
        "reply-cancel": reverse("organizer_conversation", args=[talks[1]]),
        "reply-stopped": reverse("organizer_conversation", args=[talks[2]]),
        "broadcasts": reverse("organizer_broadcasts", args=[drive.pk]),
        "calls": reverse("organizer_call_list", args=[drive.pk]),
        "late": reverse("checkin_running_late", args=[drive.slug]),
        "checkin": reverse("checkin", args=[drive.slug]),
        "desk": reverse("organizer_drive", args=[drive.pk]),
    }
    for name, address in addresses.items():
        page.goto(live_server.url + address)
        problems += look_in_every_view(page, name)
    page.goto(live_server.url + reverse("organizer_write_broadcast", args=[drive.pk]))
    problems += look_in_every_view(page, "write")
    press(page, "Review")
    problems += look_in_every_view(page, "write-error")
    page.get_by_label("Message", exact=True).fill("{name}, please come to door B at {time}.")
    press(page, "Review")
    problems += look_in_every_view(page, "write-shown")
    count = page.locator("p > b.tabular").inner_text()
    page.get_by_label("Type this number").fill(count)
    press(page, f"Send to {count} people")
    problems += look_in_every_view(page, "broadcast")
    assert page.get_by_role("button", name="Stop").is_visible()
    assert problems == []


def test_the_length_of_an_answer_is_said_while_typing_and_the_answer_leaves(
    open_page: Callable[..., Page], live_server: LiveServer
) -> None:
    member, _drive = world()
    page = signed_in(open_page(), member, live_server)
    page.goto(live_server.url + reverse("organizer_conversation", args=[Conversation.objects.order_by("pk")[1].pk]))
    page.get_by_label("Your answer").fill("Gracias por avisar.")
    page.locator("#length").get_by_text("36 characters, 1 text").wait_for()
    page.get_by_role("button", name="Send the answer").click()
    page.get_by_text("We’re sending your answer.").wait_for()
    assert Message.objects.filter(kind="answer").count() == 2
