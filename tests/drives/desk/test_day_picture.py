"""The chart of a drive's day shows the same numbers as its table and as the bookings."""

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from time_machine import TimeMachineFixture

from drives.capacity import drift
from drives.desk import day_picture
from drives.desk.day_picture import PANEL_HEIGHT, DayPicture, Use
from drives.models import Booking, BookingState, Drive, ReservedSpot, Slot
from drives.planning import lifecycle
from organizations.models import Membership, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.desk import pictures
from tests.drives.desk.test_views import address
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

Numbers = tuple[int, int, int, int]  # booked, held, free and over


def draw(drive: Drive, now: datetime = NOW) -> DayPicture:
    return day_picture.load_day_picture(drive, list(Slot.objects.filter(drive=drive).order_by("n")), now)


def numbers_of(use: Use) -> Numbers:
    return use.booked, use.held, use.free, use.over


def busy_drive(**changes: Any) -> Drive:
    """Create a drive with a break, bookings, a hold and a spot that is reserved for the waitlist."""
    drive = builders.drive(breaks=[["12:00:00", "12:30:00"]], policy_id=builders.lax().pk, **changes)
    for number, (n, visit) in enumerate([(0, "first"), (0, "return"), (1, "return"), (3, "return"), (16, "return")]):
        builders.booked(drive, n=n, number=number, visit=visit)
    builders.held(drive, n=2, number=50)
    cancelled = Booking.objects.get(drive=drive, first_step=3)
    spot = ("first_step", "screening_steps", "chair_from", "chair_to")
    ReservedSpot.objects.create(drive=drive, created_at=NOW, **{name: getattr(cancelled, name) for name in spot})
    Booking.objects.filter(pk=cancelled.pk).update(state="cancelled", cancelled_at=NOW, is_counted=False)
    assert drift.count_drifted_slots() == 0
    return drive


def count_in_database(drive: Drive, step: int) -> tuple[Numbers, Numbers]:
    """Count what is in use in a step from the rows of bookings and reserved spots, not from the counters."""
    slot = builders.slot(drive, step)
    bookings = Booking.objects.filter(drive=drive, is_counted=True)
    booked = bookings.exclude(state=BookingState.HELD)
    held = [*bookings.filter(state=BookingState.HELD), *ReservedSpot.objects.filter(drive=drive)]

    def count(rows: Any, limit: int, *, in_chair: bool) -> int:
        return sum(
            row.chair_from <= step < row.chair_to
            if in_chair
            else row.first_step <= step < row.first_step + row.screening_steps
            for row in rows
        )

    result = []
    for in_chair, limit in ((False, slot.screening_limit), (True, slot.chairs_limit)):
        taken = count(booked, limit, in_chair=in_chair), count(held, limit, in_chair=in_chair)
        result.append((*taken, max(0, limit - sum(taken)), max(0, sum(taken) - limit)))
    return result[0], result[1]


def count_in_spans(drive: Drive, picture: DayPicture) -> list[tuple[Numbers, Numbers]]:
    starts = Slot.objects.filter(drive=drive).order_by("n").values_list("starts_at", flat=True)
    spans = [next(span for span in picture.spans if span.starts_at <= start < span.ends_at) for start in starts]
    return [(numbers_of(span.screening), numbers_of(span.chairs)) for span in spans]


def measure(picture: DayPicture, steps: int) -> list[tuple[Numbers, ...]]:
    """Read the numbers of each step from the heights of the boxes."""
    measured = []
    for step in range(steps):
        x = 9 + 91 * (step + 0.5) / steps
        panels = []
        for panel in picture.panels:
            unit = PANEL_HEIGHT / panel.ticks[-1].value
            heights = dict.fromkeys(("limit", "booked", "held", "over"), 0)
            for box in panel.boxes:
                if box.kind in heights and float(box.x[:-1]) <= x < float(box.x[:-1]) + float(box.width[:-1]):
                    heights[box.kind] += round(float(box.height) / unit)
            # The part above the limit hides which of the donors are held, so compare the sum.
            free = heights["limit"] - heights["booked"] - heights["held"]
            panels.append((heights["booked"], heights["held"], free, heights["over"]))
        measured.append(tuple(panels))
    return measured


def test_the_picture_the_table_and_the_bookings_have_the_same_numbers() -> None:
    drive = busy_drive()
    picture = draw(drive)
    expected = [count_in_database(drive, step) for step in range(24)]
    assert count_in_spans(drive, picture) == measure(picture, 24) == expected
    assert {numbers[1][1] for numbers in expected} == {0, 1, 2}
    shown = coordinator.signed_in(builders.member(drive.organization)).get(address(drive))
    rows = list(pictures.read_rows(pictures.find_part(shown, "day-title")))
    assert [[int(cell) for cell in cells] for _time, *cells in rows] == [
        [*numbers_of(span.screening), *numbers_of(span.chairs)] for span in picture.spans
    ]
    boxes = [shape for shape in pictures.read_shapes(shown.content.decode(), "rect") if shape.css in {"booked", "held"}]
    drawn = sum(box.kind in {"booked", "held"} for panel in picture.panels for box in panel.boxes)
    assert len([box for box in boxes if "y" in box.numbers and "x" in box.numbers]) >= drawn > 0


def test_an_empty_drive_is_one_span() -> None:
    drive = builders.drive()
    [span] = draw(drive).spans
    assert (span.starts_at, span.ends_at) == (drive.starts_at, drive.ends_at)
    assert numbers_of(span.screening) == numbers_of(span.chairs) == (0, 0, 4, 0)
    shown = text(coordinator.signed_in(builders.member(drive.organization)).get(address(drive)))
    assert "9:00 AM – 3:00 PM 0 0 4 0 0 0 4 0" in shown


