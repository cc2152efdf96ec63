"""A donor's calendar feed.

The service serializes each event once per change, and nothing for a 304 response.
"""

import re
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from time_machine import TimeMachineFixture

from drives.booking import changes
from drives.calendars import feeds
from drives.models import ACTIVE_STATES, OUTCOMES, Booking, BookingState, CancelledBy, Drive
from tests import builders
from tests.builders import NOW

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("count", [1, 3])
def test_a_feed_reads_its_bookings_only_after_a_change(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    caches["local"].clear()
    owner = builders.organization()
    lax = builders.lax().pk
    drives = [builders.drive(owner, policy_id=lax) for _drive in range(count)]
    booked = [builders.booked(drive, now=NOW + timedelta(hours=hour)) for hour, drive in enumerate(drives)]
    volunteer = booked[0].volunteer
    assert volunteer is not None
    address = f"/feeds/{volunteer.token}.ics"
    with django_assert_num_queries(3):
        first = client.get(address)
    with django_assert_num_queries(2):
        assert client.get(address).content == first.content
    with django_assert_num_queries(1):
        assert client.get(address, headers={"If-None-Match": first["ETag"]}).status_code == 304
    changes.cancel_bookings(
        booking_id=booked[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW + timedelta(hours=9)
    )
    with django_assert_num_queries(3):
        changed = client.get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.content.count(b"BEGIN:VEVENT") == count
    assert changed.content.count(b"STATUS:CANCELLED") == 1


def test_a_cancelled_booking_stays_in_the_feed_for_thirty_days(
    client: Client, time_machine: TimeMachineFixture
) -> None:
    caches["local"].clear()
    time_machine.move_to(NOW, tick=False)
    cancelled = builders.booked(drive := builders.drive())
    changes.cancel_bookings(booking_id=cancelled.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    kept = builders.booked(drive, n=4, now=NOW + timedelta(hours=1))
    assert kept.volunteer is not None
    assert kept.volunteer_id == cancelled.volunteer_id
    address = f"/feeds/{kept.volunteer.token}.ics"
    time_machine.move_to(NOW + timedelta(days=30, seconds=-1), tick=False)
    assert client.get(address).content.count(b"STATUS:CANCELLED") == 1
    time_machine.move_to(NOW + timedelta(days=30), tick=False)
    assert client.get(address).content.count(b"STATUS:CANCELLED") == 0
    assert client.get(address).content.count(b"STATUS:CONFIRMED") == 1


def test_a_new_address_of_a_feed_ends_the_old_one(client: Client, time_machine: TimeMachineFixture) -> None:
    caches["local"].clear()
    time_machine.move_to(NOW, tick=False)
    booking = builders.booked(builders.drive())
    assert booking.volunteer is not None
    old = reverse("donor_feed", args=[booking.volunteer.token])
    first = client.get(old)
    answer = client.post(reverse("booking_renew_feed", args=[booking.token]), follow=True)
    assert "Your calendar has a new link." in answer.content.decode()
    assert old not in answer.content.decode()
    assert client.get(old).status_code == 404
    assert client.get(old, headers={"If-None-Match": first["ETag"]}).status_code == 404
    found = re.search(r"/feeds/[\w-]{22}\.ics", answer.content.decode())
    assert found is not None
    assert client.get(found[0]).content.count(b"BEGIN:VEVENT") == 1
    assert client.get(reverse("booking", args=[booking.token]), follow=True).status_code == 200


def test_no_other_site_can_ask_for_a_new_address(client: Client) -> None:
    booking = builders.booked(builders.drive())
    assert booking.volunteer is not None
    forged = Client(enforce_csrf_checks=True)
    assert forged.post(reverse("booking_renew_feed", args=[booking.token])).status_code == 403
    assert forged.get(reverse("booking_renew_feed", args=[booking.token])).status_code in {303, 404}
    assert client.get(reverse("donor_feed", args=[booking.volunteer.token])).status_code == 200


@pytest.mark.parametrize("column", ["revision", "state", "changed_at", "drive"])
def test_the_tag_and_the_event_are_new_when_one_thing_alone_changes(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, column: str
) -> None:
    caches["local"].clear()
    booked = builders.booked(builders.drive())
    assert booked.volunteer is not None
    address = f"/feeds/{booked.volunteer.token}.ics"
    before = client.get(address)["ETag"]
    later = booked.changed_at + timedelta(microseconds=1)
    rows = Booking.objects.filter(pk=booked.pk)
    if column == "drive":
        Drive.objects.filter(pk=booked.drive_id).update(changed_at=later)
    else:
        rows.update(**{column: {"revision": 1, "state": "confirmed", "changed_at": later}[column]})
    with django_assert_num_queries(3):  # the third reads the booking for its new event
        assert client.get(address)["ETag"] != before


@pytest.mark.parametrize("state", [state for state in BookingState if state != BookingState.CANCELLED])
def test_active_and_past_visits_are_in_the_feed_and_in_its_tag(client: Client, state: BookingState) -> None:
    caches["local"].clear()
    booked = builders.booked(builders.drive())
    assert booked.volunteer is not None
    takes_place = state != BookingState.LAPSED
    Booking.objects.filter(pk=booked.pk).update(state=state, is_counted=takes_place, held_until=NOW)
    is_shown = state in {*ACTIVE_STATES, *OUTCOMES}
    found = feeds.find_feed(booked.volunteer.token, NOW)
    assert found is not None
    assert (found.fingerprint is not None) == is_shown
    assert client.get(f"/feeds/{booked.volunteer.token}.ics").content.count(b"BEGIN:VEVENT") == is_shown
