"""How fast and how much: the arithmetic of a sender's pace and a day's budget. Pure: an instant in, a verdict out."""

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# The day of the carriers' limits begins at midnight there. https://www.twilio.com/docs/messaging/compliance/a2p-10dlc
DAY_ZONE = ZoneInfo("America/Los_Angeles")
MINUTE, LONGEST_QUEUE = timedelta(minutes=1), timedelta(days=1)
# What may be used by what is urgent, by reminders and by appeals: when a day is short, the later ones wait first.
BUDGET_SHARES = (1.0, 0.9, 0.7)


@dataclass(frozen=True)
class Deferral:
    """Not now: until when, and why."""

    until: datetime
    reason: str  # "pace", "budget", "provider_down"


@dataclass
class AllowanceUse:
    """What was used of the limits of one subject: a row of `Allowance` while a gate works on it. 0 is no limit.

    The pace is a bucket in which a fifth of a minute's messages fit, kept as the instant until which what has left
    would have taken if it had been spread evenly. In no sixty seconds, wherever they begin, more than `per_minute`
    leave.
    """

    per_minute: int
    per_day: int
    paced_until: datetime | None = None
    last_turn_at: datetime | None = None
    day: date | None = None
    spent: int = 0
    last_retry_turn_at: datetime | None = None  # the last turn given anew in this batch; not kept

    def hold(
        self, priority: int, now: datetime, *, queue: "AllowanceUse | None" = None, has_waited: bool = False
    ) -> Deferral | None:
        """Why a message may not leave now, if so, and when its turn is: the next in its `line`. Each who shares this
        subject has a line. Who has waited already is next when others were quicker.
        """
        if self.per_day and self._spent_on(now) >= math.ceil(self.per_day * BUDGET_SHARES[min(priority, 2)]):
            return Deferral(_compute_next_midnight(now), "budget")
        if not self.per_minute or self._paced(now) + self._step <= now + self._room(priority):
            return None
        turn = self._paced(now) + self._step - self._room(priority)
        if has_waited:
            self.last_retry_turn_at = turn = (
                max(turn, self.last_retry_turn_at + self._step) if self.last_retry_turn_at else turn
            )
        else:
            queue = queue or self
            queue.last_turn_at = turn = max(turn, min(queue.last_turn_at or turn, now + LONGEST_QUEUE) + self._step)
        return Deferral(turn, "pace")

    def settle(self, now: datetime) -> None:
        """Forget what cannot be: a clock that was put back must not stop a sender for hours."""
        if self.per_minute and self.paced_until:
            self.paced_until = self._paced(now)

    def take(self, now: datetime) -> None:
        """Count one that leaves."""
        self.paced_until = self._paced(now) + self._step if self.per_minute else None
        self.day, self.spent = self._day(now), self._spent_on(now) + 1

    @property
    def _burst(self) -> int:
        return max(1, self.per_minute // 5)

    @property
    def _step(self) -> timedelta:
        return MINUTE / (self.per_minute - self._burst + 1)

    def _room(self, priority: int) -> timedelta:
        """How far ahead of an even spread one may be: what is urgent finds a third of the bucket kept for it."""
        return self._step * (self._burst - (self._burst // 3 if priority else 0))

    def _paced(self, now: datetime) -> datetime:
        """Until when it is used by now: never further ahead than a full bucket."""
        return min(max(self.paced_until or now, now), now + self._step * self._burst)

    def _day(self, now: datetime) -> date:
        """Today; or the day of the row while that is tomorrow: a clock that was put back gives no second budget."""
        today = now.astimezone(DAY_ZONE).date()
        return self.day if self.day == today + timedelta(days=1) else today

    def _spent_on(self, now: datetime) -> int:
        return self.spent if self.day == self._day(now) else 0


def _compute_next_midnight(now: datetime) -> datetime:
    today = now.astimezone(DAY_ZONE).date()
    return datetime.combine(today + timedelta(days=1), time(), DAY_ZONE).astimezone(ZoneInfo("UTC"))
