"""The service's own actions create the demo's data.

The data is the same each time, and each new day adds to it.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from drives.capacity import drift
from drives.management.demo import content, demo_drives, foundation, people
from drives.management.demo.foundation import DemoOrganization
from drives.models import Booking, BookingChange, Drive, DriveState, Policy, Site, Slot, Turnout
from drives.planning import plan_check
from drives.public import queries as public_queries
from drives.waitlist import queries as waitlist_queries
from notifications import contact_address
from notifications.models import InboxItem, Message, MessageState
from organizations import queries as organizations_queries
from organizations.models import DatabaseMarker, Organization, User
from tests import builders
from tests.notifications import made
from volunteers.models import Volunteer

LOS_ANGELES = ZoneInfo("America/Los_Angeles")
NOON = datetime(2027, 3, 3, 12, tzinfo=LOS_ANGELES).astimezone(UTC)
# An ordinary day, the shortest one and the longest one (DST).
DAYS = [(2027, 3, 3), (2027, 3, 14), (2027, 11, 7)]


def counts() -> list[int]:
    kinds = (Organization, User, Site, Policy, Drive, Slot, Booking, BookingChange, Message, InboxItem, Volunteer)
    return [kind._default_manager.count() for kind in kinds]


def states(drive: Drive) -> Counter[str]:
    return Counter(Booking.objects.filter(drive=drive).values_list("state", flat=True))


def told() -> str:
    said = StringIO()
    call_command("demo", stdout=said)
    return said.getvalue()


def home() -> DemoOrganization:
    organization = Organization(slug=content.RHYTHM)
    policy = Policy(first_screening_minutes=60, return_screening_minutes=30, chair_minutes=45)
    return DemoOrganization(organization, [], None, None, policy, "user:1", "user:2")


def assert_the_report_is_true(drive: Drive) -> None:
    report, kept = Turnout.objects.get(), states(drive)
    assert (report.drive_id, report.final) == (drive.pk, True)
    assert (report.booked_count, report.walk_in_count, report.unresolved_count) == (48, 2, 0)
    assert (report.donated_count, report.no_show_count) == (kept["donated"], kept["no_show"])
    assert report.donated_count > report.booked_count / 2


def assert_people_wait_for_it(drive: Drive) -> None:
    line = waitlist_queries.load_waitlist_rows(list(waitlist_queries.list_waitlist_entries(drive)))
    assert [(row.position, row.entry.state, row.offers) for row in line] == [(n, "waiting", []) for n in (1, 2, 3)]
    page = public_queries.load_drive_page(drive.slug, NOON)
    assert page is not None
    assert page.is_full


def assert_nothing_is_late(now: datetime) -> None:
    """Check that all due messages were delivered on time, and to the demo inbox only."""
    settled = [MessageState.SCHEDULED, MessageState.WITHDRAWN, MessageState.BLOCKED]
    sent = Message.objects.exclude(state__in=settled)
    assert set(sent.values_list("state", flat=True)) == {MessageState.DELIVERED}
    assert not Message.objects.filter(state=MessageState.SCHEDULED, due_at__lte=now).exists()
    assert InboxItem.objects.count() == sent.count()
    assert not InboxItem.objects.filter(at__gt=now).exists()


@pytest.mark.django_db
@pytest.mark.time_machine(NOON, tick=False)
@override_settings(DEMO=True, DEMO_EMPTY=False)
def test_a_restored_copy_is_not_filled_and_its_messages_stay() -> None:
    message = made.queued(builders.organization(), due_at=NOON, expires_at=NOON + timedelta(days=1), zone="UTC")
    DatabaseMarker.objects.create(pk=1, marker="another", recorded_at=NOON)
    assert "Run manage.py restored." in told()
    message.refresh_from_db()
    assert (message.state, Organization.objects.filter(slug=content.RHYTHM).count()) == (MessageState.QUEUED, 0)


@pytest.mark.django_db
def test_each_foundation_has_the_time_zone_of_its_sites() -> None:
    foundation.ensure_organizations(NOON)
    zones = set(Site.objects.values_list("organization__slug", "organization__timezone", "timezone"))
    assert zones == {
        (content.RHYTHM, "America/Los_Angeles", "America/Los_Angeles"),
        (content.HARBOR, "America/New_York", "America/New_York"),
    }


@override_settings(DEMO=False)
def test_it_is_refused_where_there_is_no_demo() -> None:
    with pytest.raises(CommandError, match="DEMO=on"):
        call_command("demo")


@pytest.mark.django_db
@override_settings(DEMO=True)
@time_machine.travel(datetime(2027, 3, 14, 23, 50, tzinfo=LOS_ANGELES), tick=False)
def test_the_command_works_at_any_hour_and_says_where_to_look_and_how_to_sign_in() -> None:
    said, now = told(), timezone.now()
    for line in (
        "/o/rhythm-of-life/",
        "/organizer/",
        "ben@example.org",
        content.PASSWORD,
        content.API_KEY,
        "/demo/inbox/",
    ):
        assert line in said
    assert User.objects.get(email="ben@example.org").check_password(content.PASSWORD)
    key = organizations_queries.find_api_key(f"Bearer {content.API_KEY}", now)
    assert key is not None
    assert key.organization.slug == content.RHYTHM
    assert Drive.objects.get(day="2027-03-14").ends_at <= now
    assert_nothing_is_late(now)


@pytest.mark.django_db
def test_the_demo_has_past_running_and_coming_drives_with_right_figures() -> None:
    demo_drives.fill_demo(now=NOON)
    before, today, ahead, evening = Drive.objects.filter(organization__slug=content.RHYTHM).order_by("day")
    assert before.state == DriveState.COMPLETED
    assert {drive.state for drive in (today, ahead, evening)} == {DriveState.PUBLISHED}
    assert today.starts_at < NOON < today.ends_at
    assert 7 <= (ahead.day - today.day).days <= 13
    assert {"donated", "deferred", "incomplete", "left", "no_show", "cancelled"} <= states(before).keys()
    assert {"booked", "confirmed", "checked_in", "donated"} <= states(today).keys()
    assert states(ahead).keys() <= {"booked", "confirmed", "cancelled"}
    assert_people_wait_for_it(evening)
    assert Drive.objects.get(organization__slug=content.HARBOR).site.timezone == "America/New_York"
    assert Volunteer.objects.count() == 200
    assert drift.count_drifted_slots() == 0
    assert_the_report_is_true(before)
    assert_nothing_is_late(NOON)


@pytest.mark.django_db
def test_filling_it_again_adds_nothing_and_a_new_day_adds_its_drive() -> None:
    assert demo_drives.fill_demo(now=NOON) == 5
    first = counts()
    assert demo_drives.fill_demo(now=NOON + timedelta(hours=2)) == 0
    assert counts() == first
    assert demo_drives.fill_demo(now=NOON + timedelta(days=1)) == 1
    assert Drive.objects.filter(day=NOON.date() + timedelta(days=1)).count() == 1
    assert (
        demo_drives.fill_demo(now=NOON + timedelta(days=30)) == 4
    )  # today's, the next, the evening drive, and the other foundation's next
    assert drift.count_drifted_slots() == 0


@pytest.mark.parametrize("day", DAYS)
def test_the_hours_of_today_are_around_now_at_any_hour(day: tuple[int, int, int]) -> None:
    site = Site(timezone="America/Los_Angeles")
    midnight = datetime(*day, tzinfo=LOS_ANGELES).astimezone(UTC)
    for quarter in range(23 * 4):
        local = (midnight + timedelta(minutes=15 * quarter)).astimezone(LOS_ANGELES)
        if local.date() != midnight.astimezone(LOS_ANGELES).date():
            break
        plan = demo_drives.build_plan_around(home(), site, local)
        assert plan_check.preview_drive_plan(plan).problems == []
        assert plan.opens <= local.time()
        assert local.time() <= plan.closes or local.hour == 23


def test_its_people_are_made_up_and_can_be_told_apart() -> None:
    everybody = people.build_donors(range(160), people.LOS_ANGELES) + people.build_donors(
        range(160, 200), people.NEW_YORK
    )
    assert len({donor.name for donor in everybody}) == len(everybody) == 200
    assert all(donor.name.startswith("Test ") for donor in everybody)
    numbers = [donor.phone for donor in everybody if donor.phone]
    assert len(set(numbers)) == len(numbers)
    assert all(number[5:10] == "55501" and contact_address.normalize_phone(number) == number for number in numbers)
    assert all(donor.phone or donor.email.endswith("@example.org") for donor in everybody)
