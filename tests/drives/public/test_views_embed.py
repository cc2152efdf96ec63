"""The pages that an organization shows in a frame on its own website."""

import pytest
from django.test import Client
from django.urls import reverse
from time_machine import TimeMachineFixture

from drives.models import Drive
from drives.planning import lifecycle
from tests import builders
from tests.builders import NOW
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def frames(drive: Drive) -> list[str]:
    owner = drive.organization.slug
    return [reverse("embed", args=[owner]), reverse("embed_drive", args=[owner, drive.slug])]


def shown_alone(drive: Drive) -> str:
    return text(Client().get(frames(drive)[1]))


def test_a_frame_of_another_website_may_hold_a_drive_and_the_list_and_nothing_else() -> None:
    drive = builders.drive()
    for path in frames(drive):
        framed = Client().get(path)
        assert str(drive.title) in text(framed)
        assert "spots left" in text(framed)
        assert "frame-ancestors *" in framed.headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in framed.headers
    assert "frame-ancestors 'none'" in Client().get(reverse("home")).headers["Content-Security-Policy"]


def test_no_link_in_a_frame_leads_to_a_part_of_the_page() -> None:
    """Links in the frame open in the whole window.

    A link to a part of the framed page would therefore replace the organization's page.
    """
    drive = builders.drive()
    assert 'href="#main"' in Client().get(f"/d/{drive.slug}/").content.decode()  # control
    for path in frames(drive):
        shown = Client().get(path).content.decode()
        assert '<base target="_top">' in shown
        assert 'href="#' not in shown


def test_a_drive_that_takes_no_bookings_shows_no_spots(time_machine: TimeMachineFixture) -> None:
    cancelled, closed, over = builders.drive(), builders.drive(), builders.drive()
    lifecycle.cancel_drive(drive_id=cancelled.pk, reason="Flooded.", actor="test", now=NOW)
    lifecycle.close_drive(drive_id=closed.pk, actor="test", now=NOW)
    states = {cancelled: "This drive is cancelled.", closed: "Online booking is closed.", over: "This drive is over."}
    for drive, state in states.items():
        if drive == over:
            time_machine.move_to(over.ends_at)
        assert state in shown_alone(drive)
        assert "spots left" not in shown_alone(drive)
        assert "full" not in shown_alone(drive)


def test_a_full_drive_says_so() -> None:
    drive = builders.drive()
    drive.slots.update(chairs_limit=0)
    assert "All spots are taken." in shown_alone(drive)
    assert "full" in shown_alone(drive)


def test_a_draft_and_a_drive_of_another_organization_are_unknown() -> None:
    drive, other = builders.drive(), builders.organization("Other")
    assert Client().get(reverse("embed_drive", args=[other.slug, drive.slug])).status_code == 404
    assert Client().get(frames(builders.drive(published=False))[1]).status_code == 404
