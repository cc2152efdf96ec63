"""Everything that is held about one person, in one document that people and programs can read."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from drives.eligibility import self_check
from drives.models import (
    Booking,
    BookingChange,
    Call,
    Conversation,
    ConversationText,
    Offer,
    StatedDonation,
    WaitingEntry,
)
from notifications import kinds
from notifications import queries as notifications_queries
from notifications.models import ConsentEntry, InboundMessage, Message, Suppression
from organizations.models import AuditEntry
from volunteers import queries as volunteers_queries
from volunteers.models import ProvedBrowser, Registration, Volunteer
from volunteers.queries import Reached

FORMAT = "plasma-drive-export/1"
Document = dict[str, Any]


def export(volunteer: Volunteer, now: datetime) -> Document:
    """All that one organization holds about a person, times in UTC; a fixed number of queries.

    Left out is what opens doors (links, codes and their hashes) and who the coordinators are. Texts from or to an
    address that the person shares with others are in it only as far as they are about this person.
    """
    contacts = volunteers_queries.reached(volunteer)
    bookings = _bookings(volunteer, contacts)
    waits = _waits(volunteer, contacts)
    talks = list(Conversation.objects.of(volunteer.organization).filter(address__in=contacts.addresses))
    return {
        "format": FORMAT,
        "exported_at": _time(now),
        "titles": _titles(),
        "organization": {"name": volunteer.organization.name, "email": volunteer.organization.email},
        "person": _person(volunteer, contacts),
        "bookings": [_booking(row) for row in bookings],
        "waiting": [_waiting(row) for row in waits],
        "stated_donations": _rows(_stated(volunteer, contacts), _stated_donation),
        "registrations": _rows(volunteers_queries.registrations_of(volunteer, contacts).order_by("pk"), _registration),
        "consents": _rows(_ledger(volunteer, contacts), _consent),
        "stopped": _rows(_stops(volunteer, contacts), _stop),
        "messages": _rows(_messages(volunteer, contacts, [*bookings, *waits, *_offers(waits), *talks]), _message),
        "replies": _rows(_replies(volunteer, contacts, talks), _reply),
        "conversations": _rows(talks, _talk),
        "proofs": _rows(ProvedBrowser.objects.filter(identity__in=contacts.identities).order_by("pk"), _proof),
        "audit": _rows(_audit(volunteer, bookings), _line),
    }


def _titles() -> dict[str, str]:
    """What the parts are called, for people."""
    return {
        "person": _("Who you are and how you are reached"),
        "bookings": _("Your bookings, with every change"),
        "waiting": _("Waiting lists you are or were on, and what was offered"),
        "stated_donations": _("What you said that you gave elsewhere"),
        "registrations": _("What was typed when a time was kept"),
        "consents": _("What you agreed to and took back"),
        "stopped": _("Numbers that said STOP"),
        "messages": _("What was sent to you"),
        "replies": _("What you texted"),
        "conversations": _("Your conversations with the coordinators"),
        "proofs": _("Devices on which you proved a number or mailbox"),
        "audit": _("What was noted about changes to your data"),
    }


def _person(volunteer: Volunteer, contacts: Reached) -> Document:
    return {
        "id": str(volunteer.pk),
        "name": volunteer.name,
        "language": volunteer.language,
        "known_since": _time(volunteer.created_at),
        "contacts": [
            {
                "kind": contact.kind,
                "address": contact.address,
                "proved_at": _time(contact.proved_at),
                "shared": contact in contacts.shared,
            }
            for contact in (*contacts.alone, *contacts.shared)
        ],
    }


def _bookings(volunteer: Volunteer, contacts: Reached) -> list[Booking]:
    theirs = Q(volunteer=volunteer) | Q(registration__in=volunteers_queries.registrations_of(volunteer, contacts))
    rows = Booking.objects.filter(theirs).select_related("drive__site", "confirmed_policy").order_by("starts_at", "pk")
    return list(rows.prefetch_related("changes__from_arrival", "changes__to_arrival", "calls"))


def _waits(volunteer: Volunteer, contacts: Reached) -> list[WaitingEntry]:
    theirs = Q(volunteer=volunteer) | Q(registration__in=volunteers_queries.registrations_of(volunteer, contacts))
    rows = WaitingEntry.objects.filter(theirs).select_related("drive__site").prefetch_related("offers")
    return list(rows.order_by("pk"))


def _offers(waits: Iterable[WaitingEntry]) -> list[Offer]:
    return [offer for entry in waits for offer in entry.offers.all()]


def _stated(volunteer: Volunteer, contacts: Reached) -> Iterable[StatedDonation]:
    theirs = Q(volunteer=volunteer) | Q(registration__in=volunteers_queries.registrations_of(volunteer, contacts))
    return StatedDonation.objects.filter(theirs).order_by("pk")


def _ledger(volunteer: Volunteer, contacts: Reached) -> Iterable[ConsentEntry]:
    addresses = [contact.address for contact in (*contacts.alone, *contacts.shared)]
    lines = ConsentEntry.objects.filter(organization=volunteer.organization_id, address__in=addresses)
    return lines.order_by("at", "pk")


def _stops(volunteer: Volunteer, contacts: Reached) -> Iterable[Suppression]:
    sender = notifications_queries.sender_of(volunteer.organization)
    forms = [*contacts.addresses, *contacts.identities]
    return Suppression.objects.filter(sender=sender, address__in=forms).order_by("since") if sender else []


def _messages(
    volunteer: Volunteer, contacts: Reached, theirs: Sequence[Booking | WaitingEntry | Offer | Conversation]
) -> Iterable[Message]:
    about = Q(about__in=[row.about for row in theirs]) | Q(recipient=f"volunteer:{volunteer.pk}")
    rows = Message.objects.of(volunteer.organization).filter(about | Q(address__in=contacts.addresses))
    return rows.order_by("created_at", "pk")


def _replies(volunteer: Volunteer, contacts: Reached, talks: list[Conversation]) -> Iterable[InboundMessage]:
    """What stands in their conversations, and what a rule answered at once (STOP, START, HELP)."""
    filed = ConversationText.objects.filter(conversation__in=talks).values("reply")
    senders = Q(sender__organizations=volunteer.organization) | Q(sender__is_default=True)
    rows = InboundMessage.objects.filter(Q(pk__in=filed) | senders & Q(address__in=contacts.addresses))
    return rows.distinct().order_by("received_at", "pk")


def _audit(volunteer: Volunteer, bookings: list[Booking]) -> Iterable[AuditEntry]:
    abouts = [f"volunteer:{volunteer.pk}", *(booking.about for booking in bookings)]
    return AuditEntry.objects.filter(organization=volunteer.organization_id, about__in=abouts).order_by("at", "pk")


def _booking(row: Booking) -> Document:
    policy = row.confirmed_policy
    return {
        "reference": row.reference,
        "drive": str(row.drive.title),
        "site": f"{row.drive.site.name}, {row.drive.site.full_address}",
        "starts_at": _time(row.starts_at),
        "timezone": row.drive.site.timezone,
        **_fields(row, "visit", "state", "source", "cancelled_by", "cancelled_late", "override_reason"),
        **_times(row, "created_at", "changed_at", "held_until", "proved_at", "checked_in_at", "donated_at"),
        **_times(row, "outcome_at", "cancelled_at"),
        "confirmed": [{"code": code, "text": self_check.sentence(code)} for code in row.confirms],
        "confirmed_policy": policy and f"{policy.code} v{policy.version}",
        "changes": [_change(change) for change in sorted(row.changes.all(), key=lambda change: change.pk)],
        "calls": [_call(call) for call in row.calls.all()],
    }


def _waiting(row: WaitingEntry) -> Document:
    return {
        "drive": str(row.drive.title),
        "timezone": row.drive.site.timezone,
        **_fields(row, "visit", "state", "source"),
        **_times(row, "window_from", "window_to", "held_until", "waits_since", "created_at", "changed_at", "proved_at"),
        "offers": [
            {"state": offer.state, **_times(offer, "starts_at", "deadline", "made_at", "ended_at")}
            for offer in row.offers.all()
        ],
    }


def _change(row: BookingChange) -> Document:
    return {
        "at": _time(row.at),
        "by": _who(row.actor),
        "from": row.from_state,
        "to": row.to_state,
        "from_time": row.from_arrival and _time(row.from_arrival.starts_at),
        "to_time": row.to_arrival and _time(row.to_arrival.starts_at),
        "reason": row.reason,
    }


def _call(row: Call) -> Document:
    return {"at": _time(row.reached_at), "by": _who(row.actor), "about": row.topic}


def _stated_donation(row: StatedDonation) -> Document:
    return {"kind": row.kind, "on": row.on.isoformat(), "by": _who(row.actor), "at": _time(row.stated_at)}


def _registration(row: Registration) -> Document:
    typed = _fields(row, "name", "for_other", "phone", "phone_as_typed", "email", "language")
    said = _fields(row, "consents", "confirms", "source", "ip")
    return {**typed, **said, **_times(row, "created_at", "proved_at")}


def _consent(row: ConsentEntry) -> Document:
    said = _fields(row, "address", "purpose", "given", "wording_version", "wording", "source", "ip")
    return {**said, "by": _who(row.actor), "at": _time(row.at)}


def _stop(row: Suppression) -> Document:
    return {"address": row.address, "since": _time(row.since)}


def _message(row: Message) -> Document:
    """A code's digits are a secret while they serve, and are blanked afterwards."""
    text = {"text": ""} if row.kind == kinds.CODE.name else _fields(row, "subject", "text", "calendar")
    return {
        **_fields(row, "kind", "channel", "address", "purpose", "language", "zone", "state", "reason", "error_code"),
        **text,
        **_times(row, "created_at", "due_at", "sent_at", "settled_at"),
    }


def _reply(row: InboundMessage) -> Document:
    return {"at": _time(row.received_at), **_fields(row, "address", "text", "handled_as")}


def _talk(row: Conversation) -> Document:
    times = _times(row, "newest_at", "asked_at", "waiting_since", "closed_at")
    return {"address": row.address, **times, "closed_by": _who(row.closed_by)}


def _proof(row: ProvedBrowser) -> Document:
    return _times(row, "proved_at", "expires_at")


def _line(row: AuditEntry) -> Document:
    return {"at": _time(row.at), "by": _who(row.actor), "what": row.verb, "about": row.about, "fields": row.fields}


def _who(actor: str) -> str:
    """Who did it, without saying which coordinator: that is somebody else's data."""
    words = {"donor": "you", "user": "a coordinator", "key": "the organization's program", "worker": "the service"}
    return words.get(actor.partition(":")[0], actor)


def _rows(rows: Iterable[Any], made: Callable[[Any], Document]) -> list[Document]:
    return [made(row) for row in rows]


def _fields(row: Any, *names: str) -> Document:
    return {name: getattr(row, name) for name in names}


def _times(row: Any, *names: str) -> Document:
    return {name: _time(getattr(row, name)) for name in names}


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
