"""Load what was sent to a person, what they agreed to, and what members changed in their record."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from django.db.models import Q

from drives.desk import booking_record, rules
from drives.desk.booking_record import MessageRow
from drives.messaging import consent_ledger, reach
from drives.messaging.consent_ledger import LedgerRow
from drives.models import Booking, WaitlistEntry
from drives.settings import queries as settings_queries
from drives.settings.queries import AuditRow
from notifications import queries as notifications_queries
from notifications.models import Message, MessageState
from volunteers.models import Volunteer


@dataclass(frozen=True)
class PersonRecord:
    """The newest rows come first."""

    messages: list[MessageRow]
    ledger: list[LedgerRow]
    changes: list[AuditRow]


def load_person_record(person: Volunteer) -> PersonRecord:
    """Load the record of a person. The number of queries does not depend on the number of rows."""
    return PersonRecord(
        messages=_list_messages(person),
        ledger=consent_ledger.load_consent_ledger(person),
        changes=settings_queries.list_changes(
            person.organization, f"volunteer:{person.pk}", rules.PERSON_CHANGES_SHOWN
        ),
    )


def _list_messages(person: Volunteer) -> list[MessageRow]:
    rows = Booking.objects.filter(volunteer=person).select_related("volunteer__phone", "volunteer__email")
    bookings = list(rows.order_by("-starts_at", "-pk")[: rules.PERSON_BOOKINGS_SHOWN])
    entries = WaitlistEntry.objects.filter(volunteer=person)
    about = Q(about__in=[row.about for row in (*bookings, *entries)]) | Q(recipient=f"volunteer:{person.pk}")
    sent = Message.objects.of(person.organization).filter(about).order_by("-due_at", "-pk")
    messages = list(sent[: rules.PERSON_MESSAGES_SHOWN])
    reminders = _load_reminder_rows(person, bookings, messages)
    return [reminders.get(message.pk) or MessageRow(message, message.channel) for message in messages]


def _load_reminder_rows(
    person: Volunteer, bookings: Sequence[Booking], messages: Sequence[Message]
) -> dict[int, MessageRow]:
    """Load the rows of the bookings with a scheduled message, by message id."""
    scheduled = {message.about for message in messages if message.state == MessageState.SCHEDULED}
    awaited = [booking for booking in bookings if booking.about in scheduled]
    if not awaited:
        return {}
    donor_reach = reach.load_reach(person.organization, awaited)
    by_about = notifications_queries.list_messages_about([booking.about for booking in awaited])
    rows = (booking_record.build_message_rows(booking, by_about[booking.about], donor_reach) for booking in awaited)
    return {row.message.pk: row for row in chain.from_iterable(rows)}
