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
class EligibilityCheck:
    """What the interval rules say to one wanted time of one person."""

    donations: Sequence[intervals.Donation]
    verdict: intervals.Verdict
    zone: str
    visit: Visit | None = None  # that follows from what was given, if it does

    @property
    def reasons(self) -> list[refusals.Reason]:
        earliest = self.verdict.earliest_ok_at
        return [rules.build_interval_reason(broken, earliest, self.zone) for broken in self.verdict.broken]

    def allows(self, drive: Drive, at: datetime) -> bool:
        """Whether another time keeps every rule, by the programme of its own drive."""
        return not intervals.check_intervals(drive.rules, self.donations, at, drive.site.zone).broken


def list_later_times(
    checks: Sequence[EligibilityCheck],
    drive: Drive,
    visit_types: visits.VisitTypes,
    now: datetime,
    freed: availability.FreedDeltas | None = None,
) -> list[refusals.OpenTime]:
    """The next times that every rule allows to each of these people, by the program of each drive.

    `freed` is what they have at this drive by now. At most three queries.
    """
    earliest = [one.verdict.earliest_ok_at for one in checks if one.reasons]
    if None in earliest:
        return []

    def allows(at: Drive, arrivals: Sequence[datetime]) -> bool:
        return all(one.allows(at, arrival) for one, arrival in zip(checks, arrivals, strict=True))

    return history.list_allowed_times(drive, visit_types, max([now, *filter(None, earliest)]), now, allows, freed)


def check_eligibility(donor: history.DonorScope, drive: Drive, wanted_at: datetime) -> EligibilityCheck:
    """Judge a time at a drive against all that the person has given and booked. One query."""
    return check_against_donations(history.list_donations(donor, wanted_at, drive.site.zone), drive, wanted_at)


def check_against_donations(
    donations: Sequence[intervals.Donation], drive: Drive, wanted_at: datetime
) -> EligibilityCheck:
    """Judge a time at a drive against these donations and bookings of one person."""
    zone = drive.site.zone
    return EligibilityCheck(
        donations,
        intervals.check_intervals(drive.rules, donations, wanted_at, zone),
        drive.site.timezone,
        rules.compute_visit_type(donations, drive.policy, wanted_at.astimezone(zone).date()),
    )


def refuse_too_close(donor: history.DonorScope, drive: Drive, visit: str, wanted_at: datetime, now: datetime) -> str:
    """Raise what the interval rules have against a visit at this time, with later times that they allow.

    Returns the kind of visit: what was recorded of the giver says it, else what was asked for.
    """
    eligibility_check = check_eligibility(donor, drive, wanted_at)
    visit = eligibility_check.visit or visit
    if reasons := eligibility_check.reasons:
        raise refusals.Refusal(reasons, list_later_times([eligibility_check], drive, (visit,), now))
    return visit
