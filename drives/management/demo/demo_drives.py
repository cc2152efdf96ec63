"""Add the demo's missing drives, with dates relative to today. Existing drives do not change."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import transaction

from drives.management.demo import content, foundation, people, timeline
from drives.management.demo import drive_day as days
from drives.management.demo.drive_day import Day
from drives.management.demo.foundation import DemoOrganization
from drives.management.demo.people import LOS_ANGELES, NEW_YORK, DemoDonor
from drives.models import Drive, DriveState, Site
from drives.planning import plan_check
from organizations.translated_text import TranslatedString

CREATED_BEFORE = timedelta(days=60)
AREAS = {content.RHYTHM: LOS_ANGELES, content.HARBOR: NEW_YORK}
KNOWN_DONORS = {content.RHYTHM: range(160), content.HARBOR: range(160, 200)}
PAST_DONORS, NEXT_DONORS = range(100, 148), range(60, 88)
EVENING, WAITLISTED_DONORS = range(49, 60), range(90, 93)
WALK_INS = range(148, 150)
# Four groups of donors take turns, so that daily drives respect the interval between donations.
TODAY_DONORS = (range(24), range(24, 48), range(100, 124), range(124, 148))
HARBOR_DONORS = range(160, 174)


@transaction.atomic
def fill_demo(*, now: datetime) -> int:
    demo_organizations, is_new = foundation.ensure_organizations(now - CREATED_BEFORE)
    missing = [
        day for demo_organization in demo_organizations for day in _list_missing_days(demo_organization, is_new, now)
    ]
    if is_new:
        for demo_organization in demo_organizations:
            _register_others(
                demo_organization,
                [day for day in missing if day.demo_organization is demo_organization and not day.waiting],
                now - CREATED_BEFORE,
            )
    timeline.play_events([event for day in missing for event in days.build_events(day, now)], now)
    return len(missing)


def _list_missing_days(demo_organization: DemoOrganization, is_new: bool, now: datetime) -> Iterator[Day]:
    """List the missing drives of an organization: a past one (only in a new demo), today's and the upcoming ones."""
    slug, main = demo_organization.organization.slug, demo_organization.sites[0]
    local = now.astimezone(main.zone)
    planned = Drive.objects.filter(organization=demo_organization.organization)
    published = planned.filter(day__gt=local.date(), state=DriveState.PUBLISHED)
    ahead = {str(title) for title in published.values_list("title", flat=True)}
    if slug == content.HARBOR:
        if not ahead:
            plan = _build_plan(demo_organization, main, _saturday(local.date(), 9), chairs=4, goal=12)
            yield Day("harbor", demo_organization, plan, _build_donors(demo_organization, HARBOR_DONORS))
        return
    if is_new:
        plan = _build_plan(demo_organization, main, _saturday(local.date(), -27), goal=35)
        yield Day(
            "before",
            demo_organization,
            plan,
            _build_donors(demo_organization, PAST_DONORS),
            _build_donors(demo_organization, WALK_INS),
            completed=True,
        )
    if not planned.filter(day=local.date()).exists():
        turn = TODAY_DONORS[local.date().toordinal() % len(TODAY_DONORS)]
        yield Day(
            "today",
            demo_organization,
            build_plan_around(demo_organization, main, local),
            _build_donors(demo_organization, turn),
        )
    if content.DRIVE_TITLES[slug] not in ahead:
        lunch = [["12:00:00", "12:30:00"]]
        plan = _build_plan(
            demo_organization, demo_organization.sites[-1], _saturday(local.date(), 7), goal=30, breaks=lunch
        )
        yield Day(
            "next",
            demo_organization,
            plan,
            _build_donors(demo_organization, NEXT_DONORS),
            done_tasks=("confirmed", "room"),
            recruiter="",
            own_task=TranslatedString(content.OWN_TASK),
        )
    if content.EVENING_TITLE not in ahead:
        yield Day(
            "dusk",
            demo_organization,
            _build_evening_plan(demo_organization, local.date()),
            _build_donors(demo_organization, EVENING),
            waiting=_build_donors(demo_organization, WAITLISTED_DONORS),
            done_tasks=("confirmed", "room", "posters"),
        )


def _saturday(today: date, days_ahead: int) -> date:
    day = today + timedelta(days=days_ahead)
    return day + timedelta(days=(5 - day.weekday()) % 7)


def build_plan_around(demo_organization: DemoOrganization, site: Site, local: datetime) -> Drive:
    """Plan a drive around `local`, a local time at the site.

    If the clocks change that day, the opening hour is chosen so that the plan has no problems.
    """
    starts = [time(9)] if 9 <= local.hour < 16 else []
    starts += [time(hour) for hour in range(min(max(local.hour - 3, 0), 15), -1, -1)]
    plans = [_build_plan(demo_organization, site, local.date(), goal=20, opens=opens) for opens in starts]
    return next(plan for plan in plans if not plan_check.preview_drive_plan(plan).problems)


def _build_plan(
    demo_organization: DemoOrganization,
    site: Site,
    day: date,
    *,
    goal: int,
    opens: time = time(9),
    chairs: int = 8,
    **more: Any,
) -> Drive:
    policy, step = demo_organization.policy, 15
    return Drive(
        organization=demo_organization.organization,
        site=site,
        policy=policy,
        cause=demo_organization.cause,
        center=demo_organization.center,
        title=content.DRIVE_TITLES[demo_organization.organization.slug],
        description=TranslatedString(content.DESCRIPTION),
        bring=TranslatedString(content.BRING),
        phone=demo_organization.organization.phone,
        goal=goal,
        day=day,
        opens=opens,
        closes=time(opens.hour + 8, opens.minute),
        step_minutes=step,
        chairs=chairs,
        screening_stations=chairs - 1,
        first_screening_steps=policy.first_screening_minutes // step,
        first_chair_steps=policy.chair_minutes // step,
        return_screening_steps=policy.return_screening_minutes // step,
        return_chair_steps=policy.chair_minutes // step,
        **more,
    )


def _build_evening_plan(demo_organization: DemoOrganization, today: date) -> Drive:
    plan = _build_plan(demo_organization, demo_organization.sites[0], _saturday(today, 14), goal=4, chairs=4)
    return plan.build_copy(title=content.EVENING_TITLE, opens=time(16), closes=time(18))


def _build_donors(demo_organization: DemoOrganization, numbers: range) -> list[DemoDonor]:
    return people.build_donors(numbers, AREAS[demo_organization.organization.slug])


def _register_others(demo_organization: DemoOrganization, planned: list[Day], now: datetime) -> None:
    busy = {donor for day in planned for donor in (*day.guests, *day.walk_ins)}
    for donor in _build_donors(demo_organization, KNOWN_DONORS[demo_organization.organization.slug]):
        if donor not in busy:
            days.register_donor(donor, demo_organization.organization, demo_organization.coordinator, now)
