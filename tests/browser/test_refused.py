"""Refusals in a real browser: the reason, the alternatives and the next step, checked with axe and at 320 px."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from drives.models import Booking, Drive
from tests import builders
from tests.browser.pages import (
    IN_BROWSER,
    OpenPage,
    arrive,
    code_for,
    enter_ana,
    enter_code,
    scrolls_sideways,
    violations,
    world,
)
from tests.builders import DRIVE_DAY

pytestmark = IN_BROWSER
LOOKS = pytest.mark.parametrize(
    ("scripts", "scheme"), [(True, "light"), (False, "dark")], ids=["light", "bare and dark"]
)


def another(drive: Drive, days: int) -> Drive:
    planned = builders.plan(drive.site, policy_id=drive.policy_id, day=DRIVE_DAY + timedelta(days=days))
    return builders.drive(drive.organization, planned)


def has_no_barriers(page: Page, *, scripts: bool) -> None:
    if scripts:
        assert (violations(page), scrolls_sideways(page)) == ([], False)


@LOOKS
def test_a_day_that_forbids_the_time_is_corrected_where_it_was_typed(
    scripts: bool, scheme: str, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive = world()
    page = open_page(width=320, scheme=scheme, scripts=scripts)
    drive.policy.cross_days = {"whole_blood": 13}
    drive.policy.save()
    another(drive, 7)
    page.goto(f"{live_server.url}/d/{drive.slug}/book/?visit=return&slot={builders.slot(drive, 2).pk}")
    enter_ana(page)
    page.get_by_text("Donated elsewhere recently?").click()
    page.get_by_label("What did you give?").select_option("whole_blood")
    page.get_by_label("What day?").fill("2027-03-01")
    page.get_by_role("button", name="Continue").click()
    arrive(page, "This time is too soon after your last donation")
    has_no_barriers(page, scripts=scripts)
    page.get_by_role("link", name="Plasma drive, Saturday, March 20, 9:00 AM").wait_for()
    page.get_by_label("What day?").fill("2027-02-20")
    page.get_by_role("button", name="Continue").click()
    enter_code(page)


@LOOKS
def test_of_a_party_that_is_refused_the_others_are_booked(
    scripts: bool, scheme: str, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive = world()
    page = open_page(width=320, scheme=scheme, scripts=scripts)
    builders.booked(drive)
    sunday, wednesday = another(drive, 1), another(drive, 4)
    address = f"/d/{sunday.slug}/book/?visit=return&people=2&first=1&slot={builders.slot(sunday).pk}"
    page.goto(live_server.url + address)
    for at, name in enumerate(("Test Ana Alder", "Test Bo Alder")):
        page.get_by_label(f"Name of person {at + 1}" if at else "Your name").fill(name)
    page.get_by_label("Mobile phone").fill("(201) 555-0142")
    page.get_by_role("button", name="Continue").click()
    arrive(page, "Review and book")
    page.get_by_label("Code").fill(code_for(page))
    page.get_by_role("button", name="Book for all").click()
    arrive(page, "Not booked yet")
    has_no_barriers(page, scripts=scripts)
    times = page.get_by_role("link", name="Plasma drive, Wednesday, March 17")
    assert times.count() == 3
    assert f"/d/{wednesday.slug}/book/?visit=return&people=2&first=1" in (times.first.get_attribute("href") or "")
    page.get_by_role("button", name="Remove Test Ana Alder").click()
    arrive(page, "Review and book")
    page.get_by_role("button", name="Book this time").click()
    arrive(page, "You’re booked")
    assert [row.state for row in Booking.objects.filter(drive=sunday).order_by("pk")] == ["lapsed", "booked"]
