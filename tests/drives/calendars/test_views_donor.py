"""The URLs of calendar files and feeds."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from time_machine import TimeMachineFixture

from drives.planning import lifecycle
from tests import builders
from tests.builders import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def test_a_booking_is_a_file_that_no_cache_keeps() -> None:
    booking = builders.booked(builders.drive())
    response = Client().get(reverse("booking_calendar", args=[booking.token]))
    assert response.headers["Content-Type"] == "text/calendar; method=PUBLISH; charset=utf-8"
    assert "no-store" in response.headers["Cache-Control"]
    assert b"DTSTART:20270313T170000Z" in response.content


def test_a_feed_is_answered_304_until_something_changes() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    assert booking.volunteer is not None
    address = reverse("donor_feed", args=[booking.volunteer.token])
    first = Client().get(address)
    assert first.content.count(b"BEGIN:VEVENT") == 1
    again = Client().get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    Client().post(reverse("booking_move", args=[booking.token]), {"slot": builders.slot(drive, 8).pk})
    changed = Client().get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_the_feed_of_an_organization_has_its_published_drives() -> None:
    here = builders.organization()
    builders.drive(here, title="Ours")
    builders.drive(here, title="Draft", published=False)
    builders.drive(title="Theirs")
    response = Client().get(reverse("organization_calendar", args=[here.slug]))
    assert b"SUMMARY:Ours" in response.content
    assert response.content.count(b"BEGIN:VEVENT") == 1


def test_a_cancelled_drive_stays_in_the_feed_for_thirty_days_under_a_higher_sequence(
    time_machine: TimeMachineFixture,
) -> None:
    here = builders.organization()
    drive, draft = builders.drive(here), builders.drive(here, published=False)
    address = reverse("organization_calendar", args=[here.slug])
    before = Client().get(address)
    for one in (drive, draft):
        lifecycle.cancel_drive(drive_id=one.pk, reason="", actor="user:1", now=NOW)
    after = Client().get(address, headers={"If-None-Match": before["ETag"]})
    assert after.status_code == 200
    assert (statuses(before), statuses(after)) == ([b"CONFIRMED"], [b"CANCELLED"])
    for response in (after, Client().get(reverse("drive_calendar", args=[drive.slug]))):
        assert sequences(response)[0] > sequences(before)[0]
    time_machine.move_to(NOW + timedelta(days=30, seconds=-1), tick=False)
    assert statuses(Client().get(address)) == [b"CANCELLED"]
    time_machine.move_to(NOW + timedelta(days=30), tick=False)
    assert statuses(Client().get(address)) == []


def test_a_drive_that_takes_no_more_bookings_stays_in_the_feed() -> None:
    drive = builders.drive()
    lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    address = reverse("organization_calendar", args=[drive.organization.slug])
    assert statuses(Client().get(address)) == [b"CONFIRMED"]


def statuses(response: Any) -> list[bytes]:
    return re.findall(rb"\nSTATUS:(\w+)", response.content)


def sequences(response: Any) -> list[int]:
    return [int(number) for number in re.findall(rb"\nSEQUENCE:(\d+)", response.content)]


def test_a_drive_is_a_calendar_unless_it_is_a_draft() -> None:
    here = builders.organization()
    drive, draft = builders.drive(here), builders.drive(here, published=False)
    assert Client().get(reverse("drive_calendar", args=[drive.slug])).status_code == 200
    assert Client().get(reverse("drive_calendar", args=[draft.slug])).status_code == 404


def test_unknown_feeds_are_not_found() -> None:
    assert Client().get(reverse("donor_feed", args=["nonsense"])).status_code == 404
    assert Client().get(reverse("booking_calendar", args=["nonsense"])).status_code == 404
