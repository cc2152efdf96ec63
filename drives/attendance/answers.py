"""The roster and the turnout as the API answers them."""

from drives.api import answers as api_answers
from drives.api.answers import Answer
from drives.attendance.queries import RosterRow
from drives.attendance.turnout import TurnoutNumbers
from drives.models import Booking, Drive, DriveState


def roster_row(row: RosterRow, zone: str) -> Answer:
    """A booking for coordinators and helpers, with its messages."""
    return {
        **day_booking(row.booking, zone),
        "messages": [{"kind": sent.kind, "channel": sent.channel, "state": sent.state} for sent in row.messages],
    }


def day_booking(row: Booking, zone: str) -> Answer:
    """A booking at the door, with the donor's name and contacts."""
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
        "starts_at": api_answers.at(row.starts_at, zone),
        "timezone": zone,
        "name": person.name if person else "",
        "phone": person.phone.address if person and person.phone else None,
        "email": person.email.address if person and person.email else None,
        "checked_in_at": row.checked_in_at and api_answers.at(row.checked_in_at, zone),
        "outcome_at": row.outcome_at and api_answers.at(row.outcome_at, zone),
        "override_reason": row.override_reason,
    }


def turnout(numbers: TurnoutNumbers, drive: Drive) -> Answer:
    """The numbers of a drive; they move until it is completed."""
    counts = {name.removesuffix("_count"): count for name, count in vars(numbers).items()}
    return {
        "drive": str(drive.pk),
        "final": drive.state == DriveState.COMPLETED,
        "closed_out_at": drive.closed_out_at and api_answers.at(drive.closed_out_at, drive.site.timezone),
        "timezone": drive.site.timezone,
        "goal": drive.goal,
        "counts": counts,
    }
