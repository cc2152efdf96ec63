"""Drives on the nights when the clocks change. A reminder "a day before" is sent at the same local time."""

from datetime import date, time, timedelta

import pytest

from drives.models import Drive
from tests import builders
from tests.builders import NOW
from tests.journeys.actors import Clock, Donor, live, local, set_to

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("day", "said", "days", "leaves", "hours"),
    [
        (date(2027, 3, 14), "Sun Mar 14", ("2027-03-11", "2027-03-13"), ["Thu Mar 11 10:30", "Sat Mar 13 10:30"], 23),
        (date(2027, 11, 7), "Sun Nov 7", ("2027-11-04", "2027-11-06"), ["Thu Nov 4 10:30", "Sat Nov 6 10:30"], 25),
    ],
    ids=["the clocks went forward", "the clocks went back"],
)
def test_the_morning_after_the_clocks_changed(
    time_machine: Clock, day: date, said: str, days: tuple[str, str], leaves: list[str], hours: int
) -> None:
    two_weeks_before = local(f"{day - timedelta(days=13)} 10:00")
    set_to(time_machine, NOW)
    drive = builders.drive(day=day)
    set_to(time_machine, two_weeks_before)
    ana = Donor()
    ana.books(drive, 6)
    watched = [local(f"{day} 10:30") for day in days]
    live(time_machine, two_weeks_before, local(f"{day} 10:30"), watching=watched)
    assert [at for at, _text in ana.texts[2:]] == leaves
    assert ana.texts[-1][1].startswith(f"Hope Foundation: Reminder: tomorrow, {said} 10:30 AM, St Mary Hall.")
    assert (ana.booking.starts_at - watched[1]).total_seconds() == hours * 3600


def night(day: date) -> Drive:
    """Create a drive from midnight to 7:00 local time, at an organization without quiet hours."""
    owner = builders.organization(quiet_until_hour=0, quiet_from_hour=24)
    return builders.drive(owner, builders.plan(builders.site(owner), day=day, opens=time(0), closes=time(7)))


def test_a_drive_in_the_night_that_has_no_two_oclock(time_machine: Clock) -> None:
    """Six hours pass between midnight and 7:00, so 3:15 local time is two and a quarter hours after the start."""
    set_to(time_machine, NOW)
    drive = night(date(2027, 3, 14))
    assert drive.slots.count() == 24
    ana = Donor()
    ana.books(drive, 9)
    days = [local("2027-03-11 03:15"), local("2027-03-13 03:15")]
    live(time_machine, NOW, local("2027-03-14 03:15"), watching=days)
    assert [at for at, _text in ana.texts[2:]] == ["Thu Mar 11 03:15", "Sat Mar 13 03:15"]
    assert ana.texts[-1][1].startswith("Hope Foundation: Reminder: tomorrow, Sun Mar 14 3:15 AM, St Mary Hall.")
    assert "3:15 AM" in ana.opens().html


def test_a_drive_in_the_night_that_has_one_oclock_twice(time_machine: Clock) -> None:
    """1:30 AM happens twice that night.

    Every text and the page show the zone (PDT or PST), so that donors know which one is meant.
    """
    october = local("2027-10-25 10:00")
    set_to(time_machine, NOW)
    drive = night(date(2027, 11, 7))
    assert drive.slots.count() == 32
    set_to(time_machine, october)
    ana, bo = Donor(1), Donor(2, name="Test Bo Birch")
    ana.books(drive, 6)
    bo.books(drive, 10)
    day = local("2027-11-06 01:30")
    live(time_machine, october, local("2027-11-07 01:30"), watching=[local("2027-11-04 01:30"), day])
    for donor, clock in ((ana, "1:30 AM (PDT)"), (bo, "1:30 AM (PST)")):
        assert [at for at, _text in donor.texts[2:]] == ["Thu Nov 4 01:30", "Sat Nov 6 01:30"]
        assert donor.texts[-1][1].startswith(f"Hope Foundation: Reminder: tomorrow, Sun Nov 7 {clock}, St Mary Hall.")
        assert clock in donor.opens().html
