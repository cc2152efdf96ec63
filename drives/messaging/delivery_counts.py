"""Count messages by delivery state and by reason of failure."""

import operator
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from django.db.models import Count, Q, Value
from django.db.models.functions import Left, StrIndex

from drives.models import Booking, Broadcast, Drive
from notifications import kinds
from notifications.models import UNSENT_STATES, Message, MessageState

IN_PROGRESS_STATES = frozenset({MessageState.SENDING, MessageState.IN_DOUBT, MessageState.ACCEPTED, MessageState.SENT})
UNDELIVERED_STATES = frozenset({MessageState.UNDELIVERED, MessageState.FAILED})
NOT_SENT_STATES = frozenset({MessageState.BLOCKED, MessageState.EXPIRED})
_COUNTED = ("state", "reason", "error_code")


@dataclass(frozen=True)
class FailureReason:
    reason: str
    error_code: str
    count: int


@dataclass(frozen=True)
class DeliverySummary:
    """Numbers of messages in each delivery state. The total excludes `withdrawn`."""

    planned: int = 0
    sent: int = 0  # accepted by the provider, but not yet reported as delivered
    delivered: int = 0
    not_delivered: int = 0
    not_sent: int = 0
    withdrawn: int = 0
    undelivered_reasons: list[FailureReason] = field(default_factory=list)
    unsent_reasons: list[FailureReason] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.planned + self.sent + self.delivered + self.not_delivered + self.not_sent


def load_delivery_summary(drive: Drive) -> DeliverySummary:
    messages = Message.objects.filter(Booking.objects.filter(drive=drive).match_messages()).exclude(
        kind=kinds.CODE.name
    )
    # Remove the default ordering, because it would become part of GROUP BY.
    return _summarize(messages.order_by().values_list(*_COUNTED).annotate(count=Count("pk")))


def summarize_broadcasts(broadcasts: Sequence[Broadcast]) -> list[DeliverySummary]:
    """Summarize the delivery of each broadcast, in the given order. One query."""
    of_any = reduce(operator.or_, (Q(key__startswith=f"{broadcast.about}/") for broadcast in broadcasts), Q(pk=None))
    messages = Message.objects.filter(of_any).annotate(broadcast=Left("key", StrIndex("key", Value("/")) - 1))
    counts = defaultdict(list)
    for about, *row in messages.order_by().values_list("broadcast", *_COUNTED).annotate(count=Count("pk")):
        counts[about].append(row)
    return [_summarize(counts[broadcast.about]) for broadcast in broadcasts]


def _summarize(rows: Iterable[Sequence[Any]]) -> DeliverySummary:
    states: Counter[str] = Counter()
    undelivered: Counter[tuple[str, str]] = Counter()
    unsent: Counter[tuple[str, str]] = Counter()
    for state, reason, error_code, count in rows:
        states[state] += count
        if state in UNDELIVERED_STATES:
            undelivered[reason, error_code] += count
        elif state in NOT_SENT_STATES:
            unsent[reason or state, error_code] += count
    return DeliverySummary(
        planned=sum(states[state] for state in UNSENT_STATES),
        sent=sum(states[state] for state in IN_PROGRESS_STATES),
        delivered=states[MessageState.DELIVERED],
        not_delivered=sum(states[state] for state in UNDELIVERED_STATES),
        not_sent=sum(states[state] for state in NOT_SENT_STATES),
        withdrawn=states[MessageState.WITHDRAWN],
        undelivered_reasons=[FailureReason(*reason, count) for reason, count in undelivered.most_common()],
        unsent_reasons=[FailureReason(*reason, count) for reason, count in unsent.most_common()],
    )
