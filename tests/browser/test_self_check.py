"""The self-check "Can I give?" runs in the browser and sends only its result."""

from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from tests.browser.pages import IN_BROWSER, OpenPage, arrive, violations, world

pytestmark = IN_BROWSER


def answered(page: Page, *answers: str) -> None:
    for answer in answers:
        page.get_by_role("button", name=answer, exact=True).click()


def test_one_question_at_a_time_and_only_the_result_leaves(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    with page.expect_request("**/site/drop.svg"):  # the browser asks for the icon last
        page.goto(f"{live_server.url}/d/{drive.slug}/self-check/", wait_until="networkidle")
    before = len(asked)
    assert page.locator("#check-questions li:visible").all_inner_texts() == ["I am 18 or older."]
    answered(page, "Yes", "Yes", "Yes")
    assert page.locator("#check-step").inner_text() == "4 / 4"
    assert violations(page) == []
    assert len(asked) == before
    answered(page, "Yes")
    page.get_by_text("Now choose a time.").wait_for()
    assert page.url.endswith(f"/d/{drive.slug}/?result=yes#choose")
    page.get_by_role("link", name="Yes").click()
    page.locator("[aria-current=true]", has_text="Yes").wait_for()
    page.locator(".tile").first.click()
    page.get_by_role("button", name="Continue").click()
    arrive(page, "Your details")
    assert page.get_by_label("All of this is true for me").is_checked()


def test_one_answer_that_is_not_sure_leads_to_the_centre(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    page.goto(f"{live_server.url}/d/{drive.slug}/self-check/")
    answered(page, "Yes", "Not sure", "Yes", "Yes")
    page.get_by_text("Ask the center before you come.").first.wait_for()
    assert page.url.endswith("?result=ask#choose")


def test_an_ineligible_donor_is_thanked_and_nothing_is_sent(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page()
    page.goto(f"{live_server.url}/d/{drive.slug}/self-check/", wait_until="networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    assert page.locator("#help").is_hidden()
    answered(page, "Yes", "No")
    assert page.evaluate("document.activeElement.id") == "help"
    assert page.get_by_role("heading", name="Can’t give? You can still help").is_visible()
    assert asked == []
    assert violations(page) == []


def test_without_scripts_the_statements_stand_in_a_list(open_page: OpenPage, live_server: LiveServer) -> None:
    drive, page = world(), open_page(scripts=False)
    page.goto(f"{live_server.url}/d/{drive.slug}/self-check/")
    assert page.locator("#check-questions li:visible").count() == 4
    assert page.locator("#help").is_visible()
    page.get_by_role("link", name="I’m not sure").click()
    assert page.url.endswith("?result=ask#choose")
