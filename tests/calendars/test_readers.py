"""Three calendar libraries read the same event alike: icalendar (Python), ical.js and node-ical."""

import json
import os
import shutil
import subprocess
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from icalendar import Calendar

from drives.booking import changes
from drives.calendars import ical
from drives.calendars.ical import CalendarEvent
from drives.models import Booking, CancelledBy
from notifications.models import Message
from tests import builders
from tests.builders import NOW

HERE = Path(__file__).parent
NODE = shutil.which("node")
WHY = "needs Node.js and its packages: npm ci --prefix tests/calendars"
pytestmark = pytest.mark.skipif(not NODE or not (HERE / "node_modules").is_dir(), reason=WHY)

# The readers are in different zones from the site. Their clocks change on other days, or never.
READERS_ZONES = ("UTC", "America/New_York", "Asia/Kathmandu")
# Nights in which the clocks change by an hour or half an hour, and zones with offsets that are not full hours.
NIGHTS = [
    ("America/Los_Angeles", "2027-03-14"),
    ("America/Los_Angeles", "2027-11-07"),
    ("Europe/London", "2027-03-28"),
    ("Europe/Madrid", "2027-10-31"),
    ("Australia/Lord_Howe", "2027-04-04"),
    ("Australia/Lord_Howe", "2027-10-03"),
    ("America/St_Johns", "2027-03-14"),
    ("Asia/Kathmandu", "2027-06-01"),
    ("Asia/Kolkata", "2027-06-01"),
    ("Pacific/Chatham", "2027-09-26"),
    ("Pacific/Kiritimati", "2027-12-31"),
]


@dataclass(frozen=True)
class Seen:
    """One event as a reader parses it."""

    uid: str
    sequence: int
    starts: str
    ends: str
    status: str
    method: str
    summary: str
    attendees: int


def stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def by_icalendar(body: bytes) -> list[Seen]:
    calendar: Any = Calendar.from_ical(body)
    return [
        Seen(
            uid=str(event["UID"]),
            sequence=int(event["SEQUENCE"]),
            starts=stamp(event.decoded("DTSTART")),
            ends=stamp(event.decoded("DTEND")),
            status=str(event["STATUS"]),
            method=str(calendar.get("METHOD", "")),
            summary=str(event["SUMMARY"]),
            attendees=1 if "ATTENDEE" in event else 0,
        )
        for event in calendar.walk("VEVENT")
    ]


def by_node(bodies: dict[str, bytes], zone: str) -> dict[str, dict[str, list[Seen]]]:
    """Return the events as the two Node.js readers parse them on a machine in this zone."""
    given = json.dumps({name: body.decode() for name, body in bodies.items()})
    command = [str(NODE), str(HERE / "read.mjs")]
    answer = subprocess.run(
        command, input=given, capture_output=True, text=True, check=True, timeout=60, env={**os.environ, "TZ": zone}
    )
    found = json.loads(answer.stdout)
    return {
        name: {reader: [Seen(**event) for event in events] for reader, events in readers.items()}
        for name, readers in found.items()
    }


def read(bodies: dict[str, bytes]) -> dict[str, list[Seen]]:
    """Return the events as icalendar reads them. Check that all readers agree in every zone."""
    seen = {name: by_icalendar(body) for name, body in bodies.items()}
    ordered = {name: sorted(map(str, map(asdict, events))) for name, events in seen.items()}
    for zone in READERS_ZONES:
        for name, readers in by_node(bodies, zone).items():
            for reader, events in readers.items():
                assert sorted(map(str, map(asdict, events))) == ordered[name], (name, reader, zone)
    return seen


def invitation(booking: Booking, kind: str) -> bytes:
    return Message.objects.get(about=booking.about, kind=kind, channel="email").calendar.encode()


def fetched(name: str, *args: object) -> bytes:
    answer = Client().get(reverse(name, args=args))
    assert answer.status_code == 200
    return bytes(answer.content)


@pytest.mark.django_db
@pytest.mark.time_machine(NOW, tick=False)
def test_booking_moving_and_cancelling_read_alike_in_mails_downloads_and_feeds() -> None:
    drive = builders.drive()
    booking = builders.booked(drive, email="ana@example.org")
    assert booking.volunteer is not None
    token, feed = booking.token, booking.volunteer.token
    bodies = {"booked": invitation(booking, "booked"), "file": fetched("booking_calendar", token)}
    bodies["feed"] = fetched("donor_feed", feed)
    later = NOW + timedelta(hours=1)
    changes.move_bookings(booking_id=booking.pk, slot_id=builders.slot(drive, 8).pk, actor="donor", now=later)
    bodies |= {"moved": invitation(booking, "moved"), "moved file": fetched("booking_calendar", token)}
    bodies["moved feed"] = fetched("donor_feed", feed)
    changes.cancel_bookings(
        booking_id=booking.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=later + timedelta(hours=1)
    )
    bodies |= {"cancelled": invitation(booking, "cancelled"), "cancelled file": fetched("booking_calendar", token)}
    bodies["cancelled feed"] = fetched("donor_feed", feed)
    read_as = {
        name: [(one.sequence, one.starts, one.status, one.method) for one in each]
        for name, each in read(bodies).items()
    }
    nine, eleven = "2027-03-13T17:00:00.000Z", "2027-03-13T19:00:00.000Z"
    assert read_as == {
        "booked": [(0, nine, "CONFIRMED", "REQUEST")],
        "file": [(0, nine, "CONFIRMED", "PUBLISH")],
        "feed": [(0, nine, "CONFIRMED", "")],
        "moved": [(1, eleven, "CONFIRMED", "REQUEST")],
        "moved file": [(1, eleven, "CONFIRMED", "PUBLISH")],
        "moved feed": [(1, eleven, "CONFIRMED", "")],
        "cancelled": [(2, eleven, "CANCELLED", "CANCEL")],
        "cancelled file": [(2, eleven, "CANCELLED", "PUBLISH")],
        "cancelled feed": [(2, eleven, "CANCELLED", "")],
    }
    assert {one.uid for body in bodies.values() for one in by_icalendar(body)} == {f"{booking.uuid}@testserver"}


