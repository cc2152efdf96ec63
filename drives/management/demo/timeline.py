"""Run the demo's events in order until now. Deliver the messages that are due at each event."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Min

from drives.messaging import reminders
from notifications import demo
from notifications.models import Message, MessageState

DELIVER_EVERY = timedelta(hours=3)


@dataclass(frozen=True)
class Event:
    at: datetime
    act: Callable[[datetime], object]
    sends_messages: bool = False


def play_events(events: Iterable[Event], until: datetime) -> None:
    next_due: datetime | None = until
    for event in sorted((event for event in events if event.at <= until), key=lambda event: event.at):
        next_due = _deliver_until(next_due, event.at)
        _run_event(event)
        if event.sends_messages:
            next_due = _find_next_due()
    _deliver_until(next_due, until)
    _deliver_due_messages(until)


def _deliver_until(next_due: datetime | None, until: datetime) -> datetime | None:
    while next_due is not None and next_due + DELIVER_EVERY <= until:
        _deliver_due_messages(next_due + DELIVER_EVERY)
        before, next_due = next_due, _find_next_due()
        if next_due == before:  # a worker of the running demo has already claimed the message
            return None
    return next_due


def _run_event(event: Event) -> None:
    """Run an event. Ignore refusals, because a visitor of the demo may have closed the drive."""
    try:
        with transaction.atomic():
            event.act(event.at)
    except ValidationError:
        return
    if event.sends_messages:
        demo.deliver_to_inbox(now=event.at)


def _deliver_due_messages(now: datetime) -> None:
    reminders.render_due_reminders(now=now)
    demo.deliver_to_inbox(now=now)


def _find_next_due() -> datetime | None:
    unsent = Message.objects.filter(state__in=[MessageState.SCHEDULED, MessageState.QUEUED])
    at: datetime | None = unsent.aggregate(at=Min("due_at"))["at"]
    return at
