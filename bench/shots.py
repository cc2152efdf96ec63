"""Take screenshots of the main pages of a running demo (`make run`).

`python -m bench.shots [URL]` saves them in build/shots/: phone and desktop, light and dark.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, sync_playwright

SCREENSHOT_FOLDER = Path("build/shots")
SIZES = {"390": 390, "1280": 1280}
LOGIN = ("ben@example.org", "running-for-zoe-demo")
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking"]


def list_public_screens(page: Page) -> Iterator[tuple[str, str]]:
    yield "drives", "/"
    yield "organization", "/o/rhythm-of-life/"
    page.goto("/o/rhythm-of-life/")
    drive = find_links(page, "/d/")[-1]
    yield "drive", drive
    page.goto(drive)
    slot = page.locator("input[name=slot]").last.get_attribute("value")
    yield "details", f"{drive}book/?visit=return&slot={slot}"
    yield "privacy", "/privacy/"
    yield "terms", "/terms/"
    yield "not-found", "/b/cut-short/"
    yield "inbox", "/demo/inbox/"
    yield "api", "/api/docs/"


def list_organizer_screens(page: Page) -> Iterator[tuple[str, str]]:
    yield "sign-in", "/accounts/login/"
    page.goto("/organizer/")
    page.fill("input[name=login]", LOGIN[0])
    page.fill("input[name=password]", LOGIN[1])
    page.get_by_role("button", name="Sign in", exact=True).click()
    yield "home", "/organizer/"
    page.goto("/organizer/")
    drive = next(link for link in find_links(page, "/organizer/drives/") if link.strip("/").split("/")[-1].isdigit())
    yield "desk", drive
    yield "plan", "/organizer/drives/new/"
    yield "turnout", f"{drive}turnout/"
    page.goto("/organizer/")
    yield "check-in", find_links(page, "/checkin/")[0]


def find_links(page: Page, start: str) -> list[str]:
    links = [anchor.get_attribute("href") or "" for anchor in page.locator("main a").all()]
    return [address.split("#")[0] for address in links if address.startswith(start)]


def take_screenshots(context: BrowserContext, suffix: str) -> None:
    page = context.new_page()
    for screens in (list_public_screens, list_organizer_screens):
        for name, address in screens(page):
            page.goto(address)
            page.screenshot(path=SCREENSHOT_FOLDER / f"{name}-{suffix}.png", full_page=True)


def main(base: str) -> None:
    SCREENSHOT_FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for size, width in SIZES.items():
            for scheme in ("light", "dark"):
                viewport = {"width": width, "height": 844}
                context = browser.new_context(base_url=base, viewport=viewport, color_scheme=scheme)  # type: ignore[arg-type]
                take_screenshots(context, f"{size}-{scheme}")
                context.close()
        browser.close()
    print(f"{len(list(SCREENSHOT_FOLDER.glob('*.png')))} pictures in {SCREENSHOT_FOLDER}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000")