@pytest.mark.django_db
@pytest.mark.time_machine(NOW, tick=False)
def test_public_feeds_are_equal_and_contain_no_names() -> None:
    here = builders.organization()
    drive = builders.drive(here, title="Drive; with, marks \\ and “quotes”")
    builders.booked(drive, email="ana@example.org")
    bodies = {
        "organization": fetched("organization_calendar", here.slug),
        "drive": fetched("drive_calendar", drive.slug),
    }
    seen = read(bodies)
    assert [[one.summary for one in events] for events in seen.values()] == [[str(drive.title)]] * 2
    for body in bodies.values():
        assert_names_nobody(body, "Test Ana Alder", "ana@example.org", builders.phone(42))


@pytest.mark.django_db
@pytest.mark.time_machine(NOW, tick=False)
def test_a_personal_feed_contains_no_names_and_no_health_words() -> None:
    drive = builders.drive()
    mine = builders.booked(drive, email="ana@example.org")
    builders.booked(drive, n=4, number=43, name="Test Bo Birch", email="bo@example.org")
    assert mine.volunteer is not None
    body = fetched("donor_feed", mine.volunteer.token)
    assert [one.attendees for one in read({"feed": body})["feed"]] == [0]
    told = (
        "Test Ana Alder",
        "ana@example.org",
        builders.phone(42),
        "Test Bo Birch",
        "bo@example.org",
        builders.phone(43),
    )
    assert_names_nobody(body, *told)
    unfolded = body.replace(b"\r\n ", b"").decode().lower()
    assert [word for word in ("plasma", "blood", "donat", "screening", "first visit") if word in unfolded] == []


def assert_names_nobody(body: bytes, *told: str) -> None:
    unfolded = body.replace(b"\r\n ", b"").decode()
    assert [each for each in (*told, "ATTENDEE", "ORGANIZER", "mailto:") if each in unfolded] == []


def appointment(zone: str, day: str, hour: int) -> CalendarEvent:
    """Build a 75-minute event that starts at half past this local hour.

    If the clocks skip that time, the event starts after the gap.
    """
    at = datetime.fromisoformat(f"{day} {hour:02}:30").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return CalendarEvent(
        uid=f"{zone}-{day}-{hour}@drives.example.org",
        sequence=3,
        summary="Appointment: Hope Foundation",
        starts_at=at,
        ends_at=at + timedelta(minutes=75),
        zone=zone,
        zone_label=zone,
        location="Ñandú Hall, 12 Oak St; left, door",
        changed_at=NOW,
        created_at=NOW,
        organizer_email="hope@drives.example.org",
        attendee_email="ana@example.org",
    )


def test_nights_of_the_clock_and_odd_zones_read_alike() -> None:
    made = [appointment(zone, day, hour) for zone, day in NIGHTS for hour in (0, 1, 2, 3, 12)]
    bodies = {f"invitation {one.uid}": ical.build_invitation(one) for one in made}
    bodies |= {f"cancellation {one.uid}": ical.build_cancellation(replace(one, sequence=4)) for one in made}
    bodies |= {f"file {one.uid}": ical.build_download(one) for one in made}
    bodies["feed"] = ical.build_feed("Ñandú", map(ical.build_feed_event, made))
    seen = read(bodies)
    assert [(one.starts, one.ends) for one in seen["feed"]] == [
        (stamp(one.starts_at), stamp(one.ends_at)) for one in made
    ]
    for one in made:
        assert [(each.starts, each.ends) for each in seen[f"invitation {one.uid}"]] == [
            (stamp(one.starts_at), stamp(one.ends_at))
        ]


def test_the_readers_would_notice_a_difference() -> None:
    """As a control, remove the UTC mark from the start. Readers in different zones then return different times."""
    body = ical.build_download(appointment("America/Los_Angeles", "2027-03-14", 12))
    floating = body.replace(b"00Z\r\nDTEND", b"00\r\nDTEND")
    assert floating != body
    seen = {zone: by_node({"file": floating}, zone)["file"]["ical.js"][0].starts for zone in READERS_ZONES}
    assert len(set(seen.values())) == 3
