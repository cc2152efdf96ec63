"""What the API says, as plain dicts: serializers would cost more than the database. `shapes` documents them."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import get_language

from drives.domain import localtime
from drives.domain.intervals import Rules
from drives.eligibility import self_check
from drives.models import Booking, Collector, Drive, DriveState, Policy, Site, languages
from drives.queries.attendance import RosterRow
from drives.queries.drives import DriveSummary
from drives.queries.turnout import TurnoutNumbers
from drives.queries.waiting import WaitingPage
from drives.refusals import OpenTime, Reason
from organizations.models import Cause, Organization
from volunteers.models import Volunteer

Answer = dict[str, Any]
Maker = Callable[[Any], Answer]


def at(instant: datetime, zone: str) -> str:
    """ISO 8601 with the offset of the place where it happens."""
    return instant.astimezone(ZoneInfo(zone)).isoformat()


def drive_row(summary: DriveSummary) -> Answer:
    return _drive(summary.drive, summary.places_left)


def drive(row: Drive, places_left: int) -> Answer:
    """A drive with all that a donor wants to know before booking."""
    policy = row.policy
    return {
        **_drive(row, places_left),
        "description": languages.written(row, "description", get_language() or "en").text,
        "cause": row.cause and _cause_of(row.cause),
        "policy": {**_named(policy), **_intervals(row.rules)},
        "confirms": [{"code": code, "text": self_check.sentence(code)} for code in policy.confirms],
        "visits": [
            {"kind": "first", "minutes": policy.first_minutes},
            {"kind": "return", "minutes": policy.return_minutes},
        ],
    }


def _named(policy: Policy) -> Answer:
    return {"code": policy.code, "version": policy.version, "name": policy.name, "source": policy.source}


def _intervals(rules: Rules) -> Answer:
    windows = [{"count": count, "days": days} for count, days in rules.windows]
    return {"min_hours": rules.min_hours, "min_days": rules.min_days, "windows": windows}


def _drive(row: Drive, places_left: int) -> Answer:
    site, organization, zone = row.site, row.organization, row.site.timezone
    return {
        "id": str(row.pk),
        "slug": row.slug,
        "title": row.title,
        "status": row.state,
        "organization": {"slug": organization.slug, "name": organization.name},
        "site": {"name": site.name, "address": site.full_address, "city": site.city, "timezone": zone},
        "starts_at": at(row.starts_at, zone),
        "ends_at": at(row.ends_at, zone),
        "places_left": places_left,
        "url": f"{settings.BASE_URL}/d/{row.slug}/",
    }


def _cause_of(cause: Cause) -> Answer:
    return {
        "title": cause.title,
        "story": cause.story,
        "learn_more_url": cause.learn_more_url,
        "give_url": cause.give_url,
    }


def slots(times: Iterable[OpenTime], zone: str) -> list[Answer]:
    """Arrival times that are still open."""
    language = get_language() or "en"
    rows = []
    for time in times:
        other = {"drive": str(time.elsewhere.drive_id)} if time.elsewhere else {}
        zone_there = time.elsewhere.zone if time.elsewhere else zone
        starts_at, local_time = _in_words(time.starts_at, zone_there, language)
        rows.append(
            {
                **other,
                "id": str(time.slot_id),
                "starts_at": starts_at,
                "local_time": local_time,
                "timezone": zone_there,
                "places_left": time.places_left,
            }
        )
    return rows


@lru_cache(maxsize=8192)
def _in_words(starts_at: datetime, zone: str, language: str) -> tuple[str, str]:
    """An instant as ISO and as people read it; formatting costs more than all the rest of a row."""
    return at(starts_at, zone), localtime.clock(starts_at, zone)


def reason(row: Reason, zone: str) -> Answer:
    """Why something may not happen, with the first time that it may if a rule of interval says so."""
    said: Answer = {"code": row.code, "detail": row.detail}
    if row.earliest_ok_at:
        said["earliest_ok_at"] = at(row.earliest_ok_at, zone)
    if row.person:
        said["person"] = row.person
    return said


def booking(row: Booking, zone: str) -> Answer:
    """A booking for whoever has its token; nothing about the person."""
    token = row.token
    manage_url = f"{settings.BASE_URL}/b/{token}/"
    return {
        "id": str(row.pk),
        "reference": row.reference,
        "state": row.state,
        "held_until": row.held_until and at(row.held_until, zone),
        "visit": row.visit,
        "drive": str(row.drive_id),
        "slot": str(row.arrival_id),
        "starts_at": at(row.starts_at, zone),
        "timezone": zone,
        "manage_url": manage_url,
        "calendar_url": f"{manage_url}calendar.ics",
        "token": token,
    }


def waiting(page: WaitingPage, zone: str) -> Answer:
    """A place in line for whoever has its token; nothing about the person."""
    entry, offer, token = page.entry, page.offer, page.entry.token
    return {
        "id": str(entry.pk),
        "state": entry.state,
        "held_until": entry.held_until and at(entry.held_until, zone),
        "position": page.position,
        "visit": entry.visit,
        "drive": str(entry.drive_id),
        "window": {
            "from": entry.window_from and at(entry.window_from, zone),
            "to": entry.window_to and at(entry.window_to, zone),
        },
        "timezone": zone,
        "offer": offer
        and {
            "starts_at": at(offer.starts_at, zone),
            "deadline": at(offer.deadline, zone),
            "url": f"{settings.BASE_URL}/offer/{offer.token}/",
        },
        "url": f"{settings.BASE_URL}/w/{token}/",
        "token": token,
    }


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


def organization(row: Organization) -> Answer:
    return {
        "id": str(row.pk),
        "slug": row.slug,
        "name": row.name,
        "legal_name": row.legal_name,
        "email": row.email,
        "phone": row.phone,
        "website": row.website,
        "language": row.language,
    }


def site(row: Site) -> Answer:
    return {
        "id": str(row.pk),
        "name": row.name,
        "address": row.full_address,
        "city": row.city,
        "country": row.country,
        "timezone": row.timezone,
        "map_url": row.map_url,
        "arrival_note": row.arrival_note,
    }


def cause(row: Cause) -> Answer:
    facts = [{"text": fact.text, "source": fact.source_name, "url": fact.source_url} for fact in row.facts.all()]
    return {"id": str(row.pk), **_cause_of(row), "strip": row.strip, "facts": facts}


def collector(row: Collector) -> Answer:
    return {
        "id": str(row.pk),
        "name": row.name,
        "phone": row.phone,
        "asks_for": row.asks_for,
        "website": row.website,
    }


def policy(row: Policy) -> Answer:
    """A programme's rules: least times, windows of (count, days), what donors confirm, how long visits take."""
    return {
        "id": str(row.pk),
        **_named(row),
        **_intervals(row.rules),
        "confirms": row.confirms,
        "first_minutes": row.first_minutes,
        "return_minutes": row.return_minutes,
        "verified": row.verified,
    }
