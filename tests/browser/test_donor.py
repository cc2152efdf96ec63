"""The donors' pages in a real browser: a whole booking with and without scripts, accessibility, and page size."""

import gzip
from datetime import timedelta

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Response
from pytest_django.live_server_helper import LiveServer

from drives.booking import changes
from drives.models import Booking, Drive, Slot
from drives.planning import lifecycle
from tests import builders
from tests.browser.pages import (
    IN_BROWSER,
    OpenPage,
    arrive,
    code_for,
    enter_ana,
    enter_code,
    look_in_every_view,
    press,
    violations,
    world,
)
from tests.builders import NOW

pytestmark = IN_BROWSER
DETAILS_MAX_PIXELS = 1_200
ONE_LINE_MAX_PIXELS = 40


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_donor_books_moves_cancels_and_takes_it_back(
    scripts: bool, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive, page = world(), open_page(scripts=scripts)
    page.goto(f"{live_server.url}/d/{drive.slug}/")
    page.get_by_role("link", name="Yes").click()
    page.locator("[aria-current=true]", has_text="Yes").wait_for()
    page.locator(".tile").nth(2).click()
    if scripts:
        assert page.get_by_label("Your time").inner_text().endswith("9:30 AM")
    page.get_by_role("button", name="Continue").click()
    enter_ana(page)
    page.get_by_label("Text me reminders").check()
    page.get_by_role("button", name="Continue").click()
    enter_code(page)

    page.get_by_role("link", name="Change time").click()
    page.locator(".tile").nth(5).click()
    page.get_by_role("button", name="Change the time").click()
    arrive(page, "Your time has been changed")

    page.get_by_role("link", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel my booking").click()
    arrive(page, "Your booking is cancelled")
    page.get_by_role("button", name="Undo").click()
    arrive(page, "You’re booked")


def test_everything_can_be_done_with_the_keyboard(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    page.goto(f"{live_server.url}/d/{drive.slug}/?visit=return")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator(".tile input").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/**")
    page.get_by_label("Your name").focus()
    page.keyboard.type("Test Ana Alder")
    page.keyboard.press("Tab")
    assert page.locator(":focus").get_attribute("value") == "phone"
    page.keyboard.press("Tab")
    page.keyboard.type("(201) 555-0142")
    page.keyboard.press("Enter")
    arrive(page, "Review and book")
    page.get_by_label("Code").focus()
    page.keyboard.type(code_for(page))
    page.keyboard.press("Enter")
    arrive(page, "You’re booked")


def test_an_error_takes_the_focus_and_leads_to_its_field(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    page.goto(f"{live_server.url}/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive).pk}")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("heading", name="There is a problem").wait_for()
    assert page.title().startswith("Error: ")
    assert page.evaluate("document.activeElement.className") == "errors"
    page.get_by_role("link", name="Enter your name.").click()
    assert page.evaluate("document.activeElement.id") == "id_name"


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_details_fit_on_a_short_page(language: str, open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    page.context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
    page.goto(f"{live_server.url}/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive).pk}")
    assert page.locator("html").get_attribute("lang") == language
    assert page.evaluate("document.documentElement.scrollHeight") <= DETAILS_MAX_PIXELS
    for name in ("reminders", "news"):
        height = page.locator(f"label[for=id_{name}]").evaluate("label => label.getBoundingClientRect().height")
        assert height < ONE_LINE_MAX_PIXELS, name


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_donor_chooses_a_contact_and_sees_one_field(
    scripts: bool, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive, page = world(), open_page(scripts=scripts)
    page.goto(f"{live_server.url}/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive).pk}")
    phone, email = page.get_by_label("Mobile phone"), page.get_by_role("textbox", name="E-mail")
    assert (phone.is_visible(), email.is_visible()) == (True, False)
    phone.fill("(201) 555-0142")
    page.get_by_role("radio", name="E-mail").check()
    assert (phone.is_visible(), email.is_visible()) == (False, True)
    page.get_by_label("Your name").fill("Test Ana Alder")
    press(page, "Continue")
    page.get_by_role("link", name="Enter a phone number or an e-mail address.").click()
    assert page.locator(":focus").get_attribute("name") == "email"
    email.fill("ana@example.org")
    press(page, "Continue")
    registration = Booking.objects.get().registration
    assert registration is not None
    assert (registration.phone, registration.email) == ("", "ana@example.org")


def pages_of(drive: Drive) -> list[str]:
    """Create drives and bookings in different states. Return the URLs of the pages that show them to donors."""
    booked, other, cancelled, held = (
        builders.booked(drive, n=n, number=n + 1, now=NOW, email="ana@example.org" if n == 0 else "")
        for n in range(0, 12, 3)
    )
    changes.cancel_bookings(booking_id=cancelled.pk, actor="donor", cancelled_by="donor", now=NOW)  # type: ignore[arg-type]
    Booking.objects.filter(pk=other.pk).update(state="donated")
    Booking.objects.filter(pk=held.pk).update(state="held", held_until=NOW + timedelta(minutes=15))
    full = builders.drive(drive.organization)
    Slot.objects.filter(drive=full).update(chairs_limit=0)
    gone = builders.drive(drive.organization)
    lifecycle.cancel_drive(drive_id=gone.pk, reason="The hall is flooded.", actor="user:1", now=NOW)
    contact = booked.volunteer and booked.volunteer.phone
    assert contact is not None
    slot, taken = builders.slot(drive, 4).pk, builders.slot(full).pk
    return [
        "/",
        f"/o/{drive.organization.slug}/",
        f"/d/{drive.slug}/?visit=return&slot={slot}",
        f"/d/{drive.slug}/?visit=first&choose=1",
        f"/d/{full.slug}/",
        f"/d/{gone.slug}/",
        f"/d/{drive.slug}/?result=ask",
        f"/d/{drive.slug}/self-check/",
        f"/d/{drive.slug}/book/?visit=return&slot={slot}",
        f"/d/{drive.slug}/book/?visit=return&slot={taken}",
        *(f"/b/{booking.token}/" for booking in (booked, other, cancelled, held)),
        f"/b/{booked.token}/move/",
        f"/b/{booked.token}/cancel/",
        f"/stop/{contact.token}/",
        "/b/nonsense/",
        "/privacy/",
        "/terms/",
        f"/embed/{drive.organization.slug}/",
    ]


def test_no_page_has_a_barrier_or_scrolls_sideways(open_page: OpenPage, live_server: LiveServer) -> None:
    page, problems = open_page(), list[str]()
    for number, path in enumerate(pages_of(world())):
        page.goto(live_server.url + path)
        problems += look_in_every_view(page, f"donor-{number}")
    assert problems == []


def test_error_states_have_no_barrier(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page, found = world(), open_page(width=320), {}
    page.goto(f"{live_server.url}/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive).pk}")
    press(page, "Continue")
    found["details"] = violations(page)
    enter_ana(page)
    press(page, "Continue")
    page.get_by_label("Code").fill("0")
    press(page, "Book this time")
    found["code"] = violations(page)
    assert found == {"details": [], "code": []}


def test_the_page_of_a_drive_is_light(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108  playwright marks the handler
    page.goto(f"{live_server.url}/d/{drive.slug}/", wait_until="networkidle")
    sizes = {answer.url: len(gzip.compress(answer.body())) for answer in answers}
    assert len(sizes) <= 6, sizes
    assert sum(sizes.values()) <= 60 * 1024, sizes
    assert all(url.startswith(live_server.url) for url in sizes), sizes


def test_stylesheet_and_scripts_are_small() -> None:
    limits = {"site/site.css": 12, "django_htmx/htmx-2.min.js": 18, "site/self_check.js": 2}
    for name, kilobytes in limits.items():
        with open(str(finders.find(name)), "rb") as file:  # noqa: PTH123  finders return a string
            assert len(gzip.compress(file.read())) <= kilobytes * 1024, name


def test_times_change_in_place_without_a_new_page(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    page.goto(f"{live_server.url}/d/{drive.slug}/?visit=first")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="Yes").click()
    page.locator("[aria-current=true]", has_text="Yes").wait_for()
    assert page.locator("input[name=visit]").input_value() == "return"
    assert page.evaluate("window.stayed") is True
    assert page.evaluate("document.activeElement.id") == "visit-return"


def test_a_browser_under_the_content_policy_complains_of_nothing(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    for path in (f"/d/{drive.slug}/", "/", f"/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive).pk}"):
        page.goto(live_server.url + path, wait_until="networkidle")
    assert said == []
