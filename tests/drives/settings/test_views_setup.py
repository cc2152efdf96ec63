"""The guided setup. Each step gives its reason, and an owner can skip it and return to it later."""

import pytest
from django.urls import reverse

from drives.settings import setup
from drives.web.setup_steps import STEPS
from organizations.models import Membership, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def ben() -> Membership:
    return builders.member(builders.organization("Hope Foundation"))


def open_codes(member: Membership) -> list[str]:
    return [state.step.code for state in setup.list_steps(member.organization) if state.is_open]


def test_a_new_organization_has_every_step_before_it() -> None:
    member = ben()
    assert open_codes(member) == [step.code for step in STEPS]
    shown = text(coordinator.signed_in(member).get(reverse("organizer_setup")))
    for step in STEPS:
        assert str(step.reason) in shown
    assert "0 of 11 steps are done." in shown
    assert "Continue: Names" in shown


def test_a_step_says_why_it_is_asked_and_leads_to_the_next() -> None:
    browser = coordinator.signed_in(ben())
    address = f"{reverse('organizer_settings_page', args=['name'])}?setup=name"
    assert "The terms show the legal name" in text(browser.get(address))
    saved = browser.post(address, {"name": "Hope", "legal_name": "", "sms_name": "Hope"})
    assert saved["Location"] == f"{reverse('organizer_next_setup_step')}?after=name"
    contact = f"{reverse('organizer_settings_page', args=['contact'])}?setup=contact"
    assert browser.get(saved["Location"])["Location"] == contact


def test_a_refused_form_keeps_the_address_of_its_step() -> None:
    """The page's script replaces the URL of the POST with this one, so that a reload opens the form."""
    browser = coordinator.signed_in(ben())
    address = f"{reverse('organizer_settings_page', args=['name'])}?setup=name"
    refused = browser.post(address, {"name": "", "legal_name": "", "sms_name": "Hope"})
    assert refused.status_code == 422
    assert f'data-posted="{address}"' in refused.content.decode()


def test_a_new_location_is_a_step() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    typed = {"name": "St Mary Hall", "address": "12 Oak St", "city": "Los Angeles", "timezone": "America/Los_Angeles"}
    saved = browser.post(f"{reverse('organizer_new_site')}?setup=site", typed)
    assert browser.get(saved["Location"])["Location"] == f"{reverse('organizer_new_center')}?setup=center"
    assert "site" not in open_codes(member)


def test_the_same_page_outside_of_the_set_up_returns_to_its_list() -> None:
    browser = coordinator.signed_in(ben())
    typed = {"name": "Example Center"}
    assert browser.post(reverse("organizer_new_center"), typed)["Location"] == reverse("organizer_sites")
    assert browser.post(f"{reverse('organizer_new_center')}?setup=nonsense", typed)["Location"] == reverse(
        "organizer_sites"
    )


@pytest.mark.parametrize(
    ("code", "title"), [("cause", "Cause"), ("look", "Logo and color"), ("center", "Collection center")]
)
def test_a_step_is_skipped_and_stays_reachable(code: str, title: str) -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    browser.post(reverse("organizer_setup"), {"skip": code})
    assert code not in open_codes(member)
    shown = text(browser.get(reverse("organizer_setup")))
    assert f"{title} skipped" in shown
    assert f"Start {title}" in shown
    for wrong in ("name", "program", "other", ""):
        assert browser.post(reverse("organizer_setup"), {"skip": wrong}).status_code == 404


def test_the_page_of_a_step_skips_it_and_leads_to_the_next() -> None:
    browser = coordinator.signed_in(ben())
    address = f"{reverse('organizer_settings_page', args=['look'])}?setup=look"
    skip = f"{reverse('organizer_setup')}?setup=look"
    page = browser.get(address).content.decode()
    assert f'action="{skip}"' in page
    assert 'name="skip" value="look"' in page
    skipped = browser.post(skip, {"skip": "look"})
    assert browser.get(skipped["Location"])["Location"] == f"{reverse('organizer_new_site')}?setup=site"


def test_a_step_that_every_drive_needs_is_left_for_later_and_stays_open() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    page = browser.get(f"{reverse('organizer_settings_page', args=['program'])}?setup=program").content.decode()
    assert 'name="skip"' not in page
    later = f"{reverse('organizer_next_setup_step')}?after=program"
    assert f'<a class="action-link" href="{later}">Do this later</a>' in page
    assert browser.get(later)["Location"] == f"{reverse('organizer_texting')}?setup=texting"
    assert "program" in open_codes(member)


def test_the_last_open_step_does_not_lead_to_itself() -> None:
    member = ben()
    member.organization.setup_steps = [mark for step in STEPS[:-1] for mark in (step.code, f"skipped:{step.code}")]
    member.organization.save()
    builders.site(member.organization)
    browser = coordinator.signed_in(member)
    assert open_codes(member) == ["drive"]
    later = f"{reverse('organizer_next_setup_step')}?after=drive"
    assert browser.get(later)["Location"] == reverse("organizer_setup")


def test_a_planned_drive_answers_the_step_of_the_program() -> None:
    member = ben()
    builders.drive(member.organization)
    assert "program" not in open_codes(member)


def test_a_coordinator_gets_no_way_to_the_set_up() -> None:
    member = builders.member(builders.organization(), role=Role.COORDINATOR)
    page = text(coordinator.signed_in(member).get(f"{reverse('organizer_new_center')}?setup=center"))
    assert "The licensed center collects the plasma." in page
    assert "All steps" not in page


def test_a_skipped_step_that_is_saved_later_is_done() -> None:
    browser = coordinator.signed_in(ben())
    browser.post(reverse("organizer_setup"), {"skip": "look"})
    browser.post(reverse("organizer_settings_page", args=["look"]), {"accent": "#1f4e5c"})
    assert "Logo and color done" in text(browser.get(reverse("organizer_setup")))


def test_texting_is_done_when_the_owner_says_so() -> None:
    browser = coordinator.signed_in(ben())
    page = browser.get(f"{reverse('organizer_texting')}?setup=texting").content.decode()
    assert 'name="done" value="texting"' in page
    browser.post(reverse("organizer_setup"), {"done": "texting"})
    assert "Text messages and e-mail done" in text(browser.get(reverse("organizer_setup")))


def test_after_the_last_step_the_first_open_one_follows() -> None:
    states = setup.list_steps(ben().organization)
    following = setup.find_next_step(states, after="drive")
    assert following is not None
    assert following.code == "name"


def test_a_finished_set_up_says_so() -> None:
    member = ben()
    member.organization.setup_steps = [mark for step in STEPS for mark in (step.code, f"skipped:{step.code}")]
    member.organization.save()
    builders.drive(member.organization)
    browser = coordinator.signed_in(member)
    assert "You’ve gone through every step." in text(browser.get(reverse("organizer_setup")))
    assert browser.get(reverse("organizer_next_setup_step"))["Location"] == reverse("organizer_setup")


def test_a_colleague_or_an_invitation_finishes_that_step() -> None:
    member = ben()
    builders.member(member.organization)
    assert "members" not in open_codes(member)
