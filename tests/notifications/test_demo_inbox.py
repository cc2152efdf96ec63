from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from notifications.models import InboundMessage, InboxItem
from tests import builders
from tests.notifications import made
from tests.notifications.made import ANA, NOON

pytestmark = pytest.mark.django_db
PAGE, JSON = "/demo/inbox/", "/demo/inbox/messages.json"


@pytest.fixture
def _demo() -> Any:
    with override_settings(DEMO=True):
        yield


@pytest.mark.parametrize("path", [PAGE, JSON, "/demo/inbox/1/invitation.ics"])
def test_there_is_no_inbox_outside_the_demo(path: str) -> None:
    assert Client().get(path).status_code == 404
    assert Client().post("/demo/inbox/1/reply/", {"text": "C"}).status_code == 404


@pytest.mark.usefixtures("_demo")
def test_messages_are_listed_newest_first_for_scripts() -> None:
    organization = builders.organization()
    made.queued(organization, "First")
    made.deliver(NOON)
    made.queued(organization, "Second")
    made.queued(organization, "Elsewhere", address="+12135550143")
    made.deliver(NOON + timedelta(seconds=5))
    listed = Client().get(JSON, {"to": ANA}).json()
    assert listed == [
        {"to": ANA, "channel": "sms", "text": "Second", "at": (NOON + timedelta(seconds=5)).isoformat()},
        {"to": ANA, "channel": "sms", "text": "First", "at": NOON.isoformat()},
    ]
    assert len(Client().get(JSON).json()) == 3


@pytest.mark.usefixtures("_demo")
@pytest.mark.parametrize("query", ["?to=+12135550142", "?to=%2B12135550142", "?to=(213) 555-0142", "?to=2135550142"])
def test_the_inbox_finds_a_number_in_any_spelling(query: str) -> None:
    made.queued(builders.organization())
    made.deliver()
    assert len(Client().get(JSON + query).json()) == 1


@pytest.mark.usefixtures("_demo")
def test_the_page_shows_text_safely_with_links_to_follow() -> None:
    made.queued(builders.organization(), "Change: https://drives.example.org/b/x/ <script>alert(1)</script>")
    made.deliver()
    page = Client().get(PAGE).content.decode()
    assert '<a href="https://drives.example.org/b/x/"' in page
    assert "<script>alert" not in page


@pytest.mark.usefixtures("_demo")
def test_the_invitation_of_a_mail_can_be_taken_along() -> None:
    mail = {"channel": "email", "address": "ana@example.org", "subject": "Booked", "calendar": "BEGIN:VCALENDAR\r\n"}
    made.queued(builders.organization(), **mail)
    made.deliver()
    item = InboxItem.objects.get()
    answer = Client().get(f"/demo/inbox/{item.pk}/invitation.ics")
    assert (answer.content, answer["Content-Type"]) == (b"BEGIN:VCALENDAR\r\n", "text/calendar; charset=utf-8")
    assert "Booked" in Client().get(PAGE).content.decode()


@pytest.mark.usefixtures("_demo")
def test_a_reply_reaches_the_sender_it_answers() -> None:
    organization = builders.organization()
    made.queued(organization)
    made.deliver()
    answer = Client().post(f"/demo/inbox/{InboxItem.objects.get().pk}/reply/", {"text": "C"})
    assert answer.status_code == 302
    reply = InboundMessage.objects.get()
    assert (reply.sender, reply.address, reply.text) == (organization.senders.get(), ANA, "C")


@pytest.mark.usefixtures("_demo")
def test_the_page_asks_as_much_for_three_messages_as_for_one(django_assert_num_queries: Any) -> None:
    organization = builders.organization()
    for count in (1, 3):
        while InboxItem.objects.count() < count:
            made.queued(organization)
            made.deliver()
        with django_assert_num_queries(1):
            Client().get(PAGE)


@pytest.mark.usefixtures("_demo")
@pytest.mark.parametrize("page", [PAGE, JSON])
def test_a_nul_in_the_query_is_refused(page: str) -> None:
    assert Client().get(f"{page}?to=%00").status_code == 400


def test_an_administrator_reads_the_messages_of_a_dry_run_in_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    made.queued(builders.organization(), "See you at 10")
    made.deliver()
    call_command("show_inbox")
    call_command("show_inbox", "+12135550199")
    assert capsys.readouterr().out.count("See you at 10") == 1
    with override_settings(SMS_PROVIDER="twilio", EMAIL_URL="smtp://localhost"), pytest.raises(CommandError):
        call_command("show_inbox")
