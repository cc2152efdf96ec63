"""Helpers for browser tests. They create data, use the pages, and list problems of the current page."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from environs import env
from playwright.sync_api import Page

from drives.models import Booking, Drive
from organizations.models import Cause, CauseFact
from tests import builders
from tests.builders import NOW

IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.time_machine(NOW),
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]
SHOTS = env.str("SHOTS", "")  # a folder in which to save a screenshot of each page, if set
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OpenPage = Callable[..., Page]
Scheme = Literal["light", "dark"]
HEIGHT = 844  # pixels of the screen
VIEWS: tuple[tuple[int, Scheme], ...] = ((1280, "dark"), (320, "light"))
WIDTHS_BETWEEN = (768, 390)


def world() -> Drive:
    """Create a drive with optional details: a cause, a self-check, a map, notes and phone numbers."""
    here = builders.organization(phone="+12135550100", website="https://example.org/")
    cause = Cause.objects.create(
        organization=here, title="In honor of Zoe", slug="zoe", summary="Plasma becomes medicine.", story="A story."
    )
    CauseFact.objects.create(cause=cause, text="A fact.", source_name="A journal", source_url="https://example.org/")
    policy = builders.policy(self_check=["age_18", "weight_50kg", "photo_id"])
    place = builders.site(here, map_url="https://example.org/map", arrival_note="Ring at the side door.")
    return builders.drive(
        here,
        builders.plan(place, cause_id=cause.pk, policy_id=policy.pk, bring="Photo ID", phone="+12135550101"),
    )


def violations(page: Page) -> list[str]:
    """Return the accessibility problems that axe finds, each with the HTML of its element."""
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}}).response["violations"]
    return [f"{rule['id']}: {node['html'][:120]}" for rule in found for node in rule["nodes"]]


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def arrive(page: Page, heading: str) -> None:
    """Wait for the page with this main heading. Fail if the page does not appear."""
    page.get_by_role("heading", level=1, name=heading, exact=True).wait_for()


def press(page: Page, button: str) -> None:
    """Press a button that submits a form, and wait for the next page.

    A click alone may return before the page changes.
    """
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()


def code_for(page: Page) -> str:
    return builders.code_of(Booking.objects.get(reference=page.url.split("/b/")[1].split("/")[0]))


def look_at(page: Page, name: str) -> list[str]:
    """Return the page's accessibility problems, wide elements, duplicate ids and skipped heading levels.

    Save a screenshot if SHOTS is set.
    """
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    return [f"{name}: {each}" for each in violations(page) + find_wide_parts(page) + find_markup_faults(page)]


def look_in_every_view(page: Page, name: str) -> list[str]:
    """Return what `look_at` finds on a wide dark screen and on a narrow light one, and wide parts at widths between.

    The page is not reloaded between the views, and stays narrow and light afterward.
    """
    problems: list[str] = []
    for width in WIDTHS_BETWEEN:
        _show(page, width, "light")
        problems += [f"{name}-{width}: {part}" for part in find_wide_parts(page)]
    for width, scheme in VIEWS:
        _show(page, width, scheme)
        problems += look_at(page, f"{name}-{width}-{scheme}")
    return problems


def _show(page: Page, width: int, scheme: Scheme) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.emulate_media(color_scheme=scheme)


def find_markup_faults(page: Page) -> list[str]:
    """Return ids that two elements share, and headings that skip a level. axe reports neither."""
    found: list[str] = page.evaluate(
        """() => {
            const ids = [...document.querySelectorAll('[id]')].map((part) => part.id);
            const twice = ids.filter((id, n) => ids.indexOf(id) !== n).map((id) => `id ${id} twice`);
            const headings = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')];
            const level = (heading) => Number(heading.tagName[1]);
            const skipped = headings
                .filter((heading, n) => n && level(heading) > level(headings[n - 1]) + 1)
                .map((heading) => `heading skips a level: ${heading.outerHTML.slice(0, 80)}`);
            return [...twice, ...skipped];
        }"""
    )
    return found


def find_wide_parts(page: Page) -> list[str]:
    """If the page scrolls sideways, return the last six elements that extend beyond the right edge of the screen."""
    if not scrolls_sideways(page):
        return []
    return [
        f"scrolls sideways: {part}"
        for part in page.evaluate(
            """() => [...document.querySelectorAll('body *')]
            .filter((part) => part.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
            .map((part) => `${part.tagName}.${part.className} ${part.innerText || ''}`.slice(0, 60)).slice(-6)"""
        )
    ]


def enter_ana(page: Page) -> None:
    page.get_by_label("Your name").fill("Test Ana Alder")
    page.get_by_label("Mobile phone").fill("(201) 555-0142")


def open_check_page(page: Page, address: str) -> None:
    """Hold a slot as Ana, and wait for the page that asks for the code. `address` is the URL of the details form."""
    page.goto(address)
    enter_ana(page)
    press(page, "Continue")
    arrive(page, "Review and book")


def enter_code(page: Page) -> None:
    """On the check page, enter the code that Ana's phone received, and wait for the booking's page."""
    arrive(page, "Review and book")
    page.get_by_label("Code").fill(code_for(page))
    page.get_by_role("button", name="Book this time").click()
    arrive(page, "You’re booked")


def enlarge_letters(page: Page, percent: int = 200) -> None:
    """Enlarge the text as a phone's setting for larger text does. Zoom would also change the page's width."""
    page.evaluate("percent => { document.documentElement.style.fontSize = percent + '%'; }", percent)


def covered_share(page: Page) -> float:
    """Return the share of the screen's height that the tallest fixed or sticky element covers."""
    return float(
        page.evaluate(
            """() => Math.max(0, ...[...document.querySelectorAll('body *')]
            .filter((part) => ['fixed', 'sticky'].includes(getComputedStyle(part).position))
            .map((part) => part.getBoundingClientRect().height)) / innerHeight"""
        )
    )


def wait_until_spoken(page: Page, words: str) -> None:
    """Wait until the status line contains these words.

    A screen reader announces the words, because they appear after the page has loaded.
    """
    page.locator("#status[role=status]", has_text=words).wait_for(state="attached")
