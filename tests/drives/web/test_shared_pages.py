"""Visitors without personal cookies get the same cached page for one second.

A change to the page's content therefore appears after at most one second.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings
from time_machine import TimeMachineFixture

from config import settings as production
from drives.booking import changes
from drives.models import Booking, CancelledBy, Drive, Site
from drives.planning import lifecycle
from drives.web import shared_pages
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
SECOND = timedelta(seconds=shared_pages.SHARED_SECONDS)


@pytest.fixture(autouse=True)
def _shared(settings: Settings) -> None:
    settings.CACHES = production.CACHES
    caches["pages"].clear()


def address(drive: Drive, **query: str) -> str:
    return reverse("drive", args=[drive.slug], query=query)


def shown(drive: Drive, browser: Client | None = None, **query: str) -> str:
    return text((browser or Client()).get(address(drive, visit="return", **query)))


def two_chairs() -> Drive:
    return builders.drive(planned=None, chairs=2)


def book(drive: Drive) -> None:
    builders.booked(drive, n=0)


def known_browser() -> Client:
    """Return a browser with a personal cookie. It never gets a cached page."""
    browser = Client()
    browser.cookies["browser"] = "x" * 43
    return browser


def rename(drive: Drive) -> None:
    Drive.objects.filter(pk=drive.pk).update(title="Renamed")


def rename_site(drive: Drive) -> None:
    Site.objects.filter(pk=drive.site_id).update(name="Another hall")


def rename_organization(drive: Drive) -> None:
    Organization.objects.filter(pk=drive.organization_id).update(name="Another name")


def cancel(drive: Drive) -> None:
    lifecycle.cancel_drive(drive_id=drive.pk, reason="Flooded.", actor="user:1", now=NOW)


@pytest.mark.parametrize("change", [book, rename, rename_site, rename_organization, cancel])
def test_a_change_shows_after_a_second_and_the_page_is_shared_until_then(
    change: Callable[[Drive], None], time_machine: TimeMachineFixture
) -> None:
    drive = two_chairs()
    before = shown(drive)
    change(drive)
    time_machine.shift(SECOND - timedelta(milliseconds=1))
    assert shown(drive) == before
    time_machine.shift(timedelta(milliseconds=1))
    assert shown(drive) != before


def test_a_cancelled_booking_is_free_again_after_a_second(time_machine: TimeMachineFixture) -> None:
    drive = two_chairs()
    book(drive)
    assert "9:00 AM 1 left" in shown(drive)
    changes.cancel_bookings(booking_id=drive.bookings.get().pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    time_machine.shift(SECOND)
    assert "9:00 AM 2 left" in shown(drive)


def test_a_time_that_has_passed_is_gone_within_a_second(time_machine: TimeMachineFixture) -> None:
    drive = two_chairs()
    time_machine.move_to(drive.starts_at - timedelta(milliseconds=500))
    assert "9:00 AM" in shown(drive).partition("Choose a time")[2]
    time_machine.shift(SECOND)
    assert "9:00 AM" not in shown(drive).partition("Choose a time")[2]


def test_a_shared_page_costs_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    drive = two_chairs()
    for path in (address(drive), reverse("home"), reverse("organization", args=[drive.organization.slug])):
        Client().get(path)
        with django_assert_num_queries(0):
            Client().get(path)


def test_each_language_visit_type_and_number_of_people_has_its_own_page() -> None:
    drive = two_chairs()
    queries = [
        {},
        {"visit": "return"},
        {"visit": "return", "people": "2"},
        {"visit": "return", "people": "2", "first": "1"},
    ]
    pages = [
        Client(HTTP_ACCEPT_LANGUAGE=language).get(address(drive, **query)).content
        for language in ("en", "es")
        for query in queries
        for _again in range(2)
    ]
    assert pages[::2] == pages[1::2]
    assert len(set(pages)) == len(pages) // 2


def test_the_language_of_the_cookie_has_its_own_page() -> None:
    drive, browser = two_chairs(), Client()
    assert "Choose a time" in shown(drive, browser)
    browser.post(reverse("set_language"), {"language": "es", "next": "/"})
    assert "Elija un horario" in shown(drive, browser)
    assert "Choose a time" in shown(drive)


def test_a_known_donor_never_gets_nor_leaves_a_shared_page() -> None:
    drive, browser = two_chairs(), Client()
    donor.booked(browser, drive, visit="return")
    own = browser.get(address(drive, visit="return"))
    assert own.headers["Cache-Control"] == "private, no-cache"
    assert 'type="submit" class="tile"' in own.content.decode()
    stranger = Client().get(address(drive, visit="return"))
    assert stranger.headers["Cache-Control"] == "no-cache"
    assert 'type="submit" class="tile"' not in stranger.content.decode()
    assert browser.get(address(drive, visit="return")).content == own.content


def test_only_a_known_donor_sees_their_booking() -> None:
    drive, browser = two_chairs(), Client()
    donor.booked(browser, drive, visit="return")
    own = text(browser.get(address(drive)))
    reference = Booking.objects.get().reference
    assert "You’re booked at this drive Test Ana Alder, 9:00 AM" in own
    booking = browser.get(reverse("booking", args=[reference]))
    assert (booking.status_code, "9:00 AM" in text(booking)) == (200, True)
    for other in (Client(), known_browser()):
        assert "You’re booked at this drive" not in text(other.get(address(drive)))
    Drive.objects.filter(pk=drive.pk).update(state="completed")
    assert "You’re booked at this drive" not in text(browser.get(address(drive)))
    Drive.objects.filter(pk=drive.pk).update(state="published")
    assert "You’re booked at this drive" in text(browser.get(address(drive)))
    builders.cancelled(Booking.objects.get())
    assert "You’re booked at this drive" not in text(browser.get(address(drive)))


def test_a_party_of_three_takes_as_many_queries_as_one_booking() -> None:
    drive = builders.drive()
    builders.booked_together(drive)
    single = builders.drive(drive.organization, policy=builders.lax())
    builders.booked(single, number=42)
    browser = Client()
    browser.cookies["browser"] = builders.browser_of(builders.phone(42))
    counts = []
    for shown_drive, people in ((single, 1), (drive, 3)):
        browser.get(address(shown_drive))
        with CaptureQueriesContext(connection) as queries:
            page = browser.get(address(shown_drive))
        assert len(page.context["own_bookings"]) == people
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_coordinator_sees_the_counter_at_once() -> None:
    drive = two_chairs()
    browser = coordinator.signed_in(builders.member(drive.organization))
    assert "9:00 AM 2 left" in shown(drive, browser)
    book(drive)
    assert "9:00 AM 1 left" in shown(drive, browser)


@pytest.mark.parametrize("cookie", ["sessionid", "messages", "browser", "bookings", "anything"])
def test_a_page_for_a_visitor_with_another_cookie_is_not_shared(cookie: str) -> None:
    drive, browser = two_chairs(), Client()
    browser.cookies[cookie] = "x" * 32
    response = browser.get(address(drive, visit="return"))
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "Cookie" in response.headers["Vary"]
    book(drive)
    assert "9:00 AM 1 left" in shown(drive, browser)
    assert "9:00 AM 1 left" in shown(drive)  # not the page from before the booking


@pytest.mark.parametrize(("cookie", "value"), [("django_language", "en"), ("csrftoken", "a" * 32)])
def test_control_a_visitor_with_an_impersonal_cookie_shares_the_page(cookie: str, value: str) -> None:
    drive, browser = two_chairs(), Client()
    browser.cookies[cookie] = value
    assert "9:00 AM 2 left" in shown(drive, browser)
    book(drive)
    assert "9:00 AM 2 left" in shown(drive)


def test_public_pages_set_no_cookie_and_have_no_token() -> None:
    drive = two_chairs()
    names = (
        ("drive", drive.slug),
        ("self_check", drive.slug),
        ("organization", drive.organization.slug),
        ("embed", drive.organization.slug),
    )
    for path in (reverse("home"), *(reverse(name, args=[slug]) for name, slug in names)):
        response = Client().get(path)
        assert not response.cookies
        assert "csrfmiddlewaretoken" not in response.content.decode()
        assert {"Cookie", "Accept-Language"} <= set(response.headers["Vary"].split(", "))


@pytest.mark.parametrize("cookies", [{}, {"django_language": "es"}, {"csrftoken": "a" * 32}])
def test_control_a_page_with_a_token_is_never_shared(cookies: dict[str, str]) -> None:
    tokens: list[str] = []

    @shared_pages.share_page
    def page(request: HttpRequest) -> HttpResponse:
        tokens.append(get_token(request))
        return HttpResponse(tokens[-1])

    for _visitor in range(2):
        request = RequestFactory().get("/page/")
        request.COOKIES.update(cookies)
        page(request)
    assert len(set(tokens)) == 2


def test_the_language_is_switched_without_a_token() -> None:
    browser = Client(enforce_csrf_checks=True)
    response = browser.post(reverse("set_language"), {"language": "es", "next": "/terms/"})
    assert (response.status_code, response.headers["Location"]) == (302, "/terms/")
    elsewhere = browser.post(reverse("set_language"), {"language": "es", "next": "https://example.org/"})
    assert elsewhere.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 302),
        ({"Sec-Fetch-Site": "none"}, 302),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://other.testserver"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://example.org"}, 403),
        ({"Origin": "http://testserver"}, 302),
        ({"Origin": "https://example.org"}, 403),
        ({"Origin": "https://testserver.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
def test_another_website_cannot_switch_the_language(headers: dict[str, str], status: int) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(reverse("set_language"), {"language": "es"}, headers=headers).status_code == status
    assert ("django_language" in browser.cookies) == (status == 302)


@pytest.mark.parametrize("is_known", [False, True])
def test_an_unchanged_page_is_a_304_until_a_booking(is_known: bool, time_machine: TimeMachineFixture) -> None:
    drive, browser = two_chairs(), known_browser() if is_known else Client()
    etag = browser.get(address(drive)).headers["ETag"]
    time_machine.shift(SECOND)
    unchanged = browser.get(address(drive), headers={"if-none-match": etag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["ETag"]) == (304, b"", etag)
    book(drive)
    time_machine.shift(SECOND)
    assert browser.get(address(drive), headers={"if-none-match": etag}).status_code == 200
