"""Compute how much of a sender's rate limit and daily budget is used. No database."""

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

# Carriers reset their daily limits at midnight in this zone. https://www.twilio.com/docs/messaging/compliance/a2p-10dlc
DAY_ZONE = ZoneInfo("America/Los_Angeles")
MINUTE, LONGEST_QUEUE = timedelta(minutes=1), timedelta(days=1)
# Shares of the daily budget by priority. Invitations stop first, then reminders, then bookings. Only codes may use all.
BUDGET_SHARES = (1.0, 0.9, 0.8, 0.7)


@dataclass(frozen=True)
class Deferral:
    until: datetime
    reason: str  # "pace", "budget", "provider_down"


@dataclass
class AllowanceUse:
    """How much of its limits a sender or an organization has used. Loaded from a locked `Allowance` row.

    A limit of 0 means no limit. At most `per_minute` messages leave in any 60 seconds, and at most a fifth of them in
    one burst. `paced_until` is the time at which the messages sent so far would end if they were evenly spaced.
    """

    per_minute: int
    per_day: int
    paced_until: datetime | None = None
    last_turn_at: datetime | None = None
    day: date | None = None
    spent: int = 0
    last_retry_turn_at: datetime | None = None  # when the last retry in this batch gets its turn; not saved

    def find_deferral(
        self, priority: int, now: datetime, *, queue: "AllowanceUse | None" = None, has_waited: bool = False
    ) -> Deferral | None:
        """Return why a message may not be sent now and when to try again, or None if it may be sent.

        Each organization that shares a sender has its own `queue`. The time to try again is the next turn in it. A
        message that has waited before goes ahead of the queue.
        """
        if self.per_day and self._spent_on(now) >= math.ceil(self.per_day * BUDGET_SHARES[min(priority, 3)]):
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

    def limit_to_burst(self, now: datetime) -> None:
        # If the clock was set back, `paced_until` may be hours away. That must not block the sender.
        if self.per_minute and self.paced_until:
            self.paced_until = self._paced(now)

    def count_message(self, now: datetime) -> None:
        self.paced_until = self._paced(now) + self._step if self.per_minute else None
        self.day, self.spent = self._day(now), self._spent_on(now) + 1

    @property
    def _burst(self) -> int:
        return max(1, self.per_minute // 5)

    @property
    def _step(self) -> timedelta:
        return MINUTE / (self.per_minute - self._burst + 1)

    def _room(self, priority: int) -> timedelta:
        # How far `paced_until` may be ahead of now. A third of the burst is reserved for codes, a sixth for bookings.
        reserved = (0, self._burst // 3, self._burst // 3 + self._burst // 6)[min(priority, 2)]
        return self._step * (self._burst - reserved)

    def _paced(self, now: datetime) -> datetime:
        return min(max(self.paced_until or now, now), now + self._step * self._burst)

    def _day(self, now: datetime) -> date:
        # If the clock was set back past midnight, the row keeps its day, so it gets no second budget.
        today = compute_budget_day(now)
        return self.day if self.day == today + timedelta(days=1) else today

    def _spent_on(self, now: datetime) -> int:
        return self.spent if self.day == self._day(now) else 0


def compute_budget_day(now: datetime) -> date:
    """Return the day to whose budget a text that leaves now belongs."""
    return now.astimezone(DAY_ZONE).date()


def _compute_next_midnight(now: datetime) -> datetime:
    return datetime.combine(compute_budget_day(now) + timedelta(days=1), time(), DAY_ZONE).astimezone(ZoneInfo("UTC"))
