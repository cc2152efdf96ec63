"""Reschedule unsent reminders after a change to the message schedule, the quiet hours or the drive."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F, Max

from drives.capacity import locks
from drives.domain.reminder_times import MessageSchedule
from drives.messaging import reminders, schedule
from drives.models import EXPECTED_STATES, Booking, BookingChange, BookingState, Drive
from notifications import outbox
from notifications.message_content import Envelope
from notifications.models import UNSENT_STATES, Message, MessageState
from organizations.models import Organization

BATCH_SIZE = 500
NEVER_SENT_STATES = frozenset({MessageState.WITHDRAWN, MessageState.EXPIRED, MessageState.BLOCKED})


def reschedule_reminders(*, organization: Organization, drive_ids: Collection[int], now: datetime) -> int:
    """Update the reminders for every booking at these drives to match the current message schedules.

    Sent reminders are not sent again, and unchanged reminders stay. Changed reminders are withdrawn and scheduled again
    with new keys. Return the number of bookings with changed reminders. The caller has locked the drives (exclusive).
    Locks: bookings by id, then their messages. Nine statements for 500 bookings.
    """
    # The revision is part of the new reminders' keys.
    Drive.objects.filter(pk__in=drive_ids).update(schedule_revision=F("schedule_revision") + 1)
    schedules = schedule.load_drive_schedules(organization, drive_ids)
    ids = schedule.list_booking_ids_to_remind(drive_ids, now)
    batches = (ids[start : start + BATCH_SIZE] for start in range(0, len(ids), BATCH_SIZE))
    return sum(_reschedule_batch(organization, batch, schedules, now) for batch in batches)


@dataclass
class ReminderChanges:
    withdrawn: list[Message] = field(default_factory=list)
    scheduled: list[Envelope] = field(default_factory=list)

    @property
    def booking_count(self) -> int:
        return len({message.about for message in self.withdrawn} | {envelope.about for envelope in self.scheduled})


def _reschedule_batch(
    organization: Organization, ids: Sequence[int], schedules: dict[int, MessageSchedule], now: datetime
) -> int:
    bookings = [booking for booking in locks.lock_bookings(ids) if booking.state in EXPECTED_STATES]
    messages = _lock_messages(bookings)
    booked_times = _load_booked_times(bookings)
    changes = ReminderChanges()
    for booking in bookings:
        envelopes = reminders.build_reminder_envelopes(booking, schedules[booking.drive_id], booked_times[booking.pk])
        for kind in reminders.REMINDER_KINDS:
            of_kind = [envelope for envelope in envelopes if envelope.kind == kind]
            _add_changes(changes, of_kind, messages[booking.about, kind], now)
    outbox.withdraw_messages_by_id(ids=[message.pk for message in changes.withdrawn], now=now)
    outbox.schedule_messages(organization=organization, envelopes=changes.scheduled, now=now)
    return changes.booking_count


def _add_changes(
    changes: ReminderChanges, envelopes: Sequence[Envelope], messages: Sequence[Message], now: datetime
) -> None:
    unsent = {(message.channel, message.due_at) for message in messages if message.state in UNSENT_STATES}
    if any(message.state not in UNSENT_STATES for message in messages):
        # One channel has already sent the reminder. Keep an unchanged reminder on the other channel, but add none.
        envelopes = [envelope for envelope in envelopes if (envelope.channel, envelope.due_at) in unsent]
    if {(envelope.channel, envelope.due_at) for envelope in envelopes} == unsent:
        return
    changes.withdrawn += [message for message in messages if message.state in UNSENT_STATES]
    changes.scheduled += [envelope for envelope in envelopes if envelope.due_at > now]


def _lock_messages(bookings: Sequence[Booking]) -> dict[tuple[str, str], list[Message]]:
    """Lock the reminders of each booking's current revision. Return them by booking and kind.

    The locks keep workers from sending a reminder while it is compared.
    """
    revisions = {booking.about: booking.revision for booking in bookings}
    rows = Message.objects.filter(about__in=revisions, kind__in=reminders.REMINDER_KINDS).exclude(
        state__in=NEVER_SENT_STATES
    )
    messages: dict[tuple[str, str], list[Message]] = defaultdict(list)
    for message in rows.order_by("pk").select_for_update(no_key=True):
        if message.revision == revisions[message.about]:
            messages[message.about, message.kind].append(message)
    return messages


def _load_booked_times(bookings: Sequence[Booking]) -> dict[int, datetime]:
    changes = BookingChange.objects.filter(booking__in=bookings, to_state=BookingState.BOOKED)
    newest = dict(changes.values_list("booking").annotate(newest=Max("at")))
    return {booking.pk: newest.get(booking.pk, booking.created_at) for booking in bookings}
