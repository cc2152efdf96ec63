"""A family of three books in a real browser, with and without scripts. Every page is checked with axe and at 320 px."""

import pytest
from pytest_django.live_server_helper import LiveServer

from notifications.models import Message
from tests import builders
from tests.browser.pages import IN_BROWSER, OpenPage, arrive, look_in_every_view, world
from tests.browser.test_donor import DETAILS_MAX_PIXELS

pytestmark = IN_BROWSER
ROW_MAX_PIXELS = 100
FAMILY = ("Test Ana Alder", "Test Bo Alder", "Test Ida Alder")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_family_of_three_books_and_one_is_taken_out(
    scripts: bool, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive, page = world(), open_page(scripts=scripts)
    page.goto(f"{live_server.url}/d/{drive.slug}/?visit=return")
    page.locator("#people-3").click()
    page.locator("#first-1").click()
    page.locator("#first-1[aria-current=true]").wait_for()
    page.locator(".tile").nth(1).click()
    page.get_by_role("button", name="Continue").click()
    arrive(page, "Your details")
    for at, name in enumerate(FAMILY):
        page.get_by_label(f"Name of person {at + 1}" if at else "Your name").fill(name)
    page.get_by_label("Mobile phone").fill("(201) 555-0142")
    page.get_by_role("button", name="Continue").click()
    arrive(page, "Review and book")
    page.get_by_role("button", name="Remove Test Bo Alder").click()
    arrive(page, "Review and book")
    page.get_by_text("Test Bo Alder").wait_for(state="detached")
    page.get_by_label("Code").fill(code())
    page.get_by_role("button", name="Book for all").click()
    arrive(page, "You’re booked")
    page.get_by_role("heading", name="Booked together").wait_for()
    page.get_by_role("link", name="Change everyone’s time").click()
    page.get_by_role("heading", level=1, name="A new time for all of you").wait_for()
    page.locator(".tile").nth(4).click()
    page.get_by_role("button", name="Change the time").click()
    arrive(page, "Your time has been changed")
    page.get_by_role("link", name="Cancel for everyone").click()
    arrive(page, "Cancel for everyone?")
    page.get_by_role("button", name="Cancel all bookings").click()
    arrive(page, "Your booking is cancelled")


def test_the_pages_of_a_party_have_no_barriers(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    held = builders.held_together(drive, n=8, number=7)
    party = builders.booked_together(drive, n=4)
    slot = builders.slot(drive).pk
    addresses = [
        f"/d/{drive.slug}/?people=3&first=1",
        f"/d/{drive.slug}/book/?people=3&first=1&slot={slot}",
        f"/b/{held[0].token}/",
        f"/b/{held[0].token}/details/",
        f"/b/{held[0].token}/details/?people=6&first=2",
        f"/b/{party[0].token}/",
        f"/b/{party[0].token}/cancel-party/",
        f"/b/{party[0].token}/move/",
        f"/b/{party[0].token}/move-party/",
    ]
    for address in addresses:
        page.goto(live_server.url + address)
        assert look_in_every_view(page, address) == []
    page.context.clear_cookies()  # a browser with a hold at this time is redirected to the hold instead
    page.goto(live_server.url + addresses[1])
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="There is a problem").wait_for()
    assert look_in_every_view(page, "error") == []


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_details_of_a_party_take_one_row_for_each_more_person(
    language: str, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive, page = world(), open_page()
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    for people in (2, 6):
        slot = builders.slot(drive).pk
        page.goto(f"{live_server.url}/d/{drive.slug}/book/?people={people}&first=1&slot={slot}")
        assert page.locator("html").get_attribute("lang") == language
        height = page.evaluate("document.documentElement.scrollHeight")
        assert height <= DETAILS_MAX_PIXELS + (people - 1) * ROW_MAX_PIXELS


def code() -> str:
    sent = Message.objects.filter(kind="code").order_by("-pk")[0]
    return next(word for word in sent.text.replace("#", " ").split() if word.isdigit() and len(word) == 6)
