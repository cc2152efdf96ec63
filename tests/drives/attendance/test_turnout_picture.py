"""The chart of a drive's turnout, its table and its CSV file show the same numbers as the bookings."""

import csv
import io
from collections.abc import Callable
from datetime import date, time, timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db.models import Count
from django.urls import reverse

from drives.attendance import check_in, close_out, turnout_picture, turnout_report
from drives.models import Booking, BookingState, Drive, Source
from organizations.models import AuditEntry, Role
from tests import builders, query_counts
from tests.drives import coordinator
from tests.drives.desk import pictures
from tests.drives.donor import text

pytestmark = pytest.mark.django_db

OUTCOMES = ["donated", "donated", "incomplete", "deferred", "left"]


def past_drive() -> Drive:
    """Create a drive with donors from 9:00 and from 11:00: every outcome, no-shows, a walk-in, a cancelled booking."""
    drive = builders.drive(policy_id=builders.lax().pk, goal=4)
    for number, outcome in enumerate(OUTCOMES):
        builders.gave(drive, n=number % 4, number=number, outcome=outcome)
    builders.booked(drive, n=8, number=20)
    builders.booked(drive, n=9, number=21)
    walk_in = builders.gave(drive, n=8, number=22)
    Booking.objects.filter(pk=walk_in.pk).update(source=Source.WALK_IN)
    builders.cancelled(builders.booked(drive, n=10, number=23))
    close_out.close_out_drive(drive_id=drive.pk, now=drive.ends_at + timedelta(hours=2))
    return Drive.objects.select_related("organization", "site").get(pk=drive.pk)


def fetch(drive: Drive, role: str = Role.VIEWER, page: str = "turnout", language: str = "en") -> Any:
    with time_machine.travel(drive.ends_at + timedelta(hours=2), tick=False):
        browser = coordinator.signed_in(builders.member(drive.organization, role))
        browser.cookies["django_language"] = language
        return browser.get(reverse(f"organizer_{page}", args=[drive.pk]))


def test_the_table_the_picture_and_the_bookings_have_the_same_numbers() -> None:
    drive = past_drive()
    part = pictures.find_part(fetch(drive), "hours")
    assert list(pictures.read_rows(part)) == [
        ["9:00 AM", "5", "5", "2", "1", "1", "1", "0"],
        ["11:00 AM", "2", "1", "1", "0", "0", "0", "2"],
    ]
    states = Booking.objects.filter(drive=drive).exclude(state=BookingState.CANCELLED).values_list("state")
    assert dict(states.annotate(Count("pk")).order_by("state")) == {
        "donated": 3,
        "incomplete": 1,
        "deferred": 1,
        "left": 1,
        "no_show": 2,
    }
    # The axis ends at 5 people, and begins at 22 % of the width.
    boxes = [box for box in pictures.read_shapes(part, "rect") if "y" in box.numbers]
    assert [
        (box.css, box.numbers["y"] // turnout_picture.ROW_HEIGHT, round(box.numbers["width"] / 78 * 5)) for box in boxes
    ] == [
        ("outcome donated", 0, 2),
        ("outcome other", 0, 3),
        ("outcome donated", 1, 1),
        ("outcome missed", 1, 2),
    ]
    starts = [round((box.numbers["x"] - 22) / 78 * 5) for box in boxes]
    assert starts == [0, 2, 0, 1]


def test_each_count_has_a_bar() -> None:
    drive = past_drive()
    part = pictures.find_part(fetch(drive), "became")
    numbers = [int(row[-1]) for row in pictures.read_rows(part)]
    widths = [bar.numbers["width"] for bar in pictures.read_shapes(part, "rect")]
    assert len(numbers) == 13
    assert widths == pytest.approx([100 * number / max(numbers) for number in numbers], abs=0.05)


def test_an_hour_without_an_outcome_yet_is_shown_as_such() -> None:
    drive = builders.drive()
    builders.booked(drive, number=1)
    here = builders.booked(drive, n=1, number=2)
    check_in.check_in_donor(booking_id=here.pk, actor="user:1", now=here.starts_at)
    picture = turnout_picture.draw_hours(turnout_report.load_hours(drive))
    assert picture is not None
    assert [(box.kind, box.count) for box in picture.bars[0].boxes] == [("other", 1), ("expected", 1)]


def test_a_drive_without_bookings_has_no_picture() -> None:
    drive = builders.drive()
    close_out.close_out_drive(drive_id=drive.pk, now=drive.ends_at + timedelta(hours=2))
    shown = text(fetch(drive))
    assert turnout_picture.draw_hours(turnout_report.load_hours(drive)) is None
    assert "There were no bookings." in shown
    assert "Download CSV" not in shown


def test_both_hours_of_the_night_of_the_clock_change_count() -> None:
    owner = builders.organization()
    night = builders.plan(builders.site(owner), day=date(2027, 11, 7), opens=time(0), closes=time(4))
    drive = builders.drive(owner, night)
    for number, n in enumerate((4, 8, 8)):  # 1:00 AM, and an hour later again
        builders.booked(drive, n=n, number=number)
    hours = turnout_report.load_hours(drive)
    assert [(hour.starts_at - drive.starts_at, hour.booked) for hour in hours] == [
        (timedelta(hours=1), 1),
        (timedelta(hours=2), 2),
    ]


def test_the_csv_file_has_the_numbers_of_the_page_and_is_audited() -> None:
    drive = past_drive()
    response = fetch(drive, page="turnout_csv")
    headers, *rows = csv.reader(io.StringIO(response.content.decode("utf-8-sig")))
    assert headers[4:] == [
        *("Booked", "Came", "Donated", "Incomplete", "Deferred", "Left early"),
        *("Without an outcome", "No-show", "Walk-ins"),
    ]
    assert rows == [
        ["2027-03-13", "09:00", "2027-03-13 17:00", "America/Los_Angeles", "5", "5", "2", "1", "1", "1", "0", "0", "0"],
        ["2027-03-13", "11:00", "2027-03-13 19:00", "America/Los_Angeles", "2", "1", "1", "0", "0", "0", "0", "2", "1"],
    ]
    assert AuditEntry.objects.get(verb="report.exported").about == f"turnout:{drive.pk}"
    assert response["Content-Disposition"] == f'attachment; filename="turnout-{drive.slug}.csv"'


def test_another_organization_cannot_download_the_turnout() -> None:
    drive = past_drive()
    cleo = coordinator.signed_in(builders.member(builders.organization()))
    assert cleo.get(reverse("organizer_turnout_csv", args=[drive.pk])).status_code == 404
    assert not AuditEntry.objects.filter(verb__endswith="exported").exists()


def test_the_turnout_speaks_spanish() -> None:
    shown = text(fetch(past_drive(), language="es"))
    assert "vinieron, pero no donaron" in shown


@pytest.mark.parametrize("page", ["turnout", "turnout_csv"])
def test_more_donors_take_no_more_queries(page: str) -> None:
    member = builders.member(builders.organization())
    browser = coordinator.signed_in(member)

    def donors(people: int) -> Callable[[], object]:
        drive = builders.drive(member.organization, policy_id=builders.lax().pk)
        for number in range(people):
            builders.booked(drive, n=4 * number, number=number)
        close_out.close_out_drive(drive_id=drive.pk, now=drive.ends_at + timedelta(hours=2))
        address = reverse(f"organizer_{page}", args=[drive.pk])
        browser.get(address)
        return partial(browser.get, address)

    query_counts.count_for_each(donors)
