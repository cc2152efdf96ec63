"""People whom no message reached were told by phone."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from drives.models import Booking, Call
from organizations import audit

MAX_TOPICS = 50


@transaction.atomic(savepoint=False)
def record_calls(*, booking: Booking, topics: Sequence[str], actor: str, now: datetime) -> int:
    """Note that somebody was told all this by phone; what was noted before stays as it is. Returns how much is new."""
    known = set(Call.objects.filter(booking=booking, topic__in=topics).values_list("topic", flat=True))
    fresh = [topic for topic in dict.fromkeys(topics) if topic not in known][:MAX_TOPICS]
    calls = [Call(booking=booking, topic=topic, actor=actor, reached_at=now) for topic in fresh]
    Call.objects.bulk_create(calls, ignore_conflicts=True)
    if fresh:
        organization = booking.drive.organization
        audit.add_audit_entry(organization=organization, actor=actor, verb="call.reached", about=booking.about, now=now)
    return len(fresh)


@transaction.atomic(savepoint=False)
def delete_calls(*, booking: Booking, actor: str, now: datetime) -> int:
    """Take back that somebody was told; they stand on the list again."""
    count, _ = Call.objects.filter(booking=booking).delete()
    if count:
        organization = booking.drive.organization
        audit.add_audit_entry(
            organization=organization, actor=actor, verb="call.taken_back", about=booking.about, now=now
        )
    return count
