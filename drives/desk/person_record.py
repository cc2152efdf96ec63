"""Load what was sent to a person, what they agreed to, and what members changed in their record."""

from dataclasses import dataclass

from django.db.models import Q

from drives.desk import rules
from drives.messaging import consent_ledger
from drives.messaging.consent_ledger import LedgerRow
from drives.models import Booking, WaitlistEntry
from drives.settings import queries as settings_queries
from drives.settings.queries import AuditRow
from notifications.models import Message
from volunteers.models import Volunteer


@dataclass(frozen=True)
class PersonRecord:
    """The newest rows come first."""

    messages: list[Message]
    ledger: list[LedgerRow]
    changes: list[AuditRow]


def load_person_record(person: Volunteer) -> PersonRecord:
    """Load the record of a person. At most eight queries."""
    return PersonRecord(
        messages=_list_messages(person),
        ledger=consent_ledger.load_consent_ledger(person),
        changes=settings_queries.list_changes(
            person.organization, f"volunteer:{person.pk}", rules.PERSON_CHANGES_SHOWN
        ),
    )


def _list_messages(person: Volunteer) -> list[Message]:
    bookings = Booking.objects.filter(volunteer=person).order_by("-starts_at", "-pk")[: rules.PERSON_BOOKINGS_SHOWN]
    entries = WaitlistEntry.objects.filter(volunteer=person)
    about = Q(about__in=[row.about for row in (*bookings, *entries)]) | Q(recipient=f"volunteer:{person.pk}")
    rows = Message.objects.of(person.organization).filter(about)
    return list(rows.order_by("-due_at", "-pk")[: rules.PERSON_MESSAGES_SHOWN])
