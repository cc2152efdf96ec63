"""The waitlist in a real browser: join, get an offer, and accept it or leave. Also the pages /me/ and "Your data"."""

from datetime import timedelta

import pytest
from django.test import override_settings
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from drives.models import Booking, Drive, Offer, WaitlistEntry
from drives.planning import lifecycle
from drives.waitlist import offers as waitlist_offers
from tests import builders
from tests.browser.pages import IN_BROWSER, OpenPage, arrive, enter_ana, look_in_every_view, world
from tests.builders import DRIVE_DAY, NOW

pytestmark = IN_BROWSER


def full_world() -> tuple[Drive, list[Booking]]:
    """Create a drive with a self-check and two spots, and book both. Return the drive and the bookings."""
    shown = world()
    plan = builders.plain(shown.site, spots=1, steps=2, phone="+12135550101", policy_id=shown.policy_id)
    drive = builders.drive(shown.organization, plan)
    return drive, [builders.booked(drive, n=n, number=n + 1, name=f"Test Donor {'AB'[n]}") for n in range(2)]


def join(page: Page, live_server: LiveServer, drive: Drive) -> WaitlistEntry:
    """Join the waitlist, starting on the full drive's page and ending on the page with the position."""
    page.goto(f"{live_server.url}/d/{drive.slug}/")
    page.get_by_role("link", name="Join the waiting list").click()
    enter_ana(page)
    page.get_by_label("Text me reminders if I get a spot").check()
    page.get_by_role("button", name="Continue").click()
    arrive(page, "You’re almost on the waiting list")
    entry = WaitlistEntry.objects.get()
    page.get_by_label("Code").fill(builders.code_of(entry))
    page.get_by_role("button", name="Join the waiting list").click()
    arrive(page, "You’re number 1 on the waiting list")
    return entry


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_waitlisted_donor_accepts_a_spot_and_another_leaves_the_waitlist(
    scripts: bool, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive, taken = full_world()
    page = open_page(scripts=scripts)
    join(page, live_server, drive)
    builders.cancelled(taken[0])
    waitlist_offers.sweep_waitlists(now=NOW)
    page.goto(f"{live_server.url}/me/")
    page.get_by_role("link", name="Take the spot or pass").click()
    arrive(page, "A spot is open for you")
    page.get_by_role("button", name="Pass on this spot").click()
    arrive(page, "You passed on this spot")
    page.goto(f"{live_server.url}/me/")
    page.get_by_text("number 1 on the waiting list").wait_for()
    builders.cancelled(taken[1])
    waitlist_offers.sweep_waitlists(now=NOW)
    page.goto(f"{live_server.url}/me/")
    page.get_by_role("link", name="Take the spot or pass").click()
    page.get_by_role("button", name="Take this spot").click()
    arrive(page, "You’re booked")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_a_donor_leaves_the_waitlist_and_erases_the_data(
    scripts: bool, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive, _taken = full_world()
    page = open_page(scripts=scripts)
    join(page, live_server, drive)
    page.goto(f"{live_server.url}/me/")
    page.get_by_role("button", name="Leave the waiting list").click()
    arrive(page, "You left the waiting list")
    page.goto(f"{live_server.url}/me/data/")
    with page.expect_download() as file:
        page.get_by_role("link", name="Download").click()
    assert file.value.suggested_filename.endswith(".json")
    page.get_by_role("link", name="Erase my data").click()
    page.get_by_role("button", name="Erase my data").click()
    page.get_by_role("heading", name="There is a problem").wait_for()
    page.get_by_label("Permanently erase everything about me").check()
    page.get_by_role("button", name="Erase my data").click()
    arrive(page, "Your data has been erased")


def addresses() -> dict[str, str]:
    """Create waitlist entries and offers in different states, and a party that Ana has booked.

    Return their URLs and those of the donor's own pages, by name.
    """
    drive, taken = full_world()
    now = NOW - timedelta(hours=2)
    asked = builders.asked_to_wait(drive, number=50)
    lapsed = builders.asked_to_wait(drive, number=51, now=now)
    ana = builders.waits(drive, email="ana@example.org")
    left = builders.waits(drive, number=52, name="Test Dan Dow")
    builders.cancelled(taken[0])
    waitlist_offers.sweep_waitlists(now=NOW)
    open_offer = Offer.objects.get(entry=ana)
    offers = {"passed": Offer.objects.create(**_another(open_offer, left, "declined"))}
    offers["over"] = Offer.objects.create(**_another(open_offer, left, "expired"))
    closed = builders.drive(
        drive.organization, builders.plain(drive.site, spots=1, steps=1, policy_id=builders.lax().pk)
    )
    builders.booked(closed, number=60, name="Test Donor C")
    in_closed = builders.waits(closed, number=61, name="Test Eve Elm")
    lifecycle.close_drive(drive_id=closed.pk, actor="user:1", now=NOW)
    later = builders.drive(drive.organization, day=DRIVE_DAY + timedelta(weeks=8), policy_id=builders.lax().pk)
    builders.booked_together(later, now=NOW + timedelta(minutes=1))
    return {
        "wait": f"/d/{drive.slug}/waitlist/",
        "wait-code": f"/w/{asked.token}/",
        "wait-lapsed": f"/w/{lapsed.token}/",
        "wait-offered": f"/w/{ana.token}/",
        "wait-line": f"/w/{left.token}/",
        "wait-closed": f"/w/{in_closed.token}/",
        "offer": f"/offer/{open_offer.token}/",
        **{f"offer-{name}": f"/offer/{offer.token}/" for name, offer in offers.items()},
        "together": f"/d/{later.slug}/book/?people=2&first=1&slot={builders.slot(later, 8).pk}",
        "find": "/find/",
        "me": "/me/",
        "data": "/me/data/",
        "erase": "/me/data/erase/",
        "erased": "/me/data/erased/",
    }


def _another(offer: Offer, entry: WaitlistEntry, state: str) -> dict[str, object]:
    when = {"starts_at": offer.starts_at, "deadline": offer.deadline, "created_at": NOW, "ended_at": NOW}
    return {**Offer.build_link_fields(), "entry": entry, "arrival": offer.arrival, "state": state, **when}


def test_the_waitlist_pages_are_accessible_and_do_not_scroll_sideways(
    open_page: OpenPage, live_server: LiveServer
) -> None:
    with override_settings(RATE_LIMITS=False):
        known = addresses()
    page, problems = open_page(), list[str]()
    cookie = {"name": "browser", "value": builders.browser_of(builders.phone(42)), "url": live_server.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    for name, address in known.items():
        page.goto(live_server.url + address)
        problems += look_in_every_view(page, name)
    for name, button in (("wait", "Continue"), ("erase", "Erase my data")):
        page.goto(live_server.url + known[name])
        page.get_by_role("button", name=button).click()
        page.get_by_role("heading", name="There is a problem").wait_for()
        problems += look_in_every_view(page, f"{name}-error")
    assert problems == []
