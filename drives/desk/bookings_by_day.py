"""A chart of a drive's bookings by day, with its goal and the median of the organization's earlier drives."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import median

from django.db import connection

from drives.booking import donation_rate
from drives.desk import rules
from drives.domain import chart
from drives.models import Drive

_CHANGES_SQL = Path(__file__).with_name("bookings_by_day.sql").read_text()
PLOT_TOP, PLOT_HEIGHT, HEIGHT = 24, 180, 232  # pixels
NEAR_AN_END = 0.2  # share of the time axis. So close to an end, the label for today would cover another label.

Changes = Mapping[int, tuple[int, int]]
"""Numbers of bookings made and cancelled, keyed by the number of days before the drive."""


@dataclass(frozen=True)
class DayRow:
    """One day. `total` is None for a future day. `usual` is None if there are too few earlier drives."""

    day: date
    days_before: int
    made: int
    cancelled: int
    total: int | None
    usual: float | None


@dataclass(frozen=True)
class Line:
    """A line of the chart: its points, and the position of its end."""

    points: str
    end_x: str
    end_y: str


@dataclass(frozen=True)
class BookingsByDay:
    """The chart's data. `total` excludes cancelled bookings and walk-ins. `goal` is 0 for a drive without a goal."""

    rows: list[DayRow]
    total: int
    goal: int  # number of bookings that the drive's goal needs
    earlier_count: int  # number of earlier drives in the median, or 0
    includes_earlier_days: bool
    ticks: list[tuple[str, int]]
    view_box: str
    booked: Line
    usual: Line | None
    goal_y: str
    is_goal_at_end: bool  # the goal's label is at the last day, because the label of today is at the first
    today: tuple[str, str] | None  # position of the line, and of its label ("" for no label)

    @property
    def usual_now(self) -> float | None:
        return next(row.usual for row in reversed(self.rows) if row.total is not None)

    @property
    def is_behind(self) -> bool:
        """Return whether the drive has fewer bookings than earlier drives usually had as many days before their day."""
        return self.usual_now is not None and self.total < self.usual_now

    @property
    def height(self) -> int:
        return HEIGHT

    @property
    def bottom(self) -> int:
        return PLOT_TOP + PLOT_HEIGHT

    @property
    def plot(self) -> tuple[str, int, str, int]:
        """Return x, y, width and height of the plot."""
        return chart.format_x(0), PLOT_TOP, chart.format_width(1), PLOT_HEIGHT


def load_bookings_by_day(drive: Drive, goal: int, now: datetime) -> BookingsByDay | None:
    """Load the bookings since the drive was published. Return None for a draft. Two queries.

    `goal` is the number of bookings that the drive's goal needs, or 0.
    """
    if drive.published_at is None:
        return None
    zone = drive.site.zone
    earlier = donation_rate.filter_closed_out(drive.organization).filter(starts_at__lt=drive.starts_at)
    ids = donation_rate.list_recent_drive_ids(earlier)
    changes = _load_changes([drive.pk, *ids])
    # `published_at` is the last publication. If the drive was closed and opened again, it has older bookings.
    since_publication = (drive.day - drive.published_at.astimezone(zone).date()).days
    first = max(0, since_publication, *changes[drive.pk])
    rows = _list_rows(
        drive.day,
        min(first, rules.MAX_CHART_DAYS),
        max(0, (drive.day - now.astimezone(zone).date()).days),
        changes[drive.pk],
        [changes[pk] for pk in ids] if len(ids) >= rules.MIN_EARLIER_DRIVES else [],
    )
    return _draw(rows, goal, len(ids), includes_earlier_days=first >= rules.MAX_CHART_DAYS)


def _load_changes(ids: Sequence[int]) -> dict[int, dict[int, tuple[int, int]]]:
    changes: dict[int, dict[int, tuple[int, int]]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES_SQL, {"drives": list(ids), "most": rules.MAX_CHART_DAYS})
        for drive_id, days_before, made, cancelled in cursor.fetchall():
            changes[drive_id][days_before] = made, cancelled
    return changes


def _list_rows(day: date, first: int, today: int, own: Changes, earlier: Sequence[Changes]) -> list[DayRow]:
    """List the days from `first` days before the drive until its day.

    Days before `first` count only in the totals of the earlier drives.
    """
    rows, total, totals = [], 0, [0] * len(earlier)
    for days_before in range(rules.MAX_CHART_DAYS, -1, -1):
        made, cancelled = own.get(days_before, (0, 0))
        total += made - cancelled
        changes = [each.get(days_before, (0, 0)) for each in earlier]
        totals = [before + more - fewer for before, (more, fewer) in zip(totals, changes, strict=True)]
        if days_before <= first:
            is_past = days_before >= min(today, first)
            usual = median(totals) if totals else None
            at = day - timedelta(days=days_before)
            rows.append(DayRow(at, days_before, made, cancelled, total if is_past else None, usual))
    return rows


def _draw(rows: list[DayRow], goal: int, earlier_count: int, *, includes_earlier_days: bool) -> BookingsByDay:
    totals = [row.total for row in rows if row.total is not None]
    usual = [row.usual for row in rows if row.usual is not None]
    ticks = chart.choose_ticks(max(*totals, *usual, goal))
    highest, days = ticks[-1], max(1, len(rows) - 1)
    share = (len(totals) - 1) / days
    return BookingsByDay(
        rows=rows,
        total=totals[-1],
        goal=goal,
        earlier_count=earlier_count if usual else 0,
        includes_earlier_days=includes_earlier_days,
        ticks=[(chart.format_y(value, highest, PLOT_TOP, PLOT_HEIGHT), value) for value in ticks],
        view_box=f"0 0 {days} {highest}",
        booked=_draw_line(totals, highest, days),
        usual=_draw_line(usual, highest, days) if usual else None,
        goal_y=chart.format_y(goal, highest, PLOT_TOP, PLOT_HEIGHT),
        is_goal_at_end=share < NEAR_AN_END,
        today=(chart.format_x(share), chart.format_x(share) if NEAR_AN_END < share < 1 - NEAR_AN_END else "")
        if len(totals) < len(rows)
        else None,
    )


def _draw_line(values: Sequence[float], highest: int, days: int) -> Line:
    return Line(
        points=" ".join(f"{n},{highest - value:g}" for n, value in enumerate(values)),
        end_x=chart.format_x((len(values) - 1) / days),
        end_y=chart.format_y(values[-1], highest, PLOT_TOP, PLOT_HEIGHT),
    )
