"""Records of phone calls to donors that no message reached."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from drives.models import Booking, Call
from organizations import audit

MAX_TOPICS = 50


@transaction.atomic(savepoint=False)
def record_calls(*, booking: Booking, topics: Sequence[str], actor: str, now: datetime) -> int:
    known_topics = set(Call.objects.filter(booking=booking, topic__in=topics).values_list("topic", flat=True))
    new_topics = [topic for topic in dict.fromkeys(topics) if topic not in known_topics][:MAX_TOPICS]
    calls = [Call(booking=booking, topic=topic, actor=actor, reached_at=now) for topic in new_topics]
    # Two helpers may record the same call at the same time.
    Call.objects.bulk_create(calls, ignore_conflicts=True)
    if new_topics:
        organization = booking.drive.organization
        audit.add_audit_entry(organization=organization, actor=actor, verb="call.reached", about=booking.about, now=now)
    return len(new_topics)


@transaction.atomic(savepoint=False)
def delete_calls(*, booking: Booking, actor: str, now: datetime) -> int:
    count, _ = Call.objects.filter(booking=booking).delete()
    if count:
        organization = booking.drive.organization
        audit.add_audit_entry(
            organization=organization, actor=actor, verb="call.taken_back", about=booking.about, now=now
        )
    return count
