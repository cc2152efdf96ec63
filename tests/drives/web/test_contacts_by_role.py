"""Every page and every API response shows donors' contacts to the same roles."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from drives.inbox import replies
from notifications import replies as notifications_replies
from organizations.models import Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.caller import Api
from tests.notifications import made
from tests.routes import ROUTES, World

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
PHONE, MAIL = builders.phone(42), "canary.ana@example.org"
DIGITS = PHONE[-10:]
CONTACT = re.compile(rf"{DIGITS}|\(?{DIGITS[:3]}\)?.{{0,2}}{DIGITS[3:6]}.{DIGITS[6:]}|{re.escape(MAIL)}")
DESK = [route for route, _pattern in ROUTES if route.startswith(("organizer/", "checkin/"))]
CALLS = [
    route
    for route, pattern in ROUTES
    if route.startswith("api/v1/") and "GET" in getattr(vars(pattern.callback).get("cls"), "needs", {})
]
SEES: dict[str, bool] = {Role.VIEWER: False, Role.CHECK_IN: True, Role.COORDINATOR: True, Role.OWNER: True}


def plant() -> World:
    """Create Ana with a phone, a mailbox, and a text from her that waits for an answer."""
    world = World(email=MAIL, consents=("reminders", "news"))
    made.deliver(NOW)
    notifications_replies.receive_reply(
        sender_number=world.organization.senders.get().number,
        provider_id="SM1",
        address=PHONE,
        text="Where do I park?",
        now=NOW,
    )
    replies.handle_new_replies(now=NOW)
    return world


def find_contacts(client: Client, addresses: list[str]) -> list[str]:
    found = []
    for address in addresses:
        response = client.get(address)
        if response.status_code == 200 and CONTACT.search(b"".join(response).decode(errors="replace")):
            found.append(address)
    return found


@pytest.mark.parametrize("role", SEES)
def test_pages_show_full_contacts_to_the_roles_that_may_see_them(role: str) -> None:
    world = plant()
    member = coordinator.signed_in(builders.member(world.organization, role, f"{role}@example.org"))
    found = find_contacts(member, [world.fill(route) for route in DESK])
    assert bool(found) is SEES[role], found
    if SEES[role]:
        assert reverse("organizer_booking", args=[world.numbers["booking_id"]]) in found


@pytest.mark.parametrize("role", SEES)
def test_the_api_shows_them_to_the_same_roles(role: str) -> None:
    world = plant()
    api = Api.with_key(world.organization, role)
    answers = [api.get(world.fill(route).removeprefix("/api/v1/")) for route in CALLS]
    found = [one for one in answers if one.status_code == 200 and CONTACT.search(one.content.decode())]
    assert bool(found) is SEES[role]


def test_a_viewer_sees_the_end_of_a_number_only() -> None:
    world = plant()
    viewer = coordinator.signed_in(builders.member(world.organization, Role.VIEWER, "viewer@example.org"))
    page = viewer.get(reverse("organizer_booking", args=[world.numbers["booking_id"]])).content.decode()
    assert f"…{PHONE[-2:]}" in page
    assert "c…@example.org" in page
    assert "tel:+" not in page
