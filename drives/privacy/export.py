"""Export everything that an organization stores about a volunteer, readable by people and programs."""

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
    SelfReportedDonation,
    WaitlistEntry,
)
from notifications import kinds
from notifications import queries as notifications_queries
from notifications.models import ConsentEntry, InboundMessage, Message, Suppression
from organizations.models import AuditEntry
from volunteers import queries as volunteers_queries
from volunteers.models import Registration, VerifiedBrowser, Volunteer
from volunteers.queries import ContactOwnership

FORMAT = "plasma-drive-export/1"
Document = dict[str, Any]


def build_export(volunteer: Volunteer, now: datetime) -> Document:
    """Build the export for one volunteer at one organization. Times are in UTC.

    Leaves out links, codes and their hashes, because they give access to pages. Leaves out the names of coordinators.
    Messages to a shared contact are included only if they are about this volunteer. Texts from a shared contact are
    left out.
    """
    contacts = volunteers_queries.load_contact_ownership(volunteer)
    bookings = _load_bookings(volunteer, contacts)
    entries = _load_waitlist_entries(volunteer, contacts)
    conversations = list(Conversation.objects.of(volunteer.organization).filter(address__in=contacts.addresses))
    return {
        "format": FORMAT,
        "exported_at": _format_time(now),
        "titles": _build_titles(),
        "organization": {"name": volunteer.organization.name, "email": volunteer.organization.email},
        "person": _export_person(volunteer, contacts),
        "bookings": [_export_booking(row) for row in bookings],
        "waitlist_entries": [_export_waitlist_entry(row) for row in entries],
        "self_reported_donations": _export_rows(_load_self_reported(volunteer, contacts), _export_self_reported),
        "registrations": _export_rows(
            volunteers_queries.filter_volunteer_registrations(volunteer, contacts).order_by("pk"), _export_registration
        ),
        "consents": _export_rows(_load_consents(volunteer, contacts), _export_consent),
        "opt_outs": _export_rows(_load_opt_outs(volunteer, contacts), _export_opt_out),
        "messages": _export_rows(
            _load_messages(volunteer, contacts, [*bookings, *entries, *_list_offers(entries), *conversations]),
            _export_message,
        ),
        "replies": _export_rows(_load_replies(volunteer, contacts, conversations), _export_reply),
        "conversations": _export_rows(conversations, _export_conversation),
        "verified_browsers": _export_rows(
            VerifiedBrowser.objects.filter(identity__in=contacts.identities).order_by("pk"), _export_verified_browser
        ),
        "audit": _export_rows(_load_audit(volunteer, bookings), _export_audit_entry),
    }


def _build_titles() -> dict[str, str]:
    return {
        "person": _("Who you are and how we reach you"),
        "bookings": _("Your bookings, with every change"),
        "waitlist_entries": _("Waiting lists you are or were on, and the offers you got"),
        "self_reported_donations": _("Donations elsewhere that you told us about"),
        "registrations": _("What you entered when you chose a time"),
        "consents": _("What you agreed to and what you withdrew"),
        "opt_outs": _("Numbers that texted STOP"),
        "messages": _("Messages we sent you"),
        "replies": _("Texts you sent us"),
        "conversations": _("Your conversations with the coordinators"),
        "verified_browsers": _("Devices where you verified a phone number or e-mail address"),
        "audit": _("Our notes on changes to your data"),
    }


def _export_person(volunteer: Volunteer, contacts: ContactOwnership) -> Document:
    return {
        "id": str(volunteer.pk),
        "name": volunteer.name,
        "language": volunteer.language,
        "known_since": _format_time(volunteer.created_at),
        "contacts": [
            {
                "kind": contact.kind,
                "address": contact.address,
                "verified_at": _format_time(contact.verified_at),
                "shared": contact in contacts.shared,
            }
            for contact in (*contacts.alone, *contacts.shared)
        ],
    }


