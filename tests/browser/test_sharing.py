"""Sharing a drive in a real browser: the embed code on another website, visits, posters and their QR codes."""

import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import zxingcpp
from django.conf import settings
from django.test import Client
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from drives.models import Drive, ShareLink
from drives.sharing import embed_code, qr
from organizations.models import Membership, Role
from tests import builders
from tests.browser.pages import IN_BROWSER, OpenPage, look_at, look_in_every_view, press, world
from tests.builders import NOW

pytestmark = IN_BROWSER


class OtherWebsite(ThreadingHTTPServer):
    """A website on another origin. `policy` is its Content-Security-Policy, `page` its HTML."""

    page = ""
    policy = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Answer(BaseHTTPRequestHandler):
    server: OtherWebsite

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write(f"<!doctype html><title>Our foundation</title>{self.server.page}".encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def website() -> Iterator[OtherWebsite]:
    with OtherWebsite(("127.0.0.1", 0), _Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def sign_in(page: Page, membership: Membership, live_server: LiveServer) -> None:
    client = Client()
    client.force_login(membership.user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])


def open_share_page(page: Page, drive: Drive, live_server: LiveServer) -> None:
    sign_in(page, builders.member(drive.organization, Role.COORDINATOR), live_server)
    page.goto(live_server.url + reverse("organizer_share", args=[drive.pk]))


@pytest.mark.parametrize("number", [0, 1], ids=["drive", "list"])
def test_the_code_works_on_another_website_with_a_strict_policy(
    number: int, open_page: OpenPage, live_server: LiveServer, website: OtherWebsite, settings: pytest.FixtureRequest
) -> None:
    settings.BASE_URL = live_server.url  # type: ignore[attr-defined]
    drive, page = world(), open_page(width=600)
    website.page = embed_code.list_embeds(drive)[number].code
    website.policy = f"default-src 'none'; frame-src {live_server.url}; script-src {live_server.url}"
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(website.url, wait_until="networkidle")
    frame = page.frame_locator("iframe")
    frame.get_by_role("link", name="Plasma drive").first.wait_for()
    content = frame.locator("#embed").bounding_box()
    page.wait_for_function("document.querySelector('iframe').style.height !== ''")
    shown = page.locator("iframe").bounding_box()
    assert content is not None
    assert shown is not None
    assert content["height"] <= shown["height"] <= content["height"] + 100
    assert page.context.cookies() == []
    assert said == []
    frame.get_by_role("link", name="Plasma drive").first.click()
    page.wait_for_url(f"**/d/{drive.slug}/")


def test_a_visit_counts_once_and_leaves_the_address(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    link = ShareLink.objects.create(drive=drive, name="Dana", created_at=NOW)
    for _attempt in range(2):
        with page.expect_response(f"**/s/{link.code}/visit/") as counted:
            page.goto(f"{live_server.url}/s/{link.code}/")
        assert counted.value.status == 204
        assert page.url == f"{live_server.url}/d/{drive.slug}/"
    link.refresh_from_db()
    assert link.visits == 1


def read_codes(picture: bytes) -> list[str]:
    return [code.text for code in zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))]


def test_the_downloaded_code_can_be_read() -> None:
    assert read_codes(qr.build_png_file("https://drives.example.org/s/12/")) == ["https://drives.example.org/s/12/"]


@pytest.mark.parametrize("paper", ["letter", "a4"])
@pytest.mark.parametrize("sheet", ["poster", "flyer"])
def test_a_printed_sheet_is_one_page_and_its_code_can_be_read(
    sheet: str, paper: str, open_page: OpenPage, live_server: LiveServer
) -> None:
    drive, page = world(), open_page(width=1280)
    sign_in(page, builders.member(drive.organization, Role.COORDINATOR), live_server)
    page.goto(f"{live_server.url}{reverse('organizer_poster', args=[drive.pk])}?sheet={sheet}&paper={paper}")
    assert look_at(page, f"{sheet}-{paper}") == []
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 816, "height": 1056})
    codes = read_codes(page.screenshot(full_page=True))
    assert len(codes) == {"poster": 1, "flyer": 2}[sheet]
    assert all(code.endswith(f"/s/{drive.pk}/") for code in codes)
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") == 1
    sizes = {"letter": b"612 792", "a4": b"594.9"}
    assert sizes[paper] in pdf


def test_the_share_page_has_no_barrier(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    ShareLink.objects.create(drive=drive, name="Dana", created_at=NOW)
    open_share_page(page, drive, live_server)
    assert look_in_every_view(page, "share") == []
    press(page, "Add a link")
    assert look_in_every_view(page, "share-error") == []
