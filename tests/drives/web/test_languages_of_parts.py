"""On a Spanish page, each English text is inside an element with `lang="en"`.

Screen readers need this to pronounce the text.
"""

from html.parser import HTMLParser

import pytest
from django.test import Client
from django.urls import reverse

from drives.inbox import replies
from drives.models import Drive, Site
from notifications import replies as notifications_replies
from organizations.models import Cause, CauseFact
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.notifications import made

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
CANARY = "Canarytext"
ENGLISH = [CANARY, "Send me reminders about my booking", "Tell me about upcoming drives", "You're booked"]


class Reader(HTMLParser):
    """Collects texts, each with the language of the nearest element that has a `lang` attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, str]] = []
        self.texts: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("lang") or (self.open[-1][1] if self.open else "")))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        # A page's title cannot have a language of its own.
        if self.open and self.open[-1][0] not in {"title", "option", "textarea", "script"}:
            self.texts.append((self.open[-1][1], data))


def list_unmarked(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    return [text.strip()[:70] for lang, text in reader.texts if lang != "en" and any(one in text for one in ENGLISH)]


class World:
    def __init__(self) -> None:
        self.owner = builders.member(builders.organization())
        of = self.owner.organization
        cause = Cause.objects.create(organization=of, title=f"{CANARY} cause", slug="zoe", summary=f"{CANARY} plasma")
        CauseFact.objects.create(cause=cause, text=f"{CANARY} fact", source_name="Journal")
        self.drive = builders.drive(of)
        texts = {name: f"{CANARY} {name}" for name in ("title", "bring", "description")}
        Drive.objects.update(cause=cause, **texts)
        Site.objects.update(arrival_note=f"{CANARY} note")
        self.booking = builders.booked(self.drive, consents=("reminders", "news"))
        made.deliver(NOW)
        notifications_replies.receive_reply(
            sender_number=of.senders.get().number,
            provider_id="SM1",
            address=builders.phone(42),
            text=f"{CANARY}, where do I park?",
            now=NOW,
        )
        replies.handle_new_replies(now=NOW)

    def donor_pages(self) -> list[str]:
        slug, token = self.drive.slug, self.booking.token
        return [
            reverse("drive", args=[slug]),
            *(reverse(name, args=[self.owner.organization.slug]) for name in ("organization", "embed", "news")),
            reverse("embed_drive", args=[self.owner.organization.slug, slug]),
            reverse("cause", args=["zoe"]),
            reverse("book", args=[slug]) + f"?slot={builders.slot(self.drive, 2).pk}",
            reverse("self_check", args=[slug]),
            reverse("waitlist_join", args=[slug]),
            reverse("booking", args=[token]),
            reverse("booking_move", args=[token]),
            reverse("booking_cancel", args=[token]),
        ]

    def desk_pages(self) -> list[str]:
        drive, booking, talk = self.drive.pk, self.booking.pk, self.owner.organization.conversations.get().pk
        of_drive = ["drive", "roster", "waitlist", "broadcasts", "call_list", "turnout", "share", "poster"]
        return [
            *(reverse(f"organizer_{name}") for name in ("home", "drives", "replies", "messages", "sites")),
            *(
                reverse(f"organizer_{name}", args=[drive])
                for name in [*of_drive, "copy_drive", "cancel_drive", "add_booking"]
            ),
            reverse("organizer_booking", args=[booking]),
            reverse("organizer_person", args=[self.booking.volunteer_id]),
            reverse("organizer_conversation", args=[talk]),
            reverse("organizer_custom_text", args=["booked", "en"]),
            reverse("checkin", args=[self.drive.slug]),
        ]


def open_spanish(client: Client, address: str) -> str:
    response = client.get(address, follow=True, headers={"accept-language": "es"})
    assert (response.status_code, '<html lang="es"' in response.content.decode()) == (200, True), address
    return response.content.decode()


def test_english_parts_of_spanish_pages_are_marked() -> None:
    world = World()
    desk = coordinator.signed_in(world.owner)
    pages = {address: open_spanish(Client(), address) for address in world.donor_pages()}
    pages |= {address: open_spanish(desk, address) for address in world.desk_pages()}
    assert {address: found for address, html in pages.items() if (found := list_unmarked(html))} == {}
    assert sum(CANARY in html for html in pages.values()) > 15


def test_the_other_language_in_the_switch_is_marked() -> None:
    assert 'value="en" lang="en"' in open_spanish(Client(), "/")


def test_control_an_unmarked_text_is_found() -> None:
    assert list_unmarked(f'<html lang="es"><p lang="en">{CANARY} one</p><p>{CANARY} two</p>') == [f"{CANARY} two"]
