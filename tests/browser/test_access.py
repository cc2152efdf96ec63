"""Accessibility in a real browser: screen-reader announcements, large text and keyboard use."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from drives.models import Booking, Drive
from organizations.models import Membership
from tests import builders
from tests.browser.pages import (
    IN_BROWSER,
    OpenPage,
    covered_share,
    enlarge_letters,
    look_at,
    open_check_page,
    press,
    scrolls_sideways,
    wait_until_spoken,
    world,
)

pytestmark = IN_BROWSER


def spoken_tree(page: Page) -> str:
    return page.locator("body").aria_snapshot()


def test_a_chosen_time_is_in_the_accessibility_tree(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    page.goto(f"{live_server.url}/d/{drive.slug}/?visit=return")
    assert "Choose above" in spoken_tree(page)
    assert page.locator(":invalid").count() == 0
    page.locator(".tile").nth(2).click()
    assert page.get_by_role("status", name="Your time").inner_text().endswith("9:30 AM")
    assert "Choose above" not in spoken_tree(page)
    assert page.get_by_role("radio", checked=True).count() == 1


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_continue_without_a_time_shows_the_error_summary(
    scripts: bool, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive, page = world(), open_page(scripts=scripts)
    page.goto(f"{live_server.url}/d/{drive.slug}/?visit=return")
    press(page, "Continue")
    page.get_by_role("alert", name="There is a problem").wait_for()
    assert page.title().startswith("Error: ")
    assert page.locator(":focus").get_attribute("class") == "errors"
    page.get_by_role("link", name="Choose a time first, then continue.").click()
    assert page.locator(":focus").get_attribute("name") == "slot"
    assert look_at(page, f"no-time-{scripts}") == [] if scripts else True


def test_a_move_without_a_time_shows_the_error_summary(open_page: OpenPage, live_server: LiveServer) -> None:
    page, booking = open_page(), builders.booked(world(), n=2)
    page.goto(f"{live_server.url}/b/{booking.token}/")
    page.get_by_role("link", name="Change time").click()
    press(page, "Change the time")
    page.get_by_role("link", name="Choose a time first, then continue.").click()
    assert page.locator(":focus").get_attribute("name") == "slot"
    page.locator(".tile").nth(1).click()
    assert page.get_by_role("status", name="New time").inner_text().endswith("9:15 AM")


def test_swapped_times_are_spoken_once(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    page.goto(f"{live_server.url}/d/{drive.slug}/?visit=first")
    page.wait_for_timeout(700)
    assert page.locator("#status").inner_text() == ""
    page.get_by_role("link", name="Yes").click()
    wait_until_spoken(page, "Return visit: ")
    page.get_by_role("group", name="How many people?").get_by_role("link", name="3").click()
    wait_until_spoken(page, "3 people, 0 of them for the first time: ")
    page.get_by_role("group", name="How many of you").get_by_role("link", name="2").click()
    wait_until_spoken(page, "3 people, 2 of them for the first time: ")
    assert page.locator(":focus").get_attribute("id") == "first-2"
    assert page.get_by_role("navigation").count() == 1


def test_a_new_code_is_spoken(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    open_check_page(page, f"{live_server.url}/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive).pk}")
    press(page, "Send again")
    wait_until_spoken(page, "New code requested")


def test_an_undone_cancellation_and_a_new_time_are_spoken(open_page: OpenPage, live_server: LiveServer) -> None:
    page, booking = open_page(), builders.booked(world(), n=2)
    page.goto(f"{live_server.url}/b/{booking.token}/cancel/")
    press(page, "Cancel my booking")
    press(page, "Undo")
    wait_until_spoken(page, "You’re booked")
    page.get_by_role("link", name="Change time").click()
    page.locator(".tile").nth(5).click()
    press(page, "Change the time")
    wait_until_spoken(page, "Your time has been changed")


@pytest.mark.parametrize("width", [320, 390])
def test_large_letters_cover_nothing_and_need_no_sideways_scroll(
    width: int, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive, page, found = world(), open_page(width=width), {}
    booking = builders.booked(drive, n=2)
    paths = {
        "drive": f"/d/{drive.slug}/?visit=return",
        "details": f"/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive).pk}",
        "booking": f"/b/{booking.token}/",
        "move": f"/b/{booking.token}/move/",
        "list": "/",
    }
    for name, path in paths.items():
        page.goto(live_server.url + path)
        enlarge_letters(page)
        problems = look_at(page, f"large-{name}-{width}")
        if problems or covered_share(page) > 0.25:
            found[name] = [*problems, covered_share(page)]
    assert found == {}


def test_the_check_of_large_letters_finds_a_fixed_foot(open_page: OpenPage, live_server: LiveServer) -> None:
    page = open_page()
    page.goto(f"{live_server.url}/d/{world().slug}/?visit=return")
    enlarge_letters(page)
    page.evaluate(
        "document.querySelector('.foot').style.cssText = 'position: fixed; inline-size: 24rem; block-size: 8rem'"
    )
    assert covered_share(page) > 0.25
    page.evaluate("document.querySelector('h1').style.inlineSize = '24rem'")
    assert scrolls_sideways(page)


def signed_in(page: Page, member: Membership, live_server: LiveServer) -> Page:
    client = Client()
    client.force_login(member.user)
    cookie: Any = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])
    return page


def open_check_in(open_page: OpenPage, live_server: LiveServer, time_machine: Any, **options: Any) -> Page:
    """Open the check-in list of a running drive with three donors: Ana at 9:00, Bo at 9:15, Carla at 9:30."""
    member = builders.member(builders.organization(), email="ben@example.org")
    drive = builders.drive(member.organization)
    for number, name in enumerate(("Test Ana Alder", "Test Bo Birch", "Test Carla Cedar")):
        builders.booked(drive, n=number, number=number, name=name)
    time_machine.move_to(drive.starts_at + timedelta(minutes=1))
    page = signed_in(open_page(**options), member, live_server)
    page.goto(live_server.url + reverse("checkin", args=[drive.slug]))
    return page


def refresh(page: Page) -> None:
    """Refresh the list as its timer does, without waiting 30 seconds for the timer."""
    page.evaluate("document.querySelector('#list').dataset.mark = 'old'")
    page.evaluate("htmx.ajax('GET', location.href, {source: '#list', select: '#list', swap: 'outerHTML'})")
    page.wait_for_timeout(1_000)


def is_swapped(page: Page) -> bool:
    return page.locator("#list").get_attribute("data-mark") is None


def test_the_check_in_list_waits_while_a_helper_works_in_it(
    open_page: OpenPage, live_server: LiveServer, time_machine: Any
) -> None:
    page = open_check_in(open_page, live_server, time_machine)
    refresh(page)
    assert is_swapped(page)  # the control: the list does refresh itself
    page.get_by_role("link", name="Test Bo Birch", exact=True).focus()
    refresh(page)
    assert not is_swapped(page)
    assert page.locator(":focus").inner_text() == "Test Bo Birch"
    page.get_by_label("Name, last 4 digits or reference").focus()
    refresh(page)
    assert is_swapped(page)
    page.get_by_role("button", name="Pause").click()
    refresh(page)
    assert not is_swapped(page)
    page.reload()
    assert page.get_by_role("button", name="Pause", pressed=True).count() == 1


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_after_a_check_in_the_focus_is_at_the_next_donor(
    scripts: bool, open_page: OpenPage, live_server: LiveServer, time_machine: Any
) -> None:
    page = open_check_in(open_page, live_server, time_machine, scripts=scripts)
    page.get_by_role("button", name=re.compile("Check in.*Test Ana Alder")).focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator(":focus").inner_text() == "Test Bo Birch"
    if scripts:
        wait_until_spoken(page, "Test Ana Alder: checked in")
    page.keyboard.press("Tab")
    assert re.fullmatch(r"Check in\s*: Test Bo Birch", page.locator(":focus").inner_text())


def test_a_search_at_the_door_is_spoken(open_page: OpenPage, live_server: LiveServer, time_machine: Any) -> None:
    page = open_check_in(open_page, live_server, time_machine)
    page.get_by_label("Name, last 4 digits or reference").press_sequentially("birch")
    wait_until_spoken(page, "1 person matches.")
    page.get_by_label("Name, last 4 digits or reference").press_sequentially("zzz")
    wait_until_spoken(page, "No one matches.")


@pytest.mark.parametrize("width", [320, 390])
def test_large_letters_fit_at_the_door_and_the_desk(
    width: int, open_page: OpenPage, live_server: LiveServer, time_machine: Any
) -> None:
    page, found = open_check_in(open_page, live_server, time_machine, width=width), {}
    drive = Booking.objects.all()[0].drive
    addresses = {
        "door": reverse("checkin", args=[drive.slug]),
        "desk": reverse("organizer_drive", args=[drive.pk]),
        "home": reverse("organizer_home"),
        "people": reverse("organizer_people") + "?history=never_came",
        "plan": reverse("organizer_edit_drive", args=[drive.pk]),
        "schedule": reverse("organizer_message_schedule"),
    }
    for name, address in addresses.items():
        page.goto(live_server.url + address)
        enlarge_letters(page)
        problems = look_at(page, f"large-{name}-{width}")
        if problems or covered_share(page) > 0.25:
            found[name] = [*problems, covered_share(page)]
    assert found == {}


def open_hold(open_page: OpenPage, live_server: LiveServer, seconds: int, **options: Any) -> Page:
    """Hold a slot as Ana, let the hold end in `seconds` seconds, and open the check page."""
    drive, page = world(), open_page(**options)
    open_check_page(page, f"{live_server.url}/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive).pk}")
    Booking.objects.update(held_until=timezone.now() + timedelta(seconds=seconds))
    page.reload()
    return page


def test_the_end_of_a_hold_is_announced_and_extended_once(open_page: OpenPage, live_server: LiveServer) -> None:
    page = open_hold(open_page, live_server, 125)
    assert page.locator("#status").inner_text() == ""
    page.get_by_label("Code").fill("123")
    wait_until_spoken(page, "In two minutes we’ll stop holding your time.")
    assert page.locator(":focus").get_attribute("name") == "code"
    before = Booking.objects.get().held_until
    page.get_by_role("button", name="I need 15 more minutes").click()
    wait_until_spoken(page, "Held until")
    assert page.get_by_label("Code").input_value() == "123"
    assert page.locator(":focus").get_attribute("id") == "hold"
    after = Booking.objects.get().held_until
    assert before
    assert after
    assert after - before == timedelta(minutes=15)
    assert page.get_by_role("button", name="I need 15 more minutes").count() == 0


def test_a_lapsed_hold_is_announced_and_keeps_what_was_typed(open_page: OpenPage, live_server: LiveServer) -> None:
    page = open_hold(open_page, live_server, 3)
    wait_until_spoken(page, "We’re no longer holding your time.")
    page.reload()
    page.get_by_role("link", name="Choose a time again").click()
    page.locator(".tile").nth(1).click()
    press(page, "Continue")
    assert page.get_by_label("Your name").input_value() == "Test Ana Alder"
    assert page.get_by_label("Mobile phone").input_value() == "(201) 555-0142"


def test_a_hold_is_extended_without_scripts(open_page: OpenPage, live_server: LiveServer) -> None:
    page = open_hold(open_page, live_server, 125, scripts=False)
    press(page, "I need 15 more minutes")
    page.get_by_text("You have 15 more minutes.").wait_for()
    assert Booking.objects.get().is_extended


def open_dashboard(open_page: OpenPage, live_server: LiveServer, **options: Any) -> tuple[Page, Drive]:
    member = builders.member(builders.organization(), email="ben@example.org")
    drive = builders.drive(member.organization)
    builders.booked(drive, number=1, name="Test Ana Alder")
    page = signed_in(open_page(**options), member, live_server)
    page.goto(live_server.url + reverse("organizer_drive", args=[drive.pk]))
    return page, drive


def refresh_dashboard(page: Page) -> bool:
    """Refresh the dashboard as its timer does. Return whether it was swapped."""
    page.evaluate("document.querySelector('#dashboard').dataset.mark = 'old'")
    page.evaluate("htmx.ajax('GET', location.href, {source: '#dashboard', select: '#dashboard', swap: 'outerHTML'})")
    page.wait_for_timeout(1_500)
    return page.locator("#dashboard").get_attribute("data-mark") is None


def test_the_dashboard_refreshes_itself_and_leaves_the_member_alone(
    open_page: OpenPage, live_server: LiveServer
) -> None:
    page, drive = open_dashboard(open_page, live_server)
    assert page.locator("#dashboard").get_attribute("data-hx-trigger") == "every 60s"
    page.get_by_text("The same numbers as a table").first.click()
    page.get_by_label("Name, last digits or reference").fill("birch")
    assert not refresh_dashboard(page)  # the focus is in the field
    assert page.locator(":focus").get_attribute("id") == "q"
    page.get_by_role("button", name="Pause").focus()
    builders.booked(drive, n=1, number=2, name="Test Bo Birch")
    assert refresh_dashboard(page)
    assert page.locator("#dashboard").get_by_text("Test Bo Birch").count() == 1
    wait_until_spoken(page, "2 booked")
    assert page.locator(":focus").get_attribute("id") == "pause"
    assert page.get_by_label("Name, last digits or reference").input_value() == "birch"
    assert page.locator("#day-numbers").get_attribute("open") is not None
    page.get_by_role("button", name="Pause").click()
    assert not refresh_dashboard(page)
    page.reload()
    assert page.get_by_role("button", name="Pause", pressed=True).count() == 1


def test_without_scripts_the_dashboard_has_a_link_to_reload(open_page: OpenPage, live_server: LiveServer) -> None:
    page, drive = open_dashboard(open_page, live_server, scripts=False)
    assert not page.get_by_role("button", name="Pause").is_visible()
    builders.booked(drive, n=1, number=2, name="Test Bo Birch")
    page.get_by_role("link", name="Refresh").click()
    assert page.get_by_text("Test Bo Birch").count() == 1
