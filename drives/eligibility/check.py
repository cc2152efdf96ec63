"""Check the interval rules for a donor. Callers that create or move a booking hold the donor's identity locks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from drives import refusals
from drives.capacity import availability, visit_length
from drives.domain import intervals
from drives.eligibility import history, rules
from drives.models import Drive, Visit


@dataclass(frozen=True)
class EligibilityCheck:
    """The result of the interval rules for one donor, drive and time."""

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
    visit_types: visit_length.VisitTypes,
    now: datetime,
    freed: availability.FreedDeltas | None = None,
) -> list[refusals.OpenTime]:
    """List the next times that have room for these visits and that the interval rules allow for every donor.

    `freed` is the capacity that the donors' current bookings would free. At most three queries.
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


def refuse_if_too_close(
    eligibility: EligibilityCheck,
    drive: Drive,
    visit: str,
    now: datetime,
    *,
    is_overridden: bool = False,
    overridden_rules: Sequence[str] = (),
) -> str:
    """Return the visit type, or raise Refusal with later times if the visit is too close to another donation.

    The donor's history determines the visit type. With `is_overridden`, the interval rules are waived and the given
    visit type is kept. `overridden_rules` were waived earlier. A visit that overlaps another visit of the donor is
    always refused.
    """
    visit = visit if is_overridden else eligibility.visit or visit
    if reasons := list_open_reasons(eligibility.reasons, overridden_rules, is_overridden=is_overridden):
        raise refusals.Refusal(reasons, list_later_times([eligibility], drive, (visit,), now))
    return visit


def list_open_reasons(
    reasons: Sequence[refusals.Reason], overridden_rules: Sequence[str], *, is_overridden: bool = False
) -> list[refusals.Reason]:
    """Return the reasons that no member has overridden.

    Leaves out those in `overridden_rules`. If `is_overridden`, leaves out all reasons that may be overridden.
    """
    return [
        reason
        for reason in reasons
        if not (is_overridden and reason.code in rules.OVERRIDABLE_CODES)
        and _format_rule(reason) not in overridden_rules
    ]


def format_rules(reasons: Sequence[refusals.Reason]) -> list[str]:
    """List the overridable rules among these reasons, each with its first allowed time.

    An override saves this list, and covers only these rules and times.
    """
    return sorted({_format_rule(reason) for reason in reasons if reason.code in rules.OVERRIDABLE_CODES})


def _format_rule(reason: refusals.Reason) -> str:
    return f"{reason.code}/{reason.earliest_ok_at.isoformat() if reason.earliest_ok_at else 'never'}"
