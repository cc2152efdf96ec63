"""The bookings by day, their comparison with the goal and earlier drives, the sources and the forecast."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from drives.attendance import close_out
from drives.desk import booking_sources, bookings_by_day, rules
from drives.desk import queries as desk_queries
from drives.desk.bookings_by_day import BookingsByDay
from drives.models import Booking, Drive, DriveState, ShareLink, Source
from drives.planning import lifecycle
from drives.sharing import queries as sharing_queries
from organizations.models import Organization
from tests import builders, query_counts
from tests.builders import DRIVE_DAY, NOW
from tests.drives import coordinator
from tests.drives.desk import pictures
from tests.drives.desk.test_views import address
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

DAY = timedelta(days=1)


def load(drive: Drive, days_later: int = 0, goal: int = 0) -> BookingsByDay:
    found = bookings_by_day.load_bookings_by_day(drive, goal, NOW + days_later * DAY)
    assert found is not None
    return found


def totals(found: BookingsByDay) -> list[int | None]:
    return [row.total for row in found.rows]


def book_on(drive: Drive, *days: int, first_number: int = 1) -> list[Booking]:
    """Book a spot on each of these days, counted from NOW."""
    return [
        builders.booked(drive, n=n % 20, number=first_number + n, now=NOW + day * DAY) for n, day in enumerate(days)
    ]


def past_drive(owner: Organization, number: int, *booked_before: int, end: bool = True) -> Drive:
    """Create a drive at least 30 days before DRIVE_DAY.

    `booked_before` has a number for each booking: how many days before the drive it was made.
    """
    day = DRIVE_DAY - timedelta(days=30 + 10 * number)
    published = NOW - timedelta(days=90 + 10 * number)
    drive = builders.drive(owner, day=day, policy_id=builders.lax().pk, now=published)
    for n, days in enumerate(booked_before):
        at = drive.starts_at - days * DAY
        builders.booked(drive, n=n % 20, number=100 + 20 * number + n, now=at)
    if end:
        close_out.close_out_drive(drive_id=drive.pk, now=drive.ends_at + timedelta(hours=2))
    return drive


def test_the_line_goes_from_the_publication_to_today_without_cancelled_bookings() -> None:
    drive = builders.drive()
    first, *_others = book_on(drive, 0, 0, 2)
    builders.cancelled(first, NOW + 3 * DAY)
    builders.held(drive, n=10, number=50, now=NOW + 3 * DAY)
    found = load(drive, days_later=4)
    assert totals(found) == [2, 2, 3, 2, 2] + [None] * 8
    assert [(row.made, row.cancelled) for row in found.rows[:4]] == [(2, 0), (0, 0), (1, 0), (0, 1)]
    assert (found.rows[0].days_before, found.rows[-1].days_before, found.rows[-1].day) == (12, 0, drive.day)
    assert found.total == 2 == Booking.objects.filter(drive=drive, state="booked").count()


def test_the_points_of_the_line_are_the_numbers_of_the_table() -> None:
    drive = builders.drive(goal=4)
    book_on(drive, 0, 0, 0)
    shown = coordinator.signed_in(builders.member(drive.organization)).get(address(drive))
    part = pictures.find_part(shown, "by-day-title")
    rows = list(pictures.read_rows(part))
    found = shown.context["desk"].by_day
    highest = found.ticks[-1][1]
    points = [point.split(",") for point in found.booked.points.split()]
    assert [highest - float(y) for _x, y in points] == [float(row[4]) for row in rows if row[4] != "–"] == [3]
    assert f'points="{found.booked.points}"' in part
    assert [row[1] for row in rows] == [str(days) for days in range(12, -1, -1)]


def test_days_are_those_of_the_site() -> None:
    drive = builders.drive()
    evening = NOW.replace(hour=23) + timedelta(hours=8, minutes=59)  # 11:59 PM in Los Angeles
    builders.booked(drive, n=0, number=1, now=evening)
    builders.booked(drive, n=1, number=2, now=evening + timedelta(minutes=1))
    assert totals(load(drive, days_later=1))[:2] == [1, 2]


def test_walk_ins_are_no_bookings_ahead() -> None:
    drive = builders.drive()
    [booking] = book_on(drive, 0)
    Booking.objects.filter(pk=booking.pk).update(source=Source.WALK_IN)
    assert load(drive).total == 0


def test_a_draft_has_no_bookings_by_day() -> None:
    drive = builders.drive(published=False)
    assert bookings_by_day.load_bookings_by_day(drive, 0, NOW) is None
    shown = coordinator.signed_in(builders.member(drive.organization)).get(address(drive))
    assert "Bookings by day" not in text(shown)


def test_a_drive_published_on_its_day_has_one_day() -> None:
    drive = builders.drive(day=NOW.date(), now=NOW - timedelta(hours=2))
    found = load(drive)
    assert (totals(found), found.booked.points, found.today) == ([0], "0,1", None)
    assert coordinator.signed_in(builders.member(drive.organization)).get(address(drive)).status_code == 200


@pytest.mark.parametrize(("days", "rows", "earlier"), [(89, 90, False), (90, 91, True), (200, 91, True)])
def test_the_number_of_days_is_limited(days: int, rows: int, earlier: bool) -> None:
    drive = builders.drive(day=DRIVE_DAY, now=NOW - (days - 12) * DAY)
    builders.booked(drive, now=NOW - (days - 12) * DAY)
    found = load(drive)
    assert (len(found.rows), found.includes_earlier_days) == (rows, earlier)
    assert (found.rows[0].total, found.total) == (1, 1)
    assert rules.MAX_CHART_DAYS == 90


def test_a_drive_that_was_reopened_keeps_its_earlier_days() -> None:
    drive = builders.drive()
    book_on(drive, 0)
    lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW + DAY)
    lifecycle.publish_drive(drive_id=drive.pk, actor="user:1", now=NOW + 3 * DAY)
    drive.refresh_from_db()
    assert totals(load(drive, days_later=3))[:4] == [1, 1, 1, 1]


def test_two_earlier_drives_have_a_median_and_one_has_none() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, policy_id=builders.lax().pk)
    past_drive(owner, 1, 20, 12, 5)
    assert load(drive).usual is None
    past_drive(owner, 2, 20, 13)
    past_drive(owner, 3, 15, 1, end=False)  # not closed out yet
    found = load(drive)
    usual = {row.days_before: row.usual for row in found.rows}
    assert (usual[12], usual[5], usual[0]) == (2, 2.5, 2.5)
    assert (found.earlier_count, found.usual_now) == (2, 2)
    past_drive(owner, 4)
    cancelled = past_drive(owner, 5, 20, 20, 20, 20)
    Drive.objects.filter(pk=cancelled.pk).update(state=DriveState.CANCELLED)
    found = load(drive, days_later=12)
    assert (found.rows[0].usual, found.usual_now, found.earlier_count) == (2, 2, 3)
    shown = text(coordinator.signed_in(builders.member(owner)).get(address(drive)))
    assert "0 bookings so far. At this point, your last 3 drives had a median of 2 bookings." in shown


def test_earlier_drives_of_another_organization_do_not_count() -> None:
    drive = builders.drive()
    for number in (1, 2):
        past_drive(builders.organization("Cleo’s Foundation"), number, 20)
    assert load(drive).usual is None


@pytest.mark.parametrize(("booked", "needed", "goal"), [(0, 6, 6), (5, 2, 7), (6, 0, 6), (8, 0, 6)])
def test_the_goal_line_agrees_with_the_bookings_that_are_needed(booked: int, needed: int, goal: int) -> None:
    """By the planning rule, 4 donations take 6 bookings. 5 bookings give 3 donations, and one more takes 2 bookings."""
    drive = builders.drive(goal=4)
    for number in range(booked):
        builders.booked(drive, n=number, number=number)
    figures = desk_queries.load_desk(drive, NOW).figures
    assert (figures.needed, figures.bookings_for_goal) == (needed, goal)
    shown = text(coordinator.signed_in(builders.member(drive.organization)).get(address(drive)))
    assert f"To reach your goal, you need about {goal} bookings." in shown
    assert f"goal: {goal}" in shown


def test_a_drive_without_a_goal_has_no_goal_line() -> None:
    drive = builders.drive()
    shown = coordinator.signed_in(builders.member(drive.organization)).get(address(drive))
    for part in ("by-day-title", "forecast-title"):
        assert "goal" not in pictures.find_part(shown, part).replace("the goal. The table", "")
    assert "We expect 0 donations." in text(shown)


def test_the_forecast_shows_its_range_as_sentence_picture_and_table() -> None:
    drive = builders.drive(goal=4)
    for number in range(6):
        builders.booked(drive, n=number, number=number)
    shown = coordinator.signed_in(builders.member(drive.organization)).get(address(drive))
    part = pictures.find_part(shown, "forecast-title")
    assert "We expect about 4 donations, most likely between 2 and 6. That’s enough to reach your goal of 4." in text(
        shown
    )
    assert list(pictures.read_rows(part)) == [
        ["Low end of the range", "2"],
        ["Expected", "4"],
        ["High end of the range", "6"],
        ["Goal", "4"],
        ["More bookings needed", "0"],
    ]
    [bar] = [shape for shape in pictures.read_shapes(part, "rect") if shape.css == "booked" and "x" in shape.numbers]
    [span] = [line for line in pictures.read_shapes(part, "line") if line.css == "halo"]
    assert bar.numbers["width"] / 91 == pytest.approx(4 / 6, abs=0.001)  # the axis ends at 6
    assert [(span.numbers[x] - 9) / 91 for x in ("x1", "x2")] == pytest.approx([2 / 6, 1], abs=0.001)


def test_a_cancelled_drive_and_one_that_is_over_have_no_forecast() -> None:
    drive = builders.drive()
    assert desk_queries.load_desk(drive, drive.ends_at - timedelta(seconds=1)).forecast is not None
    assert desk_queries.load_desk(drive, drive.ends_at).forecast is None
    cancelled = lifecycle.cancel_drive(drive_id=drive.pk, reason="Storm.", actor="user:1", now=NOW)
    assert desk_queries.load_desk(cancelled, NOW).forecast is None


def test_sources_are_those_of_the_bookings_and_of_the_page_of_links() -> None:
    drive = builders.drive()
    link = ShareLink.objects.create(drive=drive, name="Test Coach Kim", created_at=NOW)
    bookings = [builders.booked(drive, n=number, number=number) for number in range(5)]
    builders.held(drive, n=10, number=50)
    Booking.objects.filter(pk__in=[bookings[0].pk, bookings[1].pk, bookings[2].pk]).update(share_link=link)
    Booking.objects.filter(pk=bookings[3].pk).update(source=Source.COORDINATOR)
    builders.cancelled(Booking.objects.get(pk=bookings[0].pk))
    found = booking_sources.load_sources(drive)
    assert [(each.source, each.link, each.count, each.percent, each.width) for each in found] == [
        ("online", "Test Coach Kim", 3, 60, "100.0%"),
        ("coordinator", "", 1, 20, "33.3%"),
        ("online", "", 1, 20, "33.3%"),
    ]
    assert found[0].count == sharing_queries.list_link_counts(drive)[0].bookings
    shown = coordinator.signed_in(builders.member(drive.organization)).get(address(drive))
    part = pictures.find_part(shown, "sources")
    assert list(pictures.read_rows(part)) == [
        ["Link: Test Coach Kim", "3", "60%"],
        ["By a coordinator", "1", "20%"],
        ["Online, without a recruiter’s link", "1", "20%"],
    ]
    assert [bar.numbers["width"] for bar in pictures.read_shapes(part, "rect")] == [100, 33.3, 33.3]


def test_earlier_drives_and_links_take_no_more_queries() -> None:
    owner = builders.organization()
    drive = builders.drive(owner, policy_id=builders.lax().pk)
    browser = coordinator.signed_in(builders.member(owner))

    def drives(number: int) -> Callable[[], object]:
        for n in range(ShareLink.objects.count(), number):
            past_drive(owner, n + 1, 20, 12)
            link = ShareLink.objects.create(drive=drive, name=f"Test {n}", created_at=NOW)
            booking = builders.booked(drive, n=n, number=n)
            Booking.objects.filter(pk=booking.pk).update(share_link=link)
        browser.get(address(drive))
        return partial(browser.get, address(drive))

    query_counts.count_for_each(drives)
