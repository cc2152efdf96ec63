"""Cleo, a member of another organization, cannot find anything that belongs to Ben's organization."""

import pytest
from django.test import Client

from drives.models import CollectionCenter, Drive
from organizations.models import Cause, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

NAMES = (
    *(
        "drive",
        "edit_drive",
        "roster",
        "roster_csv",
        "publish_drive",
        "close_drive",
        "cancel_drive",
        "copy_drive",
        "share",
        "qr_svg",
        "qr_png",
        "poster",
        "turnout",
        "complete_drive",
    ),
    *(
        "add_booking",
        "booking",
        "move_booking",
        "move_party",
        "cancel_booking",
        "resend",
        "stop_messages",
        "site",
        "center",
        "cause",
    ),
    *("drive_message_schedule", "broadcasts", "write_broadcast", "call_list", "reached", "not_reached", "late"),
    *("checklist", "add_own_task", "task_check_off", "task_reopen", "task_remove_own"),
    *("export_person", "erase_person"),
    *("who", "rename", "merge"),
    *("waitlist", "new_waitlist_entry", "wait_remove", "close_waitlist"),
    *("checkin", "walk_in", "person", "act_in", "act_undo"),
)
POSTED = (
    *(
        "publish_drive",
        "close_drive",
        "complete_drive",
        "resend",
        "stop_messages",
        "act_in",
        "act_undo",
        "reached",
        "not_reached",
    ),
    *("wait_remove", "close_waitlist", "rename"),
    *("add_own_task", "task_check_off", "task_reopen", "task_remove_own"),
)


@pytest.fixture
def addresses() -> dict[str, str]:
    organization = builders.organization()
    cause = Cause.objects.create(organization=organization, title="Running", slug="running", summary="For a child.")
    center = CollectionCenter.objects.create(organization=organization, name="Example Center")
    drive = builders.drive(organization, cause_id=cause.pk, center_id=center.pk)
    booking = builders.booked(drive)
    return coordinator.organizer_addresses(Drive.objects.get(pk=drive.pk), booking.pk)


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_finds_nothing(addresses: dict[str, str], name: str) -> None:
    cleo = coordinator.signed_in(builders.member(builders.organization("Other"), Role.OWNER))
    typed = {"called": addresses["merge"].split("/")[3]}  # the merge needs a name
    answers = [cleo.post(addresses[name], typed).status_code]
    if name not in POSTED:
        answers.append(cleo.get(addresses[name]).status_code)
    assert set(answers) <= {404, 405}
    assert 404 in answers


@pytest.mark.parametrize("name", NAMES)
def test_a_visitor_is_sent_to_sign_in(addresses: dict[str, str], name: str) -> None:
    answer = Client().post(addresses[name]) if name in POSTED else Client().get(addresses[name])
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_every_address_is_tried(addresses: dict[str, str]) -> None:
    assert set(NAMES) == set(addresses)
