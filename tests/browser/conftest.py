"""Fixtures that start the Chromium on PATH and open pages in it."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """Start Chromium, and allow database access although Playwright runs an event loop in this thread.

    `django_db_setup` must run first. Otherwise Django would open connections inside the loop, could not find them
    afterward, and could not drop the database at the end.
    """
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.skip("no Chromium on PATH: " + ", ".join(CHROMIUM))
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a new browser profile.

    Its arguments are the width in pixels, scripts on or off, and the light or dark color scheme.
    """
    contexts: list[BrowserContext] = []

    def opened(*, width: int = 390, scripts: bool = True, scheme: Any = "light") -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": 844},
            java_script_enabled=scripts,
            color_scheme=scheme,
            reduced_motion="reduce",
            locale="en-US",
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()
