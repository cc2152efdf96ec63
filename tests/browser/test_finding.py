"""Ana finds her booking in a real browser, opens her page, and books again in two taps."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from drives.account import booking_search
from drives.models import Booking, Drive
from notifications.models import Message
from tests import builders
from tests.browser.pages import IN_BROWSER, OpenPage, arrive, look_in_every_view, press, world
from tests.builders import DRIVE_DAY, NOW

pytestmark = IN_BROWSER


def sent_code() -> str:
    booking_search.send_find_codes(now=NOW)
    found = re.search(r"\d{6}", Message.objects.filter(kind="code").order_by("-pk")[0].text)
    assert found
    return found[0]


def find(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/find/")
    page.get_by_label("Phone number or e-mail address").fill("(201) 555-0142")
    page.get_by_role("button", name="Send me a code").click()
    arrive(page, "Enter the code")
    page.get_by_label("Code").fill(sent_code())
    page.get_by_role("button", name="Show my bookings").click()
    arrive(page, "Your bookings")


def two_drives() -> tuple[Drive, Drive]:
    first = world()
    builders.booked(first, n=2, email="ana@example.org")
    return first, builders.drive(first.organization, day=DRIVE_DAY + timedelta(days=28), policy_id=first.policy_id)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_donor_finds_the_booking_moves_it_and_books_again_with_two_taps(
    scripts: bool, open_page: OpenPage, live_server: LiveServer
) -> None:
    _first, later = two_drives()
    page = open_page(scripts=scripts)
    find(page, live_server)
    page.get_by_role("link", name="Change time").click()
    page.locator(".tile").nth(5).click()
    page.get_by_role("button", name="Change the time").click()
    arrive(page, "Your time has been changed")
    assert re.search(r"/b/[A-Z2-9]{7}/", page.url)

    page.goto(f"{live_server.url}/d/{later.slug}/?visit=return")
    taps = 0
    for button in (page.locator(".tile").nth(3), page.get_by_role("button", name="Book this time")):
        assert page.locator("input:visible:not([type=checkbox]):not([type=radio])").count() == 0
        button.click()
        taps += 1
    arrive(page, "You’re booked")
    assert taps == 2
    assert Booking.objects.filter(drive=later, state="booked").count() == 1


def test_the_pages_of_a_known_donor_have_no_barrier(open_page: OpenPage, live_server: LiveServer) -> None:
    _first, later = two_drives()
    page = open_page()
    page.goto(f"{live_server.url}/find/")
    problems = look_in_every_view(page, "find")
    find(page, live_server)
    person = Booking.objects.get().volunteer
    assert person is not None
    slot = builders.slot(later).pk
    paths = {
        "me": "/me/",
        "details": f"/me/{person.uuid}/",
        "contact": f"/me/{person.uuid}/contact/",
        "find-known": "/find/",
        "find-code": "/find/code/",
        "drive-known": f"/d/{later.slug}/?visit=return",
        "again": f"/d/{later.slug}/book/?visit=return&slot={slot}",
        "again-gone": f"/d/{later.slug}/book/?visit=return&slot=1",
        "booking": f"/b/{Booking.objects.get().reference}/",
        "lost": "/b/ABCDEFG/",
    }
    for name, path in paths.items():
        page.goto(live_server.url + path)
        problems += look_in_every_view(page, name)
    page.goto(live_server.url + paths["contact"])
    page.get_by_label("Phone number or e-mail address").fill("1")
    press(page, "Send me a code")
    problems += look_in_every_view(page, "contact-error")
    assert problems == []
