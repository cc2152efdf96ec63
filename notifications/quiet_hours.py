"""Quiet hours, during which we send no texts. No database."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from notifications.rules import NOON_HOUR, QUIET_HOURS_MARGIN

DEFAULT_OPENING_HOUR, DEFAULT_CLOSING_HOUR = 9, 20  # unless the organization chooses other hours


def parse_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # A message with an unknown zone must not stop the others.
        return ZoneInfo("UTC")


@dataclass(frozen=True)
class QuietHours:
    """The daily rule of when texts may be sent: from the hour `opens` until the hour `closes` begins, in the zone.

    0 and 24 allow any hour. The methods return times in UTC.
    """

    zone: ZoneInfo
    opens: int = DEFAULT_OPENING_HOUR
    closes: int = DEFAULT_CLOSING_HOUR

    def is_quiet(self, at: datetime) -> bool:
        return not self.opens <= at.astimezone(self.zone).hour < self.closes

    def next_open(self, at: datetime) -> datetime:
        """Return `at` if texts may be sent then, else the time at which the quiet hours end."""
        if not self.is_quiet(at):
            return at
        local = at.astimezone(self.zone)
        day = local.date() if local.hour < self.opens else local.date() + timedelta(days=1)
        opening = self._compute_instant(day, self.opens)
        # A day on which the clocks skip every open hour has no opening.
        return self.next_open(opening) if self.is_quiet(opening) else opening

    def next_morning(self, at: datetime) -> datetime:
        return self._compute_instant(at.astimezone(self.zone).date() + timedelta(days=1), self.opens)

    def last_open_before(self, at: datetime) -> datetime:
        """Return `at` if texts may be sent then, else the time 15 minutes before the quiet hours around `at` begin."""
        if not self.is_quiet(at):
            return at
        local = at.astimezone(self.zone)
        day = local.date() if local.hour >= self.closes else local.date() - timedelta(days=1)
        # If the clocks change in between, 15 minutes before closing may also be within quiet hours.
        last = min(
            at,
            max(
                self._compute_instant(day, self.closes) - QUIET_HOURS_MARGIN,
                self._compute_instant(day, self.opens),
            ),
        )
        # A day on which the clocks skip every open hour has no last open moment.
        return self.last_open_before(last - QUIET_HOURS_MARGIN) if self.is_quiet(last) else last

    def may_wait(self, at: datetime, starts_at: datetime) -> bool:
        """Return whether a message about a changed visit may wait until the quiet hours end.

        It may wait if the visit starts at noon of the day on which they end, or later.
        """
        return starts_at >= self._compute_instant(self.next_open(at).astimezone(self.zone).date(), NOON_HOUR)

    def _compute_instant(self, day: date, hour: int) -> datetime:
        wall = datetime.combine(day, time()) + timedelta(hours=hour)
        return wall.replace(tzinfo=self.zone).astimezone(UTC)
