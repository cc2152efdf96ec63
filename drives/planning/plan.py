"""The plan of a drive that exists, and where a plan is less strict than its policy."""

from datetime import date, time

from drives.domain.grid import Problem
from drives.domain.plan import Plan
from drives.models import Drive, Policy


def looser(plan: Plan, policy: Policy) -> list[Problem]:
    """What of a plan would be less strict than its policy, and so would not count: said, never done silently."""
    problems = []
    for name, typed, own in (
        ("stricter_hours", plan.stricter_hours, policy.min_hours),
        ("stricter_days", plan.stricter_days, policy.min_days),
    ):
        if typed and own and typed < own:
            problems.append(Problem("looser_than_policy", name, {"least": own}))
    count, days = plan.stricter_count, plan.stricter_count_days
    if (count is None) != (days is None):
        problems.append(Problem("window_incomplete", "stricter_count"))
    for own_count, own_days in policy.windows if count and days else ():
        if own_count < count and own_days >= days:
            values = {"count": own_count, "days": own_days}
            problems.append(Problem("looser_window_than_policy", "stricter_count", values))
    return problems


def plan_of(drive: Drive, on: date | None = None) -> Plan:
    """The plan that made a drive, for the edit form or for another day."""
    names = [name for name in Plan.__dataclass_fields__ if name not in {"on", "breaks"}]
    breaks = [(time.fromisoformat(starts), time.fromisoformat(ends)) for starts, ends in drive.breaks]
    return Plan(on=on or drive.on, breaks=breaks, **{name: getattr(drive, name) for name in names})
