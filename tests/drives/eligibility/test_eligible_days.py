"""The volunteers who may not give on a date, found for a whole organization at once."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pytest

from drives.domain.intervals import IntervalRules
from drives.eligibility import check, eligible_days
from drives.eligibility.history import DonorScope
from drives.models import Booking, Drive, Policy, SelfReportedDonation
from organizations.models import Organization
from tests import builders, query_counts
from tests.builders import DRIVE_DAY, NOW
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
DAY = timedelta(days=1)


def report(person: int, donated_on: date, kind: str = "plasma") -> None:
    SelfReportedDonation.objects.create(
        volunteer_id=person, kind=kind, donated_on=donated_on, actor="donor", reported_at=NOW
    )


def drive_on(of: Organization, days_later: int, policy: Policy) -> Drive:
    return builders.drive(of, day=DRIVE_DAY + days_later * DAY, policy_id=policy.pk)


@pytest.mark.parametrize(("days", "is_blocked"), [(9, True), (10, False), (-9, True), (-10, False)])
def test_minimum_days_count_before_and_after_a_booking(days: int, is_blocked: bool) -> None:
    owner, policy = builders.organization(), builders.policy(min_hours=None, min_days=10, windows=[])
    booking = builders.booked(drive_on(owner, 0, policy))
    wanted = drive_on(owner, days, policy)
    blocked = eligible_days.list_ineligible_volunteers(wanted, wanted.day)
    assert blocked == ([booking.volunteer_id] if is_blocked else [])


@pytest.mark.parametrize(("n", "is_blocked"), [(19, False), (20, True)])
def test_on_the_day_of_the_drive_only_its_hours_count(n: int, is_blocked: bool) -> None:
    """The interval of 48 hours ends at 1:45 PM or 2:00 PM on the day of the second drive, which closes at 2:00 PM."""
    owner, policy = builders.organization(), builders.policy()
    booked = builders.booked(drive_on(owner, 3, policy), n=n)
    assert booked.starts_at == datetime(2027, 3, 16, 16, tzinfo=UTC) + n * timedelta(minutes=15)
    wanted = builders.drive(owner, day=DRIVE_DAY + 5 * DAY, policy_id=policy.pk, closes=time(14))
    blocked = eligible_days.list_ineligible_volunteers(wanted, wanted.day)
    assert blocked == ([booked.volunteer_id] if is_blocked else [])
    later = drive_on(owner, 9, policy)
    assert eligible_days.list_ineligible_volunteers(later, wanted.day) == []  # from 2 PM on, on a day without a drive


@pytest.mark.parametrize(("kind", "days", "is_blocked"), [("whole_blood", 55, True), ("whole_blood", 56, False)])
def test_a_self_reported_donation_of_another_kind_counts(kind: str, days: int, is_blocked: bool) -> None:
    owner, policy = builders.organization(), builders.policy(cross_days={"whole_blood": 56})
    person = builders.booked(drive_on(owner, 0, policy)).volunteer_id or 0
    Booking.objects.update(state="lapsed", is_counted=False)
    report(person, DRIVE_DAY - days * DAY, kind)
    drive = Drive.objects.get()
    assert eligible_days.list_ineligible_volunteers(drive, DRIVE_DAY) == ([person] if is_blocked else [])


@pytest.mark.parametrize("state", ["held", "cancelled", "no_show", "deferred", "left"])
def test_visits_without_a_donation_do_not_count(state: str) -> None:
    booking = builders.booked(builders.drive())
    Booking.objects.update(state=state, held_until=NOW, cancelled_at=NOW, is_counted=state == "held")
    assert eligible_days.list_ineligible_volunteers(booking.drive, DRIVE_DAY) == []


def test_records_of_another_organization_are_not_used() -> None:
    elsewhere = builders.booked(builders.drive(builders.organization("Other")))
    drive = builders.drive()
    assert eligible_days.list_ineligible_volunteers(drive, DRIVE_DAY) == []
    assert eligible_days.list_ineligible_volunteers(elsewhere.drive, DRIVE_DAY) == [elsewhere.volunteer_id]


def is_refused_all_day(person: int, drive: Drive, steps: int) -> bool:
    times = (drive.starts_at + n * timedelta(minutes=15) for n in range(steps))
    return all(check.check_eligibility(DonorScope(person), drive, at).reasons for at in times)


@pytest.mark.parametrize("seed", range(3))
def test_the_list_agrees_with_the_check_of_a_booking(seed: int) -> None:
    """Made-up donors visit drives of several programs. At each drive, each donor is checked at every step."""
    chance, owner = random.Random(seed), builders.organization(codes_per_day=100_000)
    policies = [
        builders.policy(min_hours=48, windows=[[2, 7]], cross_days={"whole_blood": 9}),
        builders.policy(min_hours=None, min_days=5, windows=[[3, 20]]),
        builders.policy(min_hours=None, windows=[[1, 4]]),
        builders.policy(min_hours=None, windows=[], kind="whole_blood", cross_days={"plasma": 3}),
    ]
    lax = builders.lax()
    drives = [drive_on(owner, days, lax) for days in sorted(chance.sample(range(24), 6))]
    for number in range(6):
        for drive in chance.sample(drives, chance.randint(1, 3)):
            builders.booked(drive, n=chance.randint(0, 20), number=number)
    for drive in drives:
        Drive.objects.filter(pk=drive.pk).update(policy=chance.choice(policies))
    people = list(Volunteer.objects.of(owner).order_by("pk").values_list("pk", flat=True))
    for person in people[::2]:
        report(person, DRIVE_DAY + chance.randint(-5, 20) * DAY, chance.choice(["plasma", "whole_blood"]))
    found = 0
    for drive in Drive.objects.of(owner).select_related("organization", "site", "policy"):
        expected = [person for person in people if is_refused_all_day(person, drive, steps=24)]
        assert eligible_days.list_ineligible_volunteers(drive, drive.day) == expected
        found += len(expected)
    assert 0 < found < len(people) * len(drives)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (IntervalRules(), {1: 1}),
        (IntervalRules(min_hours=48, windows=[[2, 7]]), {2: 1, 7: 1}),
        (IntervalRules(min_hours=49, cross_days={"whole_blood": 56}), {56: 1}),
        (IntervalRules(min_hours=49, cross_days={"platelets": 56}), {3: 1}),
        (IntervalRules(min_days=28, windows=[[13, 365]]), {28: 1, 365: 12}),
        (IntervalRules(windows=[[1, 30], [3, 30]]), {1: 1, 30: 1}),
    ],
)
def test_few_visits_far_from_the_date_need_no_check(rules: IntervalRules, expected: dict[int, int]) -> None:
    assert eligible_days.compute_check_thresholds([rules], {"plasma", "whole_blood"}) == expected


def test_the_next_drive_on_or_after_the_date_gives_the_rules_else_the_last_one() -> None:
    owner, policy = builders.organization(), builders.lax()
    assert eligible_days.find_drive_for_day(owner, DRIVE_DAY) is None
    first, second = drive_on(owner, 0, policy), drive_on(owner, 10, policy)
    found = [eligible_days.find_drive_for_day(owner, DRIVE_DAY + days * DAY) for days in (-1, 0, 1, 10, 11)]
    assert found == [first, first, second, second, second]
    Drive.objects.filter(pk=second.pk).update(state="cancelled")
    assert eligible_days.find_drive_for_day(owner, DRIVE_DAY + DAY) == first


def test_one_donor_and_three_take_the_same_number_of_queries() -> None:
    owner = builders.organization(codes_per_day=100_000)
    drive = builders.drive(owner, chairs=60, screening_stations=60)

    def donors(people: int) -> Callable[[], object]:
        for number in range(drive.bookings.count(), people):
            builders.booked(drive, number=number)
        return partial(eligible_days.list_ineligible_volunteers, drive, DRIVE_DAY)

    assert query_counts.count_for_each(donors) == 4
