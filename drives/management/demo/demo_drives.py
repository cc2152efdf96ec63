"""Which drives the demo has, relative to today; what is missing is added, what is there stays."""

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
from drives.planning import plan_check as planning_plan
from organizations.translated_text import TranslatedString

CREATED_BEFORE = timedelta(days=60)
AREAS = {content.RHYTHM: LOS_ANGELES, content.HARBOR: NEW_YORK}
KNOWN_DONORS = {content.RHYTHM: range(160), content.HARBOR: range(160, 200)}
PAST_DONORS, NEXT_DONORS = range(100, 148), range(60, 88)
EVENING, WAITLISTED_DONORS = range(49, 60), range(90, 93)
WALK_INS = range(148, 150)
# Today's guests take turns, so that a demo that is filled every day keeps the days between two donations.
TODAY_DONORS = (range(24), range(24, 48), range(100, 124), range(124, 148))
HARBOR_DONORS = range(160, 174)


@transaction.atomic
def fill_demo(*, now: datetime) -> int:
    """Bring the demo up to date, all of it or nothing; return how many drives were added."""
    homes, new = foundation.ensure_organizations(now - CREATED_BEFORE)
    missing = [day for home in homes for day in _list_missing_days(home, new, now)]
    if new:
        for home in homes:
            _register_others(
                home, [day for day in missing if day.home is home and not day.waiting], now - CREATED_BEFORE
            )
    timeline.play_events([event for day in missing for event in days.build_events(day, now)], now)
    return len(missing)


def _list_missing_days(home: DemoOrganization, new: bool, now: datetime) -> Iterator[Day]:
    """The past comes once; today's drive with each new day; the next when none is ahead."""
    slug, main = home.organization.slug, home.sites[0]
    local = now.astimezone(main.zone)
    planned = Drive.objects.filter(organization=home.organization)
    published = planned.filter(on__gt=local.date(), state=DriveState.PUBLISHED)
    ahead = {str(title) for title in published.values_list("title", flat=True)}
    if slug == content.HARBOR:
        if not ahead:
            plan = _plan(home, main, _saturday(local.date(), 9), chairs=4, goal=12)
            yield Day("harbor", home, plan, _build_donors(home, HARBOR_DONORS))
        return
    if new:
        plan = _plan(home, main, _saturday(local.date(), -27), goal=35)
        yield Day("before", home, plan, _build_donors(home, PAST_DONORS), _build_donors(home, WALK_INS), completed=True)
    if not planned.filter(on=local.date()).exists():
        turn = TODAY_DONORS[local.date().toordinal() % len(TODAY_DONORS)]
        yield Day("today", home, build_plan_around(home, main, local), _build_donors(home, turn))
    if content.DRIVE_TITLES[slug] not in ahead:
        lunch = [["12:00:00", "12:30:00"]]
        plan = _plan(home, home.sites[-1], _saturday(local.date(), 7), goal=30, breaks=lunch)
        yield Day("next", home, plan, _build_donors(home, NEXT_DONORS))
    if content.EVENING_TITLE not in ahead:
        yield Day(
            "dusk",
            home,
            _evening(home, local.date()),
            _build_donors(home, EVENING),
            waiting=_build_donors(home, WAITLISTED_DONORS),
        )


def _saturday(today: date, days_ahead: int) -> date:
    """The first Saturday that is at least so many days from today."""
    on = today + timedelta(days=days_ahead)
    return on + timedelta(days=(5 - on.weekday()) % 7)


def build_plan_around(home: DemoOrganization, site: Site, local: datetime) -> Drive:
    """A plan for the day of `local`, wall time at the site: hours around it that exist when the clock goes forward."""
    starts = [time(9)] if 9 <= local.hour < 16 else []
    starts += [time(hour) for hour in range(min(max(local.hour - 3, 0), 15), -1, -1)]
    plans = [_plan(home, site, local.date(), goal=20, opens=opens) for opens in starts]
    return next(plan for plan in plans if not planning_plan.preview_drive_plan(plan).problems)


def _plan(
    home: DemoOrganization, site: Site, on: date, *, goal: int, opens: time = time(9), chairs: int = 8, **more: Any
) -> Drive:
    policy, step = home.policy, 15
    return Drive(
        organization=home.organization,
        site=site,
        policy=policy,
        cause=home.cause,
        center=home.center,
        title=content.DRIVE_TITLES[home.organization.slug],
        description=TranslatedString(content.DESCRIPTION),
        bring=TranslatedString(content.BRING),
        phone=home.organization.phone,
        goal=goal,
        on=on,
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


def _evening(home: DemoOrganization, today: date) -> Drive:
    """Two hours and four chairs: it is soon full, and people wait."""
    plan = _plan(home, home.sites[0], _saturday(today, 14), goal=4, chairs=4)
    return plan.build_copy(title=content.EVENING_TITLE, opens=time(16), closes=time(18))


def _build_donors(home: DemoOrganization, numbers: range) -> list[DemoDonor]:
    return people.build_donors(numbers, AREAS[home.organization.slug])


def _register_others(home: DemoOrganization, planned: list[Day], now: datetime) -> None:
    """People whom the foundation knows and who have no booking yet."""
    busy = {donor for day in planned for donor in (*day.guests, *day.walk_ins)}
    for donor in _build_donors(home, KNOWN_DONORS[home.organization.slug]):
        if donor not in busy:
            days.register_donor(donor, home.organization, home.planner, now)
