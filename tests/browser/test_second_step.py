"""A coordinator signs in for the first time in a real browser.

The coordinator must set up two-step sign-in before the drives appear.
"""

import re
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from tests import builders
from tests.browser.pages import OpenPage, look_at
from tests.builders import NOW, PASSWORD
from tests.organizations.test_accounts import totp_code

pytestmark = [
    pytest.mark.browser,
    pytest.mark.time_machine(NOW, tick=False),  # a six-digit code is valid for 30 seconds
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("browser"),
]


@pytest.mark.parametrize(("width", "scheme"), [(320, "light"), (390, "dark"), (1280, "light")])
def test_a_sign_in_without_a_second_step_leads_to_its_setup(
    width: int, scheme: str, open_page: OpenPage, live_server: LiveServer, settings: Any
) -> None:
    settings.SECOND_STEP_REQUIRED = True
    member = builders.member(builders.organization())
    problems: list[str] = []
    page = open_page(width=width, scheme=scheme)
    page.goto(f"{live_server.url}/organizer/")
    page.locator("input[name=login]").fill(member.user.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main button[type=submit]").first.click()
    page.get_by_text("First set up two-step sign-in").wait_for()
    problems += look_at(page, f"second-step-{width}")
    page.locator("main a[href$='/totp/activate/']").click()
    page.locator("input[name=password]").fill(PASSWORD)  # required before a change to the sign-in methods
    page.locator("main button[type=submit]").first.click()
    page.locator("input[name=code]").wait_for()
    problems += look_at(page, f"second-step-app-{width}")
    color = page.locator("main img").evaluate("image => getComputedStyle(image).backgroundColor")
    assert color == "rgb(255, 255, 255)"  # cameras cannot read a black code on dark paper
    secret = re.search(r"\b[A-Z2-7]{32}\b", page.content())
    assert secret
    page.locator("input[name=code]").fill(totp_code(secret[0]))
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url("**/recovery-codes/**")
    problems += look_at(page, f"second-step-done-{width}")
    page.goto(f"{live_server.url}/organizer/")
    assert (page.url, problems) == (f"{live_server.url}/organizer/", [])
