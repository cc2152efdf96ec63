"""Load the report on an organization's drives: turnout, lead times, sources and messages. Four queries."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection

from drives.booking.donation_rate import NOT_VERIFIED_STATES
from drives.capacity import visit_length
from drives.desk import report_figures, rules
from drives.desk.report_figures import Figures, LeadClass, MessageTally, Tally
from drives.domain import grid
from drives.models import Drive, DriveState, Site, Slot, Visit
from notifications.kinds import KINDS, Basis
from notifications.models import Channel, MessageState
from organizations.models import Organization

_BOOKINGS_SQL = Path(__file__).with_name("report_bookings.sql").read_text()
_MESSAGES_SQL = Path(__file__).with_name("report_messages.sql").read_text()
# Carriers bill each text that they accept, even if it never reaches the phone.
LEFT_STATES = (MessageState.ACCEPTED, MessageState.SENT, MessageState.DELIVERED, MessageState.UNDELIVERED)
_SHOWN = (
    "title",
    "day",
    "state",
    "starts_at",
    "closed_out_at",
    "return_screening_steps",
    "return_chair_steps",
    "site__name",
    "site__city",
    "site__timezone",
)
_TO_MEMBERS = [kind.name for kind in KINDS.values() if kind.basis == Basis.MEMBER]


@dataclass(frozen=True)
class ReportFilter:
    """A period of local days, both included, and an optional site."""

    first_day: date | None = None
    last_day: date | None = None
    site: Site | None = None


@dataclass
class DriveRow:
    drive: Drive
    figures: Figures = field(default_factory=Figures)
    messages: MessageTally = field(default_factory=MessageTally)

    def get_tally(self, visit: str) -> Tally:
        return self.figures.first if visit == Visit.FIRST else self.figures.returning

    @property
    def is_cancelled(self) -> bool:
        return self.drive.state == DriveState.CANCELLED

    @property
    def is_finished(self) -> bool:
        """Return whether the drive took place and was closed out, so that its no-shows are known."""
        return self.drive.closed_out_at is not None and not self.is_cancelled


@dataclass(frozen=True)
class SourceTally:
    source: str
    has_link: bool  # through a recruiter's link
    tally: Tally


@dataclass(frozen=True)
class Report:
    """The figures of several drives. Except for `messages`, only finished drives count in the totals and breakdowns."""

    rows: list[DriveRow]  # the newest drive first
    total: Figures
    finished_count: int
    unfinished: list[DriveRow]
    cancelled: list[DriveRow]
    hours: list[tuple[int, Tally]]  # pairs of local hour and its bookings
    sources: list[SourceTally]  # the most visits first
    lead_classes: list[LeadClass]
    median_lead: float | None
    messages: MessageTally  # for all drives, because texts about a cancelled drive cost money, too


def list_drives(organization: Organization, chosen: ReportFilter) -> list[Drive]:
    """List the drives that match, without drafts.

    Returns at most one drive more than the limit, so that the caller can detect too many.
    """
    drives = Drive.objects.of(organization).exclude(state=DriveState.DRAFT).select_related("site")
    if chosen.first_day:
        drives = drives.filter(day__gte=chosen.first_day)
    if chosen.last_day:
        drives = drives.filter(day__lte=chosen.last_day)
    if chosen.site:
        drives = drives.filter(site=chosen.site)
    return list(drives.only(*_SHOWN).order_by("-day", "-starts_at", "-pk")[: rules.MAX_REPORT_DRIVES + 1])


def has_drives(organization: Organization) -> bool:
    return Drive.objects.of(organization).exclude(state=DriveState.DRAFT).exists()


def load_report(organization: Organization, drives: Sequence[Drive]) -> Report:
    """Load the report for these drives of the organization. Three queries."""
    rows = {drive.pk: DriveRow(drive) for drive in drives}
    finished = [row for row in rows.values() if row.is_finished]
    for drive_id, capacity in _load_capacities(drives).items():
        rows[drive_id].figures.capacity = capacity
    hours, sources, days = _count_bookings(rows, [row.drive.pk for row in finished])
    for drive_id, messages in _count_messages(organization, list(rows)).items():
        rows[drive_id].messages = messages
    others = [row for row in rows.values() if not row.is_finished]
    by_source = [SourceTally(source, has_link, tally) for (source, has_link), tally in sources.items()]
    return Report(
        rows=list(rows.values()),
        total=sum((row.figures for row in finished), Figures()),
        finished_count=len(finished),
        unfinished=[row for row in others if not row.is_cancelled],
        cancelled=[row for row in others if row.is_cancelled],
        hours=sorted(hours.items()),
        sources=sorted(by_source, key=lambda row: (-row.tally.expected_and_walk_ins, row.source, row.has_link)),
        lead_classes=report_figures.classify_lead_times(days),
        median_lead=report_figures.compute_median_lead(days),
        messages=sum((row.messages for row in rows.values()), MessageTally()),
    )


def _load_capacities(drives: Sequence[Drive]) -> dict[int, int]:
    slots = Slot.objects.filter(drive__in=[drive.pk for drive in drives]).order_by().values("drive")
    limits = slots.annotate(
        screening=ArrayAgg("screening_limit", order_by="n"), chairs=ArrayAgg("chairs_limit", order_by="n")
    )
    by_drive = {
        drive_id: (tuple(screening), tuple(chairs))
        for drive_id, screening, chairs in limits.values_list("drive", "screening", "chairs")
    }
    known: dict[Any, int] = {}  # drives with the same grid share a result, because most are copies
    capacities = {}
    for drive in drives:
        plan = (*by_drive.get(drive.pk, ((), ())), visit_length.compute_visit_shape(drive, Visit.RETURN))
        if plan not in known:
            known[plan] = grid.count_fitting_visits(*plan)
        capacities[drive.pk] = known[plan]
    return capacities


def _count_bookings(
    rows: dict[int, DriveRow], finished: list[int]
) -> tuple[dict[int, Tally], dict[tuple[str, bool], Tally], dict[int, Tally]]:
    """Count the bookings into the rows.

    Also return the bookings at finished drives, by local hour, by source and by lead time in days.
    """
    hours: defaultdict[int, Tally] = defaultdict(Tally)
    sources: defaultdict[tuple[str, bool], Tally] = defaultdict(Tally)
    days: defaultdict[int, Tally] = defaultdict(Tally)
    tallies: dict[str, Callable[[int, str], Tally]] = {
        "drive": lambda drive_id, visit: rows[drive_id].get_tally(visit),
        "hour": lambda hour, _: hours[hour],
        "source": lambda has_link, source: sources[source, bool(has_link)],
        "days": lambda lead, _: days[lead],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            _BOOKINGS_SQL,
            {
                "drives": list(rows),
                "finished": finished,
                "unverified": list(NOT_VERIFIED_STATES),
                "most_days": rules.MAX_LEAD_DAYS,
            },
        )
        for part, number, name, is_walk_in, state, count in cursor.fetchall():
            tallies[part](number, name).add(state, count, is_walk_in=is_walk_in)
    return hours, sources, days


def _count_messages(organization: Organization, drives: list[int]) -> dict[int, MessageTally]:
    found: defaultdict[int, MessageTally] = defaultdict(MessageTally)
    with connection.cursor() as cursor:
        cursor.execute(
            _MESSAGES_SQL,
            {
                "drives": drives,
                "organization": organization.pk,
                "left": list(LEFT_STATES),
                "to_members": _TO_MEMBERS,
            },
        )
        for drive_id, channel, count, segments, measured in cursor.fetchall():
            if channel == Channel.SMS:
                found[drive_id] += MessageTally(texts=count, segments=segments, unmeasured=count - measured)
            else:
                found[drive_id] += MessageTally(emails=count)
    return found


def compute_cost(organization: Organization, messages: MessageTally) -> Decimal | None:
    """Return the cost of the measured texts, from the organization's price of a segment.

    Returns None if the price is unknown.
    """
    is_known = organization.sms_price and messages.unmeasured < max(messages.texts, 1)
    return messages.segments * organization.sms_price if is_known else None
