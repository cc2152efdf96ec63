"""After a restore, withdraw the messages that may have been sent after the backup was made."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import Coalesce

from notifications.models import Message, MessageState, Purpose
from notifications.models.message import RESUMABLE_REASONS, UNSENT_STATES, MessageQuerySet

REASON = "restored"
_MAY_LEAVE = Q(state__in=[*UNSENT_STATES, MessageState.SENDING, MessageState.IN_DOUBT]) | Q(
    state=MessageState.BLOCKED, reason__in=RESUMABLE_REASONS
)


@dataclass(frozen=True)
class MessagesOfKind:
    kind: str
    channel: str
    count: int
    first_due_at: datetime
    last_due_at: datetime


@transaction.atomic(savepoint=False)
def withdraw_past_messages(
    *, until: datetime, copy_start: datetime | None, created_since: datetime, now: datetime
) -> dict[str, int]:
    """Withdraw messages that were due by `until`, and those created since `created_since`. Return counts by kind.

    Messages created between `copy_start` and `created_since` are kept. They are about bookings that the lost database
    never had, because the service was already running on the copy.

    News counts as sent at `until`, so that no donor gets the same news again. Messages that the provider has accepted
    are no longer looked up, because the lost database got their reports.
    """
    is_due = Q(due_at__lte=until, created_at__lt=copy_start or created_since)
    past = Message.objects.filter(_MAY_LEAVE).filter(is_due | Q(created_at__gte=created_since))
    rows = list(past.order_by("pk").select_for_update(no_key=True, of=("self",)).values_list("pk", "kind"))
    withdrawn = Message.objects.filter(pk__in=[pk for pk, _kind in rows])
    withdrawn.filter(purpose=Purpose.NEWS).update(sending_at=Coalesce(F("sending_at"), until))
    withdrawn.update(
        state=MessageState.WITHDRAWN, reason=REASON, settled_at=now, lease_until=None, attempt_token="", check_at=None
    )
    Message.objects.filter(state=MessageState.ACCEPTED, check_at__isnull=False).update(check_at=None)
    return dict(sorted(Counter(kind for _pk, kind in rows).items()))


def list_coming_messages(*, until: datetime) -> Sequence[MessagesOfKind]:
    """Count the messages that would be sent by `until`, by kind and channel."""
    coming: MessageQuerySet = Message.objects.filter(_MAY_LEAVE, due_at__lte=until)
    groups = coming.values("kind", "channel").annotate(n=Count("pk"), first=Min("due_at"), last=Max("due_at"))
    return [
        MessagesOfKind(row["kind"], row["channel"], row["n"], row["first"], row["last"])
        for row in groups.order_by("kind", "channel")
    ]
