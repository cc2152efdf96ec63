"""Back, Reload and a lost connection in a real browser.

The form keeps what the donor typed, and a tap without a connection shows a message.
"""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from drives.models import WaitlistEntry
from tests import builders
from tests.browser.pages import (
    IN_BROWSER,
    OpenPage,
    arrive,
    enter_ana,
    open_check_page,
    press,
    wait_until_spoken,
    world,
)

pytestmark = [*IN_BROWSER]
FAILED = "That didn’t work. Check your connection, and try again."


def refused(open_page: OpenPage, live_server: LiveServer) -> Page:
    """Enter a wrong code on the check page. Return the page with the error."""
    drive, page = world(), open_page()
    open_check_page(page, f"{live_server.url}/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive).pk}")
    page.get_by_label("Code").fill("000000")
    press(page, "Book this time")
    page.get_by_role("heading", name="There is a problem").wait_for()
    return page


def test_after_a_wrong_code_reload_and_back_show_the_page(open_page: OpenPage, live_server: LiveServer) -> None:
    page = refused(open_page, live_server)
    page.reload()
    arrive(page, "Review and book")
    page.get_by_label("Code").fill("000001")
    press(page, "Book this time")
    page.get_by_role("link", name="Privacy").click()
    page.wait_for_url("**/privacy/**")
    page.go_back()
    arrive(page, "Review and book")


@pytest.mark.expects_errors
def test_without_a_connection_a_tap_says_so(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    page.goto(f"{live_server.url}/d/{drive.slug}/")
    page.context.set_offline(True)
    page.locator("#choose .segments a").first.click()
    page.locator("#failed", has_text=FAILED).wait_for()
    wait_until_spoken(page, FAILED)
    page.context.set_offline(False)
    page.locator("#failed").wait_for(state="hidden")


def test_without_a_connection_a_form_keeps_what_was_typed(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    page.goto(f"{live_server.url}/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive).pk}")
    enter_ana(page)
    page.context.set_offline(True)
    page.get_by_role("button", name="Continue").click()
    page.locator("#failed", has_text=FAILED).wait_for()
    assert page.get_by_label("Your name").input_value() == "Test Ana Alder"
    page.context.set_offline(False)
    press(page, "Continue")
    arrive(page, "Review and book")


def test_the_end_of_the_time_to_join_the_waitlist_is_announced(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = builders.full_drive()[0].drive, open_page()
    page.goto(f"{live_server.url}/d/{drive.slug}/waitlist/?visit=return")
    enter_ana(page)
    press(page, "Continue")
    arrive(page, "You’re almost on the waiting list")
    WaitlistEntry.objects.filter(state="held").update(held_until=timezone.now() + timedelta(seconds=125))
    page.reload()
    page.get_by_label("Code").fill("123")
    wait_until_spoken(page, "You have two minutes left to enter the code.")
    page.get_by_role("button", name="I need 15 more minutes").click()
    wait_until_spoken(page, "Held until")
    assert page.get_by_label("Code").input_value() == "123"
    assert page.get_by_role("button", name="I need 15 more minutes").count() == 0
