"""Record phone calls to donors that no message reached."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from drives.messaging.reach import MessageSubject
from drives.models import Booking, Call
from organizations import audit

MAX_TOPICS = 50


@transaction.atomic(savepoint=False)
def record_calls(*, subject: MessageSubject, topics: Sequence[str], actor: str, now: datetime) -> int:
    link = _build_link(subject)
    known_topics = set(Call.objects.filter(**link, topic__in=topics).values_list("topic", flat=True))
    new_topics = [topic for topic in dict.fromkeys(topics) if topic not in known_topics][:MAX_TOPICS]
    calls = [Call(**link, topic=topic, actor=actor, reached_at=now) for topic in new_topics]
    # Two helpers may record the same call at the same time.
    Call.objects.bulk_create(calls, ignore_conflicts=True)
    if new_topics:
        _audit(subject, actor, "call.reached", now)
    return len(new_topics)


@transaction.atomic(savepoint=False)
def delete_calls(*, subject: MessageSubject, actor: str, now: datetime) -> int:
    count, _ = Call.objects.filter(**_build_link(subject)).delete()
    if count:
        _audit(subject, actor, "call.taken_back", now)
    return count


def _build_link(subject: MessageSubject) -> Mapping[str, MessageSubject]:
    return {"booking" if isinstance(subject, Booking) else "entry": subject}


def _audit(subject: MessageSubject, actor: str, verb: str, now: datetime) -> None:
    organization = subject.drive.organization
    audit.add_audit_entry(organization=organization, actor=actor, verb=verb, about=subject.about, now=now)
