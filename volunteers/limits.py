"""Limits that guard money and people: atomic rows, never one over."""

import hmac
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from volunteers.models import LimitCounter

LONGEST_WINDOW = timedelta(days=1)
SHOW_MINUTES_UP_TO = 90  # of longer waits, hours


class RateLimitExceeded(ValidationError):
    """A limit is reached: 429 with Retry-After until `retry_at`, which is also said in words."""

    def __init__(self, retry_at: datetime, now: datetime) -> None:
        self.retry_at, self.retry_after = retry_at, retry_at - now
        minutes = max(1, ceil(self.retry_after.total_seconds() / 60))
        if minutes <= SHOW_MINUTES_UP_TO:
            text = ngettext("Try again in %(count)s minute.", "Try again in %(count)s minutes.", minutes)
            when = text % {"count": minutes}
        else:
            hours = ceil(minutes / 60)
            when = ngettext("Try again in %(count)s hour.", "Try again in %(count)s hours.", hours) % {"count": hours}
        super().__init__(f"{_('That was asked for too often.')} {when}", code="too_many_codes")


class Limit(NamedTuple):
    """At most `limit` in each `window` for one subject; the scope names what is counted."""

    scope: str
    subject: str
    limit: int
    window: timedelta

    def starts(self, now: datetime) -> datetime:
        """When the window began: windows are fixed, so that a counter is one row and is never read first."""
        seconds = int(self.window.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)

    @property
    def digest(self) -> str:
        material = f"limit:{self.scope}:{self.subject}".encode()
        return hmac.digest(settings.SECRET_KEY.encode(), material, "sha256").hex()


def spend_limit(*, scope: str, subject: str, limit: int, window: timedelta, now: datetime) -> None:
    """Count one, or refuse with RateLimitExceeded."""
    spend_limits(limits=[Limit(scope, subject, limit, window)], now=now)


@transaction.atomic(savepoint=False)
def spend_limits(*, limits: Sequence[Limit], now: datetime, count: int = 1) -> None:
    """Count so many for each of several limits of different scopes, or none at all and refuse with RateLimitExceeded.

    One statement. It locks the counters in the order given until the transaction ends, so name them from the narrow
    to the wide and spend late: the wide ones are hot.
    """
    if not settings.RATE_LIMITS or not limits:
        return
    rows = [(limit.scope, limit.digest, limit.starts(now)) for limit in limits]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO volunteers_limitcounter AS spent (scope, subject, window_start, count)"
            " SELECT scope, subject, window_start, %s FROM"
            " unnest(%s::text[], %s::text[], %s::timestamptz[], %s::int[])"
            " AS asked (scope, subject, window_start, most)"
            " WHERE most >= %s"
            " ON CONFLICT ON CONSTRAINT one_counter_per_window DO UPDATE SET count = spent.count + EXCLUDED.count"
            " WHERE spent.count + EXCLUDED.count <= (%s::jsonb ->> spent.scope)::int RETURNING scope",
            [
                count,
                *(list(column) for column in zip(*rows, strict=True)),
                [limit.limit for limit in limits],
                count,
                json.dumps({limit.scope: limit.limit for limit in limits}),
            ],
        )
        counted = {scope for (scope,) in cursor.fetchall()}
    if spent := [limit for limit in limits if limit.scope not in counted]:
        raise RateLimitExceeded(max(limit.starts(now) + limit.window for limit in spent), now)


@transaction.atomic(savepoint=False)
def refund_limit(*, scope: str, digest: str, window_start: datetime) -> None:
    """Take back one that was counted, in the window in which it was; a counter never falls below none."""
    LimitCounter.objects.filter(scope=scope, subject=digest, window_start=window_start, count__gt=0).update(
        count=F("count") - 1
    )


@transaction.atomic(savepoint=False)
def purge_counters(*, now: datetime) -> int:
    """Delete the counters whose window is surely over; returns how many."""
    return LimitCounter.objects.filter(window_start__lt=now - 2 * LONGEST_WINDOW).delete()[0]
