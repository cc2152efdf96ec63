"""Check the interval rules in a booking transaction, under the donor's identity locks."""

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
    """The result of the interval rules for one donor at one time."""

    donations: Sequence[intervals.Donation]
    verdict: intervals.Verdict
    zone: str
    visit: Visit | None = None  # from the donor's history; None if it is unknown

    @property
    def reasons(self) -> list[refusals.Reason]:
        earliest = self.verdict.earliest_ok_at
        return [rules.build_interval_reason(broken, earliest, self.zone) for broken in self.verdict.broken_rules]

    def allows(self, drive: Drive, at: datetime) -> bool:
        return not intervals.check_intervals(drive.rules, self.donations, at, drive.site.zone).broken_rules


def list_later_times(
    checks: Sequence[EligibilityCheck],
    drive: Drive,
    visit_types: visits.VisitTypes,
    now: datetime,
    freed: availability.FreedDeltas | None = None,
) -> list[refusals.OpenTime]:
    """List the next times that the interval rules allow for all of these donors. At most three queries.

    `freed` is the capacity that the donors' current bookings would free.
    """
    earliest = [eligibility_check.verdict.earliest_ok_at for eligibility_check in checks if eligibility_check.reasons]
    if None in earliest:  # a rule that never allows a donation
        return []

    def allows(at: Drive, arrivals: Sequence[datetime]) -> bool:
        return all(
            eligibility_check.allows(at, arrival) for eligibility_check, arrival in zip(checks, arrivals, strict=True)
        )

    return history.list_allowed_times(drive, visit_types, max([now, *filter(None, earliest)]), now, allows, freed)


def check_eligibility(donor: history.DonorScope, drive: Drive, wanted_at: datetime) -> EligibilityCheck:
    return check_against_donations(history.list_donations(donor, wanted_at, drive.site.zone), drive, wanted_at)


def check_against_donations(
    donations: Sequence[intervals.Donation], drive: Drive, wanted_at: datetime
) -> EligibilityCheck:
    zone = drive.site.zone
    return EligibilityCheck(
        donations,
        intervals.check_intervals(drive.rules, donations, wanted_at, zone),
        drive.site.timezone,
        rules.compute_visit_type(donations, drive.policy, wanted_at.astimezone(zone).date()),
    )


def refuse_too_close(donor: history.DonorScope, drive: Drive, visit: str, wanted_at: datetime, now: datetime) -> str:
    """Return the visit type from the donor's history, or refuse a time too close to another donation.

    The refusal lists later times that are allowed.
    """
    eligibility_check = check_eligibility(donor, drive, wanted_at)
    visit = eligibility_check.visit or visit
    if reasons := eligibility_check.reasons:
        raise refusals.Refusal(reasons, list_later_times([eligibility_check], drive, (visit,), now))
    return visit
