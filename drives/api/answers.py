"""What the API says, as plain dicts: serializers would cost more than the database. `shapes` documents them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from drives.models import Booking, Drive, DriveState
from drives.queries.attendance import RosterRow
from drives.queries.turnout import TurnoutNumbers
from drives.refusals import Reason
from volunteers.models import Volunteer

Answer = dict[str, Any]
Maker = Callable[[Any], Answer]


def at(instant: datetime, zone: str) -> str:
    """ISO 8601 with the offset of the place where it happens."""
    return instant.astimezone(ZoneInfo(zone)).isoformat()


def reason(row: Reason, zone: str) -> Answer:
    """Why something may not happen, with the first time that it may if a rule of interval says so."""
    said: Answer = {"code": row.code, "detail": row.detail}
    if row.earliest_ok_at:
        said["earliest_ok_at"] = at(row.earliest_ok_at, zone)
    if row.person:
        said["person"] = row.person
    return said


def roster_row(row: RosterRow, zone: str) -> Answer:
    """A booking as those who run the drive see it."""
    return {
        **day_booking(row.booking, zone),
        "messages": [{"kind": sent.kind, "channel": sent.channel, "state": sent.state} for sent in row.messages],
    }


def day_booking(row: Booking, zone: str) -> Answer:
    """A booking at the door: who, when, how it stands."""
    person = row.volunteer
    return {
        "id": str(row.pk),
        "volunteer": str(row.volunteer_id),
        "reference": row.reference,
        "state": row.state,
        "source": row.source,
        "visit": row.visit,
        "drive": str(row.drive_id),
        "slot": str(row.arrival_id),
        "starts_at": at(row.starts_at, zone),
        "timezone": zone,
        "name": person.name if person else "",
        "phone": person.phone.address if person and person.phone else None,
        "email": person.email.address if person and person.email else None,
        "checked_in_at": row.checked_in_at and at(row.checked_in_at, zone),
        "outcome_at": row.outcome_at and at(row.outcome_at, zone),
        "override_reason": row.override_reason,
    }


def erased(person: Volunteer, cancelled_count: int) -> Answer:
    """That somebody is nobody any more."""
    at_ = person.erased_at
    return {"id": str(person.pk), "erased_at": at_ and at(at_, "UTC"), "cancelled": cancelled_count}


def turnout(numbers: TurnoutNumbers, drive: Drive) -> Answer:
    """The numbers of a drive; they move until it is completed."""
    counts = {name.removesuffix("_count"): count for name, count in vars(numbers).items()}
    return {
        "drive": str(drive.pk),
        "final": drive.state == DriveState.COMPLETED,
        "closed_out_at": drive.closed_out_at and at(drive.closed_out_at, drive.site.timezone),
        "timezone": drive.site.timezone,
        "goal": drive.goal,
        "counts": counts,
    }
