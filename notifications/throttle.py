"""Defer messages because of their sender's rate limit, a daily budget or a failing provider.

Usage is stored in rows, so that all workers share it and no limit is exceeded. Locks until commit: breakers, then
allowances, each ordered by subject. Workers never wait for a locked message.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from notifications import rules
from notifications.claimed import ClaimedMessage
from notifications.kinds import PRIORITIES, Budget
from notifications.models import Allowance, Breaker
from notifications.pace import AllowanceUse, Deferral

LONG_AGO = datetime.min.replace(tzinfo=UTC)

Limits = dict[str, tuple[int, int]]  # per minute and per day, by subject


class RateLimiter:
    """Decides which messages of a batch must wait (`deferrals`). Call it in a transaction, because it locks rows."""

    def __init__(self, claimed: Iterable[ClaimedMessage], broken: Collection[str], now: datetime) -> None:
        self._leaving = list(claimed)
        self._now = now
        self._shut = dict.fromkeys(broken, True)
        self._until = self._probe({one.breaker_subject for one in self._leaving} & set(broken))
        queues = {_build_queue_subject(one): (0, 0) for one in self._leaving if one.is_limited}
        self._uses = _lock_uses(compute_limits(self._leaving) | queues, now)
        self.deferrals = self._compute_deferrals()

    def record_sent(self, passed: Sequence[ClaimedMessage]) -> None:
        for one in passed:
            for subject in compute_limits([one]):
                self._uses[subject].count_message(self._now)
            if queue := self._uses.get(_build_queue_subject(one)):
                queue.paced_until = self._now
        _save_uses(self._uses)

    def _compute_deferrals(self) -> dict[int, Deferral]:
        # Assume that all other messages of the batch are sent. So we may send too few, but never too many.
        planned = {subject: replace(use) for subject, use in self._uses.items()}
        deferrals: dict[int, Deferral] = {}
        for one in self._sort_by_turn():
            subjects = list(compute_limits([one]))
            if deferral := self._find_deferral(
                one, [planned[subject] for subject in subjects], planned.get(_build_queue_subject(one))
            ):
                deferrals[one.id] = deferral
                continue
            self._shut[one.breaker_subject] = True  # if the breaker is open, only this message goes out, as a probe
            for subject in subjects:
                planned[subject].count_message(self._now)
        for subject, use in planned.items():
            self._uses[subject].last_turn_at = use.last_turn_at
        return deferrals

    def _sort_by_turn(self) -> list[ClaimedMessage]:
        # Within a priority, organizations take turns. The one that has waited longest goes first.
        positions: Counter[str] = Counter()
        turns: dict[int, tuple[int, int, datetime]] = {}
        for one in self._leaving:
            subject = _build_queue_subject(one)
            queue = self._uses.get(subject)
            turns[one.id] = one.priority, positions[subject], (queue and queue.paced_until) or LONG_AGO
            positions[subject] += 1
        return sorted(self._leaving, key=lambda one: turns[one.id])

    def _find_deferral(
        self, one: ClaimedMessage, uses: Sequence[AllowanceUse], queue: AllowanceUse | None
    ) -> Deferral | None:
        if one.breaker_subject in self._until and self._shut[one.breaker_subject]:
            return Deferral(self._until[one.breaker_subject], "provider_down")
        waited = one.reason == "pace"
        found = [use.find_deferral(one.priority, self._now, queue=queue, has_waited=waited) for use in uses]
        longest = max((deferral for deferral in found if deferral), key=lambda one: one.until, default=None)
        if longest is None or longest.reason != "budget" or one.priority <= PRIORITIES[Budget.BOOKING]:
            return longest
        return replace(longest, until=one.quiet_hours.next_open(longest.until))

    def _probe(self, subjects: Collection[str]) -> dict[str, datetime]:
        # This batch sends one probe for each breaker that has reached its `open_until`.
        due = Breaker.objects.filter(subject__in=subjects, open_until__lte=self._now).order_by("subject")
        for subject in due.select_for_update(no_key=True).values_list("subject", flat=True):
            self._shut[subject] = False
        ours = [subject for subject, shut in self._shut.items() if not shut]
        Breaker.objects.filter(subject__in=ours).update(open_until=self._now + rules.PROBE_TIMEOUT, probing=True)
        shut = Breaker.objects.filter(subject__in=subjects, open_until__isnull=False)
        return {row.subject: row.open_until for row in shut if row.open_until}


def list_broken_subjects() -> list[str]:
    return list(Breaker.objects.filter(open_until__isnull=False).values_list("subject", flat=True))


def _build_queue_subject(one: ClaimedMessage) -> str:
    # Each organization has its own queue for each priority, so that small ones do not wait for large ones.
    return f"line:{one.sender_id}:{one.organization_id}:{one.priority}"


def compute_limits(claimed: Iterable[ClaimedMessage]) -> Limits:
    limits: Limits = {}
    for one in claimed:
        if not one.is_limited:
            continue
        if one.per_minute or one.per_day:
            limits[f"sender:{one.sender_id}"] = one.per_minute, one.per_day
        if one.messages_per_day:
            limits[f"organization:{one.organization_id}"] = 0, one.messages_per_day
    return limits


def _lock_uses(limits: Limits, now: datetime) -> dict[str, AllowanceUse]:
    # LOCK creates missing rows and locks all in the order of their subjects.
    if not limits:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [sorted(limits)])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    uses = {subject: AllowanceUse(*limits[subject], *used) for subject, *used in rows}
    for use in uses.values():
        use.limit_to_burst(now)
    return uses


def _save_uses(uses: dict[str, AllowanceUse]) -> None:
    if uses:
        kept = [(subject, *astuple(use)[2:6]) for subject, use in sorted(uses.items())]
        with connection.cursor() as cursor:
            cursor.execute(SAVE, [list(column) for column in zip(*kept, strict=True)])


_TABLE = Allowance._meta.db_table
LOCK = f"""
INSERT INTO {_TABLE} AS used (subject, spent) SELECT subject, 0 FROM unnest(%s::text[]) AS wanted (subject)
    ON CONFLICT (subject) DO UPDATE SET spent = used.spent
RETURNING used.subject, used.paced_until, used.last_turn_at, used.day, used.spent
"""  # noqa: S608  made of constants
SAVE = f"""
UPDATE {_TABLE} AS used
   SET paced_until = kept.paced_until, last_turn_at = kept.last_turn_at, day = kept.day, spent = kept.spent
  FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[], %s::date[], %s::int[])
       AS kept (subject, paced_until, last_turn_at, day, spent)
 WHERE used.subject = kept.subject
"""  # noqa: S608  made of constants
