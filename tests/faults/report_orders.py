"""The provider's delivery reports about a message, in every possible order."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations

from django.utils import timezone

from notifications import reports
from notifications import rules as notifications_rules
from notifications.models import Message
from tests import builders
from tests.notifications import made

STATUSES = ("queued", "sending", "sent", "delivered", "undelivered", "failed")
Order = tuple[str, ...]
ORDERS: list[Order] = [order for length in range(1, 7) for order in permutations(STATUSES, length)]
_RANK = {"accepted": 1, "sent": 2, "failed": 3, "undelivered": 4, "delivered": 5}


def find_highest_state(order: Order) -> str:
    """Return the highest-ranked state in these reports. The message must end in this state."""
    return max((str(notifications_rules.parse_status(status)) for status in order), key=lambda state: _RANK[state])


def count_wrong(orders: Sequence[Order], *, early: bool = False) -> int:
    """Count the orders that leave a message in a wrong state.

    With `early`, reports arrive before the provider's id is stored.
    """
    now = timezone.now()
    organization = builders.organization()
    expected = {}
    for order in orders:
        message = made.queued(organization, due_at=now, expires_at=now + timedelta(days=1))
        expected[message.pk] = find_highest_state(order)
        if early:
            _report(order, message, now)
        Message.objects.filter(pk=message.pk).update(state="accepted", provider_id=f"SM{message.pk}")
        if not early:
            _report(order, message, now)
    reports.adopt_orphan_reports(now=now)
    states = dict(Message.objects.filter(pk__in=expected).values_list("pk", "state"))
    return sum(states[pk] != state for pk, state in expected.items())


def _report(order: Order, message: Message, now: datetime) -> None:
    for status in order:
        code = "30007" if status in {"failed", "undelivered"} else ""
        reports.record_report(provider_id=f"SM{message.pk}", status=status, error_code=code, now=now)
