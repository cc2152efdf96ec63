"""A drive from planning to turnout, through the pages only, and the turnout report."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from drives.attendance import check_in, close_out
from drives.models import Booking, Drive, DriveState
from tests import builders
from tests.builders import NOW, PASSWORD
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = pytest.mark.django_db


def after(drive: Drive) -> Any:
    return drive.ends_at + timedelta(hours=2)


def report(browser: Client, drive: Drive) -> str:
    return text(browser.get(reverse("organizer_turnout", args=[drive.pk])))


def test_a_drive_from_sign_in_to_the_final_turnout() -> None:
    ben = builders.member(builders.organization(), email="ben@example.org")
    form = coordinator.typed(builders.site(ben.organization), builders.policy(), goal="2")
    with time_machine.travel(NOW, tick=False):
        signing_in = Client().post("/accounts/login/", {"login": "ben@example.org", "password": PASSWORD})
        assert signing_in["Location"] == "/organizer/"
        browser = coordinator.AllDay(ben.user)
        browser.post("/organizer/drives/new/", {**form, "preview": "1"})
        browser.post("/organizer/drives/new/", {**form, "save": "1"})
        drive = Drive.objects.get()
        browser.post(reverse("organizer_publish_drive", args=[drive.pk]))
        came, missed = builders.booked(drive, number=1, name="Test Ana Alder"), builders.booked(drive, n=1, number=2)
        assert "Test Ana Alder" in text(browser.get(reverse("organizer_drive", args=[drive.pk])))
    with time_machine.travel(drive.starts_at, tick=False):
        browser.post(reverse("checkin_change_state", args=[drive.slug, came.pk, "in"]))
    with time_machine.travel(drive.starts_at + timedelta(hours=1), tick=False):
        browser.post(reverse("checkin_change_state", args=[drive.slug, came.pk, "donated"]))
    close_out.close_out_drive(drive_id=drive.pk, now=after(drive))
    with time_machine.travel(after(drive), tick=False):
        shown = report(browser, drive)
        browser.post(reverse("organizer_complete_drive", args=[drive.pk]))
        final = report(browser, drive)
    assert "1 of 2 donations, 50% of the goal" in shown
    assert "50 % 1 of 2 people with a booking came" in shown
    assert Booking.objects.get(pk=missed.pk).state == "no_show"
    assert ("not final yet" in shown, "not final yet" in final) == (True, False)
    assert Drive.objects.get().state == DriveState.COMPLETED


def test_before_the_end_the_report_says_when_it_comes() -> None:
    ben = builders.member(builders.organization())
    drive = builders.drive(ben.organization)
    with time_machine.travel(NOW, tick=False):
        shown = report(coordinator.signed_in(ben), drive)
    assert (
        "The drive ends on Saturday, March 13, 3:00 PM Pacific Time. The report will be ready 60 minutes later."
        in shown
    )


def test_a_drive_with_open_check_ins_cannot_be_completed() -> None:
    ben = builders.member(builders.organization())
    drive = builders.drive(ben.organization)
    booking = builders.booked(drive)
    check_in.check_in_donor(booking_id=booking.pk, actor="user:1", now=drive.starts_at)
    close_out.close_out_drive(drive_id=drive.pk, now=after(drive))
    with time_machine.travel(after(drive), tick=False):
        browser = coordinator.signed_in(ben)
        shown = report(browser, drive)
        refused = text(browser.post(reverse("organizer_complete_drive", args=[drive.pk]), follow=True))
        desk = text(browser.get(reverse("organizer_drive", args=[drive.pk])))
    assert "1 person is checked in without an outcome." in shown
    assert "checked in without an outcome" in refused
    assert "1 person checked in without an outcome." in desk
    assert Drive.objects.get().state == DriveState.CLOSED


def test_a_correction_after_the_close_out_changes_the_report() -> None:
    ben = builders.member(builders.organization())
    drive = builders.drive(ben.organization)
    booking = builders.booked(drive)
    close_out.close_out_drive(drive_id=drive.pk, now=after(drive))
    with time_machine.travel(after(drive), tick=False):
        browser = coordinator.signed_in(ben)
        before = report(browser, drive)
        browser.post(reverse("checkin_change_state", args=[drive.slug, booking.pk, "in"]))
        corrected = report(browser, drive)
    assert "0 % 0 of 1 people with a booking came" in before
    assert "100 % 1 of 1 people with a booking came" in corrected
