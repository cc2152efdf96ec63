"""Cleo belongs to another organization: to her, nothing of this one exists."""

import pytest
from django.test import Client

from drives.models import Collector, Drive
from organizations.models import Cause, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

NAMES = (
    *("drive", "plan", "roster", "roster_csv", "publish", "close", "cancel_drive", "copy_drive", "turnout", "complete"),
    *("enter", "booking", "move", "move_all", "cancel", "again", "consents", "site", "collector", "cause"),
    *("drive_messages", "broadcasts", "write", "calls", "reached", "not_reached", "late"),
    *("export", "erase"),
    *("who", "merge"),
    *("waiting", "wait", "wait_remove", "close_line"),
    *("checkin", "walk_in", "person", "act_in", "act_undo"),
)
POSTED = (
    *("publish", "close", "complete", "again", "consents", "act_in", "act_undo", "reached", "not_reached"),
    *("wait_remove", "close_line"),
)


@pytest.fixture
def addresses() -> dict[str, str]:
    organization = builders.organization()
    cause = Cause.objects.create(organization=organization, title="Running", slug="running", strip="For a child.")
    collector = Collector.objects.create(organization=organization, name="Example Center")
    drive = builders.drive(organization, cause_id=cause.pk, collector_id=collector.pk)
    booking = builders.booked(drive)
    return coordinator.organizer_addresses(Drive.objects.get(pk=drive.pk), booking.pk)


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_finds_nothing(addresses: dict[str, str], name: str) -> None:
    cleo = coordinator.signed_in(builders.member(builders.organization("Other"), Role.OWNER))
    answers = [cleo.post(addresses[name]).status_code]
    if name not in POSTED:
        answers.append(cleo.get(addresses[name]).status_code)
    assert set(answers) <= {404, 405}
    assert 404 in answers


@pytest.mark.parametrize("name", NAMES)
def test_who_is_not_signed_in_is_sent_to_sign_in(addresses: dict[str, str], name: str) -> None:
    answer = Client().post(addresses[name]) if name in POSTED else Client().get(addresses[name])
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_every_address_is_tried(addresses: dict[str, str]) -> None:
    assert set(NAMES) == set(addresses)
