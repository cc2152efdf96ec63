"""The settings page with the checklist of all drives."""

import pytest
from django.test import Client
from django.urls import reverse

from drives.checklist import queries
from drives.models import ChecklistItem
from organizations.models import AuditEntry, Membership, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

PAGE = "/organizer/settings/checklist/"
CHANGES = [f"{PAGE}new/", f"{PAGE}room/", f"{PAGE}room/move/", f"{PAGE}room/remove/", f"{PAGE}default/"]
TYPED = {"title": "Order the cake", "days": "3", "check_kind": "", "direction": "up"}


@pytest.fixture
def ben() -> Membership:
    return builders.member(builders.organization())


def codes(member: Membership) -> list[str]:
    return [item.code for item in queries.list_template(member.organization, NOW)]


def test_the_page_shows_the_default_with_its_sources_and_saves_nothing(ben: Membership) -> None:
    shown = text(coordinator.signed_in(ben).get(PAGE))
    assert "84 days before the drive Choose the collection center" in shown
    assert "Checked by the service: The plan has a collection center." in shown
    assert "Source: American Red Cross: Planning Timeline" in shown
    assert "On the day of the drive Put up signs to the entrance" in shown
    assert "This is the default checklist." in shown
    assert not ChecklistItem.objects.exists()


def test_the_settings_lead_to_the_page(ben: Membership) -> None:
    assert PAGE in coordinator.signed_in(ben).get("/organizer/settings/").content.decode()
    viewer = builders.member(ben.organization, Role.VIEWER)
    assert PAGE not in coordinator.signed_in(viewer).get("/organizer/settings/").content.decode()


def test_a_coordinator_adds_changes_moves_removes_and_restores(ben: Membership) -> None:
    browser = coordinator.signed_in(builders.member(ben.organization, Role.COORDINATOR))
    default = codes(ben)
    shown = text(browser.post(f"{PAGE}new/", {**TYPED, "check_kind": "goal"}, follow=True))
    assert "“Order the cake” is saved." in shown
    added = ChecklistItem.objects.get(code__startswith="t", check_kind="goal", days=3)
    assert added.code in codes(ben)

    page = browser.get(f"{PAGE}room/").content.decode()
    assert 'value="Reserve a room with chairs, tables and power"' in page
    browser.post(f"{PAGE}room/", {"title": "Reserve the gym", "days": "84", "check_kind": ""})
    assert "Reserve the gym" in text(browser.get(PAGE))

    assert browser.post(f"{PAGE}room/move/", {"direction": "up"})["Location"] == f"{PAGE}#task-room"
    assert codes(ben)[:3] == ["center", "room", "confirmed"]

    assert "“Reserve the gym” was removed from the checklist." in text(browser.post(f"{PAGE}room/remove/", follow=True))
    assert "room" not in codes(ben)

    assert "The checklist is the default one again." in text(browser.post(f"{PAGE}default/", follow=True))
    assert codes(ben) == default


def test_a_saved_page_offers_to_restore_the_default(ben: Membership) -> None:
    browser = coordinator.signed_in(ben)
    assert "Restore the default" not in text(browser.get(PAGE))
    browser.post(f"{PAGE}signs/remove/")
    assert "Restore the default checklist" in text(browser.get(PAGE))


def test_arrows_lead_only_to_tasks_of_the_same_day(ben: Membership) -> None:
    rows = {row["item"].code: row for row in coordinator.signed_in(ben).get(PAGE).context["rows"]}
    ways = {code: (row["may_move_up"], row["may_move_down"]) for code, row in rows.items()}
    assert [ways[code] for code in ("center", "confirmed", "room", "goal")] == [
        (False, True),
        (True, True),
        (True, False),
        (False, True),
    ]
    assert ways["signs"] == (False, False)


@pytest.mark.parametrize("page", [f"{PAGE}new/", f"{PAGE}room/"])
@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("title", "", "Enter the task."),
        ("title", "x" * 121, "at most 120 characters"),
        ("days", "366", "Enter at most 365 days."),
        ("days", "-1", "Enter 0 or more days."),
        ("check_kind", "weather", "weather is not one of the available choices"),
    ],
)
def test_bad_input_changes_nothing(ben: Membership, page: str, name: str, value: str, problem: str) -> None:
    answer = coordinator.signed_in(ben).post(page, {**TYPED, name: value})
    assert answer.status_code == 422
    assert problem in text(answer)
    assert not ChecklistItem.objects.exists()


def test_an_unknown_direction_is_refused(ben: Membership) -> None:
    assert coordinator.signed_in(ben).post(f"{PAGE}room/move/", {"direction": "out"}).status_code == 400


def test_an_unknown_task_is_not_found_or_said_to_be_gone(ben: Membership) -> None:
    browser = coordinator.signed_in(ben)
    assert browser.get(f"{PAGE}dance/").status_code == 404
    for action, fields in (("move", {"direction": "up"}), ("remove", {})):
        shown = text(browser.post(f"{PAGE}dance/{action}/", fields, follow=True))
        assert "This task is no longer on the checklist." in shown
    assert not ChecklistItem.objects.exists()


@pytest.mark.parametrize(
    ("role", "allowed"),
    [(Role.OWNER, True), (Role.COORDINATOR, True), (Role.VIEWER, False), (Role.CHECK_IN, False)],
)
def test_only_owners_and_coordinators_open_and_change_it(ben: Membership, role: Role, allowed: bool) -> None:
    browser = coordinator.signed_in(builders.member(ben.organization, role))
    assert browser.get(PAGE).status_code == (200 if allowed else 403)
    assert {browser.post(change, TYPED).status_code for change in CHANGES} == {303 if allowed else 403}
    assert AuditEntry.objects.exists() is allowed


def test_a_visitor_is_sent_to_sign_in() -> None:
    assert {Client().post(change)["Location"][:17] for change in CHANGES} == {"/accounts/login/?"}


def test_another_organization_keeps_its_own_checklist(ben: Membership) -> None:
    cleo = builders.member(builders.organization("Other"))
    coordinator.signed_in(cleo).post(f"{PAGE}room/remove/")
    assert ("room" in codes(ben), "room" in codes(cleo)) == (True, False)


def test_every_address_is_a_route() -> None:
    assert reverse("organizer_checklist_template") == PAGE