def _load_bookings(volunteer: Volunteer, contacts: ContactOwnership) -> list[Booking]:
    of_volunteer = Q(volunteer=volunteer) | Q(
        registration__in=volunteers_queries.filter_volunteer_registrations(volunteer, contacts)
    )
    rows = (
        Booking.objects.filter(of_volunteer)
        .select_related("drive__site", "self_check_policy")
        .order_by("starts_at", "pk")
    )
    return list(rows.prefetch_related("changes__from_arrival", "changes__to_arrival", "calls"))


def _load_waitlist_entries(volunteer: Volunteer, contacts: ContactOwnership) -> list[WaitlistEntry]:
    of_volunteer = Q(volunteer=volunteer) | Q(
        registration__in=volunteers_queries.filter_volunteer_registrations(volunteer, contacts)
    )
    rows = WaitlistEntry.objects.filter(of_volunteer).select_related("drive__site").prefetch_related("offers", "calls")
    return list(rows.order_by("pk"))


def _list_offers(entries: Iterable[WaitlistEntry]) -> list[Offer]:
    return [offer for entry in entries for offer in entry.offers.all()]


def _load_self_reported(volunteer: Volunteer, contacts: ContactOwnership) -> Iterable[SelfReportedDonation]:
    of_volunteer = Q(volunteer=volunteer) | Q(
        registration__in=volunteers_queries.filter_volunteer_registrations(volunteer, contacts)
    )
    return SelfReportedDonation.objects.filter(of_volunteer).order_by("pk")


def _load_consents(volunteer: Volunteer, contacts: ContactOwnership) -> Iterable[ConsentEntry]:
    addresses = [contact.address for contact in (*contacts.alone, *contacts.shared)]
    consents = ConsentEntry.objects.filter(organization=volunteer.organization_id, address__in=addresses)
    return consents.order_by("at", "pk")


def _load_opt_outs(volunteer: Volunteer, contacts: ContactOwnership) -> Iterable[Suppression]:
    sender = notifications_queries.find_sender(volunteer.organization)
    forms = [*contacts.addresses, *contacts.identities]
    return Suppression.objects.filter(sender=sender, address__in=forms).order_by("since") if sender else []


def _load_messages(
    volunteer: Volunteer, contacts: ContactOwnership, subjects: Sequence[Booking | WaitlistEntry | Offer | Conversation]
) -> Iterable[Message]:
    about = Q(about__in=[row.about for row in subjects]) | Q(recipient=f"volunteer:{volunteer.pk}")
    rows = Message.objects.of(volunteer.organization).filter(about | Q(address__in=contacts.addresses))
    return rows.order_by("created_at", "pk")


def _load_replies(
    volunteer: Volunteer, contacts: ContactOwnership, conversations: list[Conversation]
) -> Iterable[InboundMessage]:
    filed = ConversationText.objects.filter(conversation__in=conversations).values("reply")
    senders = Q(sender__organizations=volunteer.organization) | Q(sender__is_default=True)
    rows = InboundMessage.objects.filter(Q(pk__in=filed) | senders & Q(address__in=contacts.addresses))
    return rows.distinct().order_by("received_at", "pk")


def _load_audit(volunteer: Volunteer, bookings: list[Booking]) -> Iterable[AuditEntry]:
    abouts = [f"volunteer:{volunteer.pk}", *(booking.about for booking in bookings)]
    return AuditEntry.objects.filter(organization=volunteer.organization_id, about__in=abouts).order_by("at", "pk")


def _export_booking(row: Booking) -> Document:
    policy = row.self_check_policy
    return {
        "reference": row.reference,
        "drive": str(row.drive.title),
        "site": f"{row.drive.site.name}, {row.drive.site.full_address}",
        "starts_at": _format_time(row.starts_at),
        "timezone": row.drive.site.timezone,
        **_export_fields(row, "visit", "state", "source", "cancelled_by", "cancelled_late", "override_reason"),
        **_export_times(row, "created_at", "changed_at", "held_until", "verified_at", "checked_in_at", "donated_at"),
        **_export_times(row, "outcome_at", "cancelled_at"),
        "confirmed": [{"code": code, "text": self_check.format_self_check_code(code)} for code in row.self_check],
        "self_check_policy": policy and f"{policy.code} v{policy.version}",
        "changes": [_export_change(change) for change in sorted(row.changes.all(), key=lambda change: change.pk)],
        "calls": [_export_call(call) for call in row.calls.all()],
    }


