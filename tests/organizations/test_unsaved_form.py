"""If a member's session expires while the member fills in a form, the input is kept."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from organizations.models import Cause, Membership
from tests import builders, cases
from tests.builders import NOW, PASSWORD
from tests.drives import coordinator
from tests.visitor import Form, Reader

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
STORY = "Zoe was two when she fell ill.\nA long story with “signs” & <marks>."


def read_form(page: Any, address: str) -> Form:
    reader = Reader(address)
    reader.feed(page.content.decode())
    return next(form for form in reader.forms if form.action.endswith(address))


def fill_cause(browser: Client, address: str) -> dict[str, str]:
    """Return the fields of a new cause as a browser submits them."""
    form = read_form(browser.get(address), address)
    texts = {"title": "Running for Zoe", "summary": "For toddlers with OMS.", "story": STORY}
    names = {text: next(name for name in sorted(form.names) if name.startswith(text)) for text in texts}
    filled = dict(form.filled({names[text]: value for text, value in texts.items()}))
    return {name: value for name, value in filled.items() if name != "csrfmiddlewaretoken"}


def sign_in(browser: Client, member: Membership) -> Any:
    page = browser.post("/accounts/login/?next=/organizer/unsaved/", {"login": member.user.email, "password": PASSWORD})
    assert page.status_code == 302, page.content.decode()
    return browser.get(page["Location"], follow=True)


@pytest.mark.parametrize("case", cases.list_cases("K10"))
def test_typed_input_survives_sign_in_and_can_be_saved(case: dict[str, Any]) -> None:
    member = builders.member(builders.organization())
    browser, address = coordinator.signed_in(member), reverse("organizer_new_cause")
    typed = fill_cause(browser, address)
    with time_machine.travel(NOW + timedelta(hours=2, seconds=1), tick=False):
        away = browser.post(address, typed)
        assert away["Location"] == "/accounts/login/?next=/organizer/unsaved/", case["how"]
        assert not Cause.objects.exists()
        kept = read_form(sign_in(browser, member), address)
        assert dict(read_form(browser.get("/organizer/unsaved/"), address).fields).items() >= typed.items()  # reloaded
        assert browser.post(address, dict(kept.fields)).status_code in {302, 303}
    with translation.override("en"):
        assert str(Cause.objects.get().story).splitlines() == STORY.splitlines()


def test_the_fields_of_an_unknown_visitor_are_not_kept() -> None:
    browser, address = coordinator.signed_in(builders.member(builders.organization())), reverse("organizer_new_cause")
    typed = fill_cause(browser, address)
    del browser.cookies[settings.SESSION_COOKIE_NAME]
    assert browser.post(address, typed)["Location"] == f"/accounts/login/?next={address}"
    assert settings.SESSION_COOKIE_NAME not in browser.cookies


def test_another_member_does_not_see_what_was_typed() -> None:
    member, other = builders.member(builders.organization()), builders.member(builders.organization())
    browser, address = coordinator.signed_in(member), reverse("organizer_new_cause")
    typed = fill_cause(browser, address)
    with time_machine.travel(NOW + timedelta(hours=2, seconds=1), tick=False):
        browser.post(address, typed)
        assert STORY not in sign_in(browser, other).content.decode()


def test_a_session_of_two_hours_still_saves() -> None:
    member = builders.member(builders.organization())
    browser, address = coordinator.signed_in(member), reverse("organizer_new_cause")
    typed = fill_cause(browser, address)
    with time_machine.travel(NOW + timedelta(hours=2), tick=False):
        assert "login" not in browser.post(address, typed).headers.get("Location", "")
