"""What stands at the gate and has to wait all the same: for its sender's pace, a day's budget, a provider that fails.

All of it is rows, so that every worker sees the same and none is over, however many there are. A gate locks what it
spends of until it has committed: breakers first, then allowances, each in the order of their names, and no message that
somebody else holds.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from notifications.claimed import ClaimedMessage
from notifications.models import Allowance, Breaker
from notifications.pace import AllowanceUse, Deferral

PROBE_PATIENCE = timedelta(seconds=15)  # longer than the longest call: a worker that dies with a probe delays the next

LONG_AGO = datetime.min.replace(tzinfo=UTC)

Limits = dict[str, tuple[int, int]]


class RateLimiter:
    """How much of one batch may leave: `holds` says what has to wait. `spend` counts what has left.

    Belongs in a transaction.
    """

    def __init__(self, claimed: Iterable[ClaimedMessage], broken: Collection[str], now: datetime) -> None:
        self._leaving = list(claimed)
        self._now = now
        self._shut = dict.fromkeys(broken, True)
        self._until = self._probe({one.way_out for one in self._leaving} & set(broken))
        lines = {_build_queue_subject(one): (0, 0) for one in self._leaving if one.is_limited}
        self._uses = _lock_uses(compute_limits(self._leaving) | lines, now)
        self.holds = self._judge()

    def spend(self, passed: Sequence[ClaimedMessage]) -> None:
        """Count what passed the gate; what did not may go to others."""
        for one in passed:
            for subject in compute_limits([one]):
                self._uses[subject].take(self._now)
            if line := self._uses.get(_build_queue_subject(one)):
                line.paced_until = self._now
        _save_uses(self._uses)

    def _judge(self) -> dict[int, Deferral]:
        """As if everything that is not held here passed the gate: a little less may leave, and never too much."""
        planned = {subject: replace(use) for subject, use in self._uses.items()}
        holds: dict[int, Deferral] = {}
        for one in self._in_turn():
            subjects = list(compute_limits([one]))
            if hold := self._held(
                one, [planned[subject] for subject in subjects], planned.get(_build_queue_subject(one))
            ):
                holds[one.id] = hold
                continue
            self._shut[one.way_out] = True  # of a way that is being tried only this one leaves
            for subject in subjects:
                planned[subject].take(self._now)
        for subject, use in planned.items():
            self._uses[subject].last_turn_at = use.last_turn_at
        return holds

    def _in_turn(self) -> list[ClaimedMessage]:
        """The urgent first; of the same kind organizations take turns, and who was not served for longest begins."""
        places: Counter[str] = Counter()
        turns: dict[int, tuple[int, int, datetime]] = {}
        for one in self._leaving:
            line = self._uses.get(_build_queue_subject(one))
            turns[one.id] = one.priority, places[_build_queue_subject(one)], (line and line.paced_until) or LONG_AGO
            places[_build_queue_subject(one)] += 1
        return sorted(self._leaving, key=lambda one: turns[one.id])

    def _held(self, one: ClaimedMessage, uses: Sequence[AllowanceUse], line: AllowanceUse | None) -> Deferral | None:
        if one.way_out in self._until and self._shut[one.way_out]:
            return Deferral(self._until[one.way_out], "provider_down")
        waited = one.reason == "pace"
        found = [hold for use in uses if (hold := use.hold(one.priority, self._now, queue=line, has_waited=waited))]
        longest = max(found, key=lambda hold: hold.until, default=None)
        if longest is None or longest.reason != "budget" or not one.priority:
            return longest
        return replace(longest, until=one.quiet_hours.next_open(longest.until))

    def _probe(self, subjects: Collection[str]) -> dict[str, datetime]:
        """Until when the broken ways are shut. Where the time has come we try: others wait for what comes of it."""
        due = Breaker.objects.filter(subject__in=subjects, open_until__lte=self._now).order_by("subject")
        for subject in due.select_for_update(no_key=True).values_list("subject", flat=True):
            self._shut[subject] = False
        ours = [subject for subject, shut in self._shut.items() if not shut]
        Breaker.objects.filter(subject__in=ours).update(open_until=self._now + PROBE_PATIENCE, probing=True)
        shut = Breaker.objects.filter(subject__in=subjects, open_until__isnull=False)
        return {row.subject: row.open_until for row in shut if row.open_until}


def list_broken_subjects() -> list[str]:
    """The ways out that are shut or tried at this moment."""
    return list(Breaker.objects.filter(open_until__isnull=False).values_list("subject", flat=True))


def _build_queue_subject(one: ClaimedMessage) -> str:
    """Each organization waits in lines of its own for a sender, its reminders apart from its appeals: who has few
    messages does not wait for all of who has many.
    """
    return f"line:{one.sender_id}:{one.organization_id}:{one.priority}"


def compute_limits(claimed: Iterable[ClaimedMessage]) -> Limits:
    """The limits that these fall under, as messages a minute and a day, by subject."""
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
    """What was used, locked until the transaction ends; rows are made when they are first needed."""
    if not limits:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LOCK, [sorted(limits)])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    uses = {subject: AllowanceUse(*limits[subject], *used) for subject, *used in rows}
    for use in uses.values():
        use.settle(now)
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
