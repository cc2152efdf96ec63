"""Every page in a real browser: no axe violation and no sideways scroll, in both languages and with large letters.

The list of pages comes from the routes. A new page must open with the rows of `World` or be listed in ELSEWHERE, with a
reason.
"""

from typing import Any

import pytest
from django.test import Client, override_settings
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from drives.inbox import replies
from drives.messaging.texts import wording
from drives.models import Broadcast, CollectionCenter, Conversation
from drives.models.broadcast import BroadcastKind
from drives.settings import views_organization
from notifications import replies as notifications_replies
from notifications.models import Sender
from organizations import invitations
from organizations.models import Cause, Membership, ParkedRow
from tests import builders
from tests.browser.pages import (
    IN_BROWSER,
    OpenPage,
    covered_share,
    enlarge_letters,
    find_wide_parts,
    look_at,
    look_in_every_view,
)
from tests.builders import NOW
from tests.drives.imports import made as imports_made
from tests.routes import ROUTES, World
from volunteers.models import Volunteer

pytestmark = IN_BROWSER

LOOKS = [("en", 320, "light"), ("es", 390, "dark")]
MOST_COVERED = 0.25  # of the screen, with large letters

SECOND_STEP = "needs a second step, which test_second_step sets up"
SENT_CODE = "needs a code that was sent"
LINK = "leads to another page"
ELSEWHERE = {
    "account_set_password": "for members without a password, and every member has one",
    **dict.fromkeys(["account_confirm_login_code", "account_confirm_email", "find_booking_code"], SENT_CODE),
    **dict.fromkeys(
        ["account_reset_password_from_key", "news_code", "news_send_code", "donor_contact_code"], SENT_CODE
    ),
    **dict.fromkeys(
        ["mfa_authenticate", "mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp"], SECOND_STEP
    ),
    **dict.fromkeys(["mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_login_webauthn"], SECOND_STEP),
    **dict.fromkeys(["mfa_add_webauthn", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn"], SECOND_STEP),
    **dict.fromkeys(["mfa_edit_webauthn", "mfa_download_recovery_codes"], SECOND_STEP),
    **dict.fromkeys(["slot", "slot_first_visit", "short_drive", "share_link", "set_language", "rebook"], LINK),
    **dict.fromkeys(["organizer_move_party", "organizer_next_setup_step", "invitation"], LINK),
    **dict.fromkeys(
        ["donor_feed", "cause_picture", "organization_logo", "demo_inbox_calendar"],
        "is a file that this world does not have",
    ),
    **dict.fromkeys(["offer", "offer_accept", "offer_decline"], "needs an offer, which test_waiting makes"),
    **dict.fromkeys(["donor_consent", "donor_renew_feed"], "takes only forms"),
    "stop_messages": "needs a link from an e-mail, which tests/drives/account opens",
    "organizer_merge_people": "needs two people with one phone, whom tests/drives/desk makes",
    "organizer_settings_page": "each of its pages is opened under its own name",
    "organizer_invite_founder": "for the operator of the service only",
    "unsaved_form": "needs a form that was sent after the end of a session",
}


def list_addresses(world: World) -> dict[str, str]:
    """Create rows that `World` does not have. Return the URLs of the pages that need them, by route name."""
    organization, drive = world.organization, world.drive
    cause = Cause.objects.create(organization=organization, title="For Zoe", slug="zoe", summary="A rare disease.")
    center = CollectionCenter.objects.create(organization=organization, name="Example Center")
    ParkedRow.objects.create(sweep="close_out", row=drive.pk, error="ValueError", retry_at=NOW)
    sent = Broadcast.objects.create(
        drive=drive,
        kind=BroadcastKind.MESSAGE,
        purpose="reminders",
        texts={"en": "Please bring water."},
        people_count=1,
        text_count=1,
        email_count=0,
        unreached_count=0,
        cost=0,
        currency="USD",
        request_key="1",
        created_at=NOW,
        due_at=NOW,
    )
    ana = Volunteer.objects.get(phone__address=builders.phone(42))
    notifications_replies.receive_reply(
        sender_number=Sender.objects.get(organizations=organization).number,
        provider_id="SM-1",
        address=builders.phone(42),
        text="Where can I park?",
        now=NOW,
    )
    replies.handle_new_replies(now=NOW)
    slot = builders.slot(drive, 4).pk
    ready = imports_made.checked(organization, imports_made.file_of("Test Ana,213 555 0142,,,yes,,", "Test Bo,1,,,,,"))
    one = {
        "book": f"{reverse('book', args=[drive.slug])}?visit=return&slot={slot}",
        "booking": f"/b/{world.keys['b']}/?cookie=1",
        "waitlist_entry": f"/w/{world.keys['w']}/?cookie=1",
        "cause": reverse("cause", args=[cause.slug]),
        "embed": reverse("embed", args=[organization.slug]),
        "embed_drive": reverse("embed_drive", args=[organization.slug, drive.slug]),
        "organizer_edit_site": reverse("organizer_edit_site", args=[drive.site_id]),
        "organizer_edit_cause": reverse("organizer_edit_cause", args=[cause.pk]),
        "organizer_center": reverse("organizer_center", args=[center.pk]),
        "organizer_broadcast": reverse("organizer_broadcast", args=[sent.pk]),
        "organizer_conversation": reverse("organizer_conversation", args=[Conversation.objects.get().pk]),
        "organizer_template_task": reverse("organizer_template_task", args=["room"]),
        "organizer_custom_text": reverse("organizer_custom_text", args=[next(iter(wording.TEXTS)), "es"]),
    }
    member = Membership.objects.get(user=world.user)
    of_import = ("organizer_import", "organizer_import_columns", "organizer_import_errors")
    of_donor = ("donor_details", "donor_contact")
    of_person = ("donor_data_file", "organizer_export_person", "organizer_erase_person")
    pages = {f"organizer_settings_page {page}": page for page in views_organization.PAGES}
    return {
        **one,
        **{name: reverse(name, args=[ana.uuid]) for name in of_donor},
        **{name: reverse(name, args=[ana.pk]) for name in of_person},
        **{name: reverse(name, args=[ready.pk]) for name in of_import},
        "organizer_member": reverse("organizer_member", args=[member.pk]),
        # Ana twice, so that the page never opens. A fixed second id could by chance belong to a person.
        "organizer_merge_people": reverse("organizer_merge_people", args=[ana.pk, ana.pk]),
        **{name: reverse("organizer_settings_page", args=[page]) for name, page in pages.items()},
    }


def find_pages(world: World, clients: list[Client]) -> tuple[dict[str, tuple[str, int]], list[str]]:
    """Return each page's URL with the number of the first client that may open it, and the routes that no client opens.

    Files and routes that take only forms (405, or 303 to the page of the form) are left out.
    """
    pages: dict[str, tuple[str, int]] = {}
    unopened: list[str] = []
    # Health checks and webhooks have no name.
    routes = {
        pattern.name: world.fill(route)
        for route, pattern in ROUTES
        if pattern.name and not route.startswith(("api/v1/", "admin/"))
    }
    for name, address in {**routes, **list_addresses(world)}.items():
        answers = [client.get(address) for client in clients]
        opened = [number for number, answer in enumerate(answers) if answer.status_code == 200]
        if not opened:
            unopened += [name] if {answer.status_code for answer in answers}.isdisjoint({303, 405}) else []
        elif answers[opened[0]]["Content-Type"].startswith("text/html"):
            pages[name] = address, opened[0]
    return pages, unopened


def open_world() -> tuple[World, list[Client]]:
    """Create the test data. Return it with Ana's client, which has also opened a setup link, and Ben's client."""
    for _ in range(2):  # so that the id of a site is not also that of a drive or a member
        builders.site(builders.member(builders.organization()).organization)
    world = World()
    ana = Client()
    ana.cookies["browser"] = builders.browser_of(builders.phone(42))
    ana.get(f"/start/{invitations.create_setup_link(now=NOW)[0].token}/")
    return world, [ana, world.client()]


def test_every_page_is_opened_or_has_a_reason() -> None:
    with override_settings(DEMO=True, RATE_LIMITS=False):
        pages, unopened = find_pages(*open_world())
    assert sorted(unopened) == sorted(ELSEWHERE)
    assert len(pages) > 100


def open_pages(open_page: OpenPage, clients: list[Client], url: str, language: str, **look: Any) -> list[Page]:
    """Open an empty page for each client, with the client's cookies."""
    tabs = []
    for client in clients:
        page = open_page(**look)
        client.cookies["django_language"] = language
        cookies: Any = [{"name": name, "value": one.value, "url": url} for name, one in client.cookies.items()]
        page.context.add_cookies(cookies)
        tabs.append(page)
    return tabs


@pytest.mark.parametrize(("language", "width", "scheme"), LOOKS)
def test_no_page_has_a_barrier(
    language: str, width: int, scheme: str, open_page: OpenPage, live_server: LiveServer
) -> None:
    problems: list[str] = []
    with override_settings(DEMO=True, RATE_LIMITS=False):
        world, clients = open_world()
        pages, _unopened = find_pages(world, clients)
        tabs = open_pages(open_page, clients, live_server.url, language, width=width, scheme=scheme)
        for name, (address, number) in pages.items():
            tabs[number].goto(live_server.url + address)
            problems += list_problems(tabs[number], f"{name}-{width}-{scheme}", language)
    assert problems == []


def list_problems(page: Page, name: str, language: str) -> list[str]:
    problems = look_at(page, name)
    if page.locator("html").get_attribute("lang") != language:
        problems.append(f"{name}: in another language")
    enlarge_letters(page)
    problems += [f"{name} with large letters: {part}" for part in find_wide_parts(page)]
    if covered_share(page) > MOST_COVERED:
        problems.append(f"{name} with large letters: covers {covered_share(page):.0%}")
    return problems


def test_control_a_page_with_barriers_is_caught(open_page: OpenPage) -> None:
    page = open_page(width=320)
    page.set_content("<html lang='en'><title>A page</title><main><h1>A page</h1><img src='x'>" + "<p>wide</p>" * 2)
    page.locator("p").first.evaluate("part => { part.style.inlineSize = '18rem'; }")
    problems = list_problems(page, "seeded", "es")
    assert any("image-alt" in problem for problem in problems)
    assert "seeded: in another language" in problems
    assert any("with large letters: scrolls sideways: P" in problem for problem in problems)


def test_control_a_fault_in_one_view_is_caught(open_page: OpenPage) -> None:
    page = open_page()
    page.set_content(
        "<html lang='en'><title>A page</title><style>p { color: #000; background: #fff; }"
        "@media (prefers-color-scheme: dark) { p { color: #ccc; } }"
        "@media (min-width: 700px) and (max-width: 800px) { p { inline-size: 900px; } }</style>"
        "<main><h1>A page</h1><p>A paragraph</p></main>"
    )
    problems = look_in_every_view(page, "seeded")
    assert any(problem.startswith("seeded-1280-dark: color-contrast") for problem in problems)
    assert any(problem.startswith("seeded-768: scrolls sideways: P") for problem in problems)
    assert not any("seeded-320-light" in problem for problem in problems)
