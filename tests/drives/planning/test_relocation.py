"""If a site gets a new name or street address, donors with bookings are notified once."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import pytest

from drives.models import Booking, BookingState, Drive, Site
from drives.planning import lifecycle, sites
from notifications.models import Message, MessageState
from tests import builders, query_counts
from tests.builders import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def relocate(address: str, drive: Drive, **changes: str) -> Site:
    site = Site.objects.get(pk=drive.site_id)
    for name, value in {"address": address, **changes}.items():
        setattr(site, name, value)
    return sites.save_site(site=site, actor="user:7", now=NOW)


def list_messages() -> Sequence[Message]:
    return list(Message.objects.filter(kind="relocated").order_by("channel"))


def test_booked_donors_get_the_new_address_and_calendar_entry() -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org")
    relocate("9 Other Street", booking.drive, sms_name="Other Hall")
    mail, text = list_messages()
    booking.refresh_from_db()
    assert (booking.state, booking.revision) == (BookingState.BOOKED, 1)
    assert (mail.channel, mail.calendar_method, text.channel) == ("email", "REQUEST", "sms")
    assert "9 Other Street" in mail.text
    assert "9 Other Street" in mail.calendar
    assert "SEQUENCE:1" in mail.calendar
    assert "New location" in text.text
    assert "Other Hall" in text.text
    assert {mail.purpose, text.purpose} == {""}  # a change needs no consent


def test_reminders_are_rescheduled_with_the_new_address() -> None:
    booking = builders.booked(builders.drive())
    before = Message.objects.filter(kind="day_before").get()
    relocate("9 Other Street", booking.drive)
    old, new = Message.objects.filter(kind="day_before").order_by("pk")
    assert (old.pk, old.state) == (before.pk, MessageState.WITHDRAWN)
    assert (new.state, new.revision, new.due_at) == (MessageState.SCHEDULED, 1, before.due_at)


def test_the_version_of_the_drive_rises_for_its_calendar() -> None:
    drive = builders.booked(builders.drive()).drive
    relocate("9 Other Street", drive)
    assert Drive.objects.get(pk=drive.pk).version == drive.version + 1


@pytest.mark.parametrize("changes", [{"arrival_note": "Ring twice."}, {"map_url": "https://example.org/map"}, {}])
def test_another_spelling_of_the_address_sends_nothing(changes: dict[str, str]) -> None:
    drive = builders.booked(builders.drive()).drive
    relocate(f"  {drive.site.address.upper()},", drive, **changes)
    assert not list_messages()
    assert Booking.objects.get().revision == 0


def test_only_donors_with_a_coming_booking_are_notified() -> None:
    owner = builders.organization(codes_per_day=100_000)
    drive, other, called_off = (builders.drive(owner) for _ in range(3))
    comes, _held = builders.booked(drive), builders.held(drive, n=4, number=43)
    builders.booked(other, number=44)
    gone = builders.booked(called_off, number=45)
    Drive.objects.filter(pk=called_off.pk).update(site=drive.site)
    lifecycle.cancel_drive(drive_id=called_off.pk, reason="", actor="user:7", now=NOW)
    relocate("9 Other Street", drive)
    assert {message.about for message in list_messages()} == {comes.about}
    assert Booking.objects.get(pk=gone.pk).state == BookingState.CANCELLED


def test_a_past_drive_sends_nothing() -> None:
    drive = builders.booked(builders.drive()).drive
    site = Site.objects.get(pk=drive.site_id)
    site.address = "9 Other Street"
    sites.save_site(site=site, actor="user:7", now=drive.ends_at + timedelta(hours=1))
    assert not list_messages()


def test_three_donors_take_as_many_statements_as_one() -> None:
    def donors(people: int) -> Callable[[], object]:
        drive = builders.drive(builders.organization(codes_per_day=100_000))
        for number in range(people):
            builders.booked(drive, n=number * 2, number=10 * people + number)
        return partial(relocate, f"{people} Other Street", drive)

    query_counts.count_for_each(donors)
