"""The interval rules within the booking transaction: judged under the locks of all the person's contacts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from drives import refusals
from drives.capacity import availability, visits
from drives.domain import intervals
from drives.eligibility import history, rules
from drives.models import Drive, Visit


@dataclass(frozen=True)
class Spacing:
    """What the interval rules say to one wanted time of one person."""

    donations: Sequence[intervals.Donation]
    verdict: intervals.Verdict
    zone: str
    visit: Visit | None = None  # that follows from what was given, if it does

    @property
    def reasons(self) -> list[refusals.Reason]:
        earliest = self.verdict.earliest_ok_at
        return [rules.too_close(broken, earliest, self.zone) for broken in self.verdict.broken]

    def allows(self, drive: Drive, at: datetime) -> bool:
        """Whether another time keeps every rule, by the programme of its own drive."""
        return not intervals.judge(drive.rules, self.donations, at, drive.site.zone).broken


def later_times(
    judged: Sequence[Spacing],
    drive: Drive,
    wanted: visits.Visits,
    now: datetime,
    freed: availability.Freed | None = None,
) -> list[refusals.OpenTime]:
    """The next times that every rule allows to each of these people, by the program of each drive.

    `freed` is what they have at this drive by now. At most three queries.
    """
    earliest = [one.verdict.earliest_ok_at for one in judged if one.reasons]
    if None in earliest:
        return []

    def allows(at: Drive, arrivals: Sequence[datetime]) -> bool:
        return all(one.allows(at, arrival) for one, arrival in zip(judged, arrivals, strict=True))

    return history.later_times(drive, wanted, max([now, *filter(None, earliest)]), now, allows, freed)


def of(giver: history.Giver, drive: Drive, wanted: datetime) -> Spacing:
    """Judge a time at a drive against all that the person has given and booked. One query."""
    return between(history.donations_of(giver, wanted, drive.site.zone), drive, wanted)


def between(donations: Sequence[intervals.Donation], drive: Drive, wanted: datetime) -> Spacing:
    """Judge a time at a drive against these donations and bookings of one person."""
    zone = drive.site.zone
    return Spacing(
        donations,
        intervals.judge(drive.rules, donations, wanted, zone),
        drive.site.timezone,
        rules.visit_by_record(donations, drive.policy, wanted.astimezone(zone).date()),
    )


def refuse_too_close(giver: history.Giver, drive: Drive, visit: str, wanted: datetime, now: datetime) -> str:
    """Raise what the interval rules have against a visit at this time, with later times that they allow.

    Returns the kind of visit: what was recorded of the giver says it, else what was asked for.
    """
    spacing = of(giver, drive, wanted)
    visit = spacing.visit or visit
    if reasons := spacing.reasons:
        raise refusals.Refusal(reasons, later_times([spacing], drive, (visit,), now))
    return visit