@pytest.mark.parametrize(("chairs", "over", "free"), [(3, 0, 1), (2, 0, 0), (1, 1, 0)])
def test_over_counts_what_is_above_the_limit(chairs: int, over: int, free: int) -> None:
    drive = builders.drive(chairs=3)
    for number in (1, 2):
        builders.booked(drive, number=number)
    fewer = builders.replanned(drive, chairs=chairs)
    lifecycle.change_drive(drive=fewer, version=drive.version, actor="user:1", now=NOW)
    picture = draw(drive)
    assert numbers_of(count_in_spans_of_chairs(picture, drive.starts_at + timedelta(minutes=15))) == (2, 0, free, over)
    assert [box.number for box in picture.panels[1].boxes if box.kind == "over"] == [over] * bool(over)
    assert ("over" in picture.kinds) is bool(over)


def count_in_spans_of_chairs(picture: DayPicture, at: datetime) -> Use:
    return next(span.chairs for span in picture.spans if span.starts_at <= at < span.ends_at)


def test_breaks_and_closed_times_are_marked() -> None:
    drive = builders.drive(breaks=[["12:00:00", "12:30:00"]])
    Slot.objects.filter(drive=drive, n__in=[4, 5]).update(open=False)
    picture = draw(drive)
    breaks = [box for box in picture.panels[1].boxes if box.kind == "break"]
    assert [(box.x, box.width) for box in breaks] == [("54.50%", "7.58%")]  # from the 12th to the 14th of 24 steps
    assert [(box.x, box.width) for box in picture.closed] == [("24.17%", "7.58%")]
    shown = text(coordinator.signed_in(builders.member(drive.organization)).get(address(drive)))
    assert "12:00 PM – 12:30 PM break 0 0 0 0 0 0 0 0" in shown
    assert "10:00 AM – 10:30 AM closed 0 0 4 0 0 0 4 0" in shown


def test_a_drive_without_screening_has_only_chairs() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, builders.plain(builders.site(owner), spots=2))
    assert [panel.kind for panel in draw(drive).panels] == ["chairs"]
    shown = text(coordinator.signed_in(builders.member(owner)).get(address(drive)))
    assert "9:00 AM – 10:00 AM 0 0 2 0" in shown
    assert "Screening stations:" not in shown


def test_on_the_night_of_the_clock_change_both_hours_are_named() -> None:
    owner = builders.organization()
    night = builders.plan(builders.site(owner), day=date(2027, 11, 7), opens=time(0), closes=time(4))
    drive = builders.drive(owner, night)
    builders.booked(drive, n=4)
    picture = draw(drive)
    assert [mark.starts_at - drive.starts_at for mark in picture.hours] == [timedelta(hours=n) for n in range(5)]
    shown = coordinator.signed_in(builders.member(owner)).get(address(drive))
    labels = pictures.find_part(shown, "day-title")
    assert [label in labels for label in (">1:00 AM (PDT)<", ">1:00 AM (PST)<")] == [True, True]
    hours = text(shown).partition("Bookings by hour")[2]
    assert "1:00 AM (PDT) 19% 7 1:00 AM (PST)" in hours


@pytest.mark.parametrize(
    ("since_start", "now_x"),
    [
        (timedelta(seconds=-1), ""),
        (timedelta(0), "9.00%"),
        (timedelta(hours=3), "54.50%"),
        (timedelta(hours=6, seconds=-1), "100.00%"),
        (timedelta(hours=6), ""),
    ],
)
def test_the_picture_marks_the_present_time(since_start: timedelta, now_x: str) -> None:
    drive = builders.drive()
    assert draw(drive, drive.starts_at + since_start).now_x == now_x


@pytest.mark.parametrize(("hours", "on_phone", "marked"), [(3, 3, 3), (4, 2, 4), (12, 3, 12), (14, 3, 7)])
def test_a_phone_shows_fewer_hours(hours: int, on_phone: int, marked: int) -> None:
    drive = builders.drive(opens=time(8), closes=time(8 + hours))
    marks = draw(drive).hours
    assert (len(marks), sum(mark.is_on_phone for mark in marks)) == (marked, on_phone)


def member_of(role: str) -> tuple[Membership, Drive]:
    member = builders.member(builders.organization(), role)
    return member, builders.drive(member.organization)


@pytest.mark.parametrize("role", Role.values)
def test_every_role_sees_the_pictures(role: str) -> None:
    member, drive = member_of(role)
    shown = coordinator.signed_in(member).get(address(drive))
    assert shown.content.decode().count('role="img"') == 3


def test_the_dashboard_speaks_spanish(time_machine: TimeMachineFixture) -> None:
    drive = busy_drive(goal=10)
    browser = coordinator.signed_in(builders.member(drive.organization))
    browser.cookies["django_language"] = "es"
    shown = text(browser.get(address(drive)))
    for words in ("Puestos de evaluación: 4", "El día", "Citas por día", "Pronóstico", "Esperamos unas"):
        assert words in shown


def test_more_spans_take_no_more_queries() -> None:
    drive = builders.drive()

    def donors(people: int) -> Any:
        for number in range(drive.bookings.count(), people):
            builders.held(drive, n=4 * number, number=number)
        return lambda: draw(drive)

    assert query_counts.count_for_each(donors) == 3  # and the query of this test for the slots