def _export_waitlist_entry(row: WaitlistEntry) -> Document:
    return {
        "drive": str(row.drive.title),
        "timezone": row.drive.site.timezone,
        **_export_fields(row, "visit", "state", "source"),
        **_export_times(
            row, "window_from", "window_to", "held_until", "joined_at", "created_at", "changed_at", "verified_at"
        ),
        "offers": [
            {"state": offer.state, **_export_times(offer, "starts_at", "deadline", "created_at", "ended_at")}
            for offer in row.offers.all()
        ],
        "calls": [_export_call(call) for call in row.calls.all()],
    }


def _export_change(row: BookingChange) -> Document:
    return {
        "at": _format_time(row.at),
        "by": _format_actor(row.actor),
        "from": row.from_state,
        "to": row.to_state,
        "from_time": row.from_arrival and _format_time(row.from_arrival.starts_at),
        "to_time": row.to_arrival and _format_time(row.to_arrival.starts_at),
        "reason": row.reason,
    }


def _export_call(row: Call) -> Document:
    return {"at": _format_time(row.reached_at), "by": _format_actor(row.actor), "about": row.topic}


def _export_self_reported(row: SelfReportedDonation) -> Document:
    return {
        "kind": row.kind,
        "donated_on": row.donated_on.isoformat(),
        "by": _format_actor(row.actor),
        "at": _format_time(row.reported_at),
    }


def _export_registration(row: Registration) -> Document:
    typed = _export_fields(row, "name", "is_for_other", "phone", "phone_as_typed", "email", "language")
    given = _export_fields(row, "consents", "self_check", "source", "ip")
    return {**typed, **given, **_export_times(row, "created_at", "verified_at")}


def _export_consent(row: ConsentEntry) -> Document:
    fields = _export_fields(row, "address", "purpose", "given", "wording_version", "wording", "source", "ip")
    return {**fields, "by": _format_actor(row.actor), "at": _format_time(row.at)}


def _export_opt_out(row: Suppression) -> Document:
    return {"address": row.address, "since": _format_time(row.since)}


def _export_message(row: Message) -> Document:
    # Leave out the text of a verification code, because a valid code is secret.
    text = {"text": ""} if row.kind == kinds.CODE.name else _export_fields(row, "subject", "text", "calendar")
    return {
        **_export_fields(
            row, "kind", "channel", "address", "purpose", "language", "zone", "state", "reason", "error_code"
        ),
        **text,
        **_export_times(row, "created_at", "due_at", "sent_at", "settled_at"),
    }


def _export_reply(row: InboundMessage) -> Document:
    return {"at": _format_time(row.received_at), **_export_fields(row, "address", "text", "handled_as")}


def _export_conversation(row: Conversation) -> Document:
    times = _export_times(row, "last_text_at", "asked_at", "unanswered_since", "closed_at")
    return {"address": row.address, **times, "closed_by": _format_actor(row.closed_by)}


def _export_verified_browser(row: VerifiedBrowser) -> Document:
    return _export_times(row, "verified_at", "expires_at")


def _export_audit_entry(row: AuditEntry) -> Document:
    return {
        "at": _format_time(row.at),
        "by": _format_actor(row.actor),
        "what": row.verb,
        "about": row.about,
        "fields": row.fields,
    }


def _format_actor(actor: str) -> str:
    """Describe the actor without a coordinator's name, which is another person's data."""
    names = {"donor": "you", "user": "a coordinator", "key": "the organization's software", "worker": "the service"}
    return names.get(actor.partition(":")[0], actor)


def _export_rows(rows: Iterable[Any], export_row: Callable[[Any], Document]) -> list[Document]:
    return [export_row(row) for row in rows]


def _export_fields(row: Any, *names: str) -> Document:
    return {name: getattr(row, name) for name in names}


def _export_times(row: Any, *names: str) -> Document:
    return {name: _format_time(getattr(row, name)) for name in names}


def _format_time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
