"""A chart of a drive's day, with the booked, held and free screening stations and chairs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Count

from drives.domain import chart
from drives.models import Booking, BookingState, Drive, ReservedSpot, Slot

Value = TypeVar("Value")

NOW_HEIGHT, TITLE_HEIGHT, PANEL_HEIGHT, STRIP_HEIGHT, AXIS_HEIGHT = 18, 26, 120, 8, 24  # pixels
MAX_HOUR_LABELS, MAX_HOUR_LABELS_ON_PHONE = 12, 3
MAX_LABEL_SHARE = 0.96  # share of the time axis. A label further right would not fit.
MIN_NAMED_WIDTH = 0.07  # share of the time axis. A narrower break has no room for its label.


@dataclass(frozen=True)
class Use:
    """The number of stations or chairs in use at one time. `booked` and `held` include those above the limit."""

    booked: int
    held: int
    limit: int

    @property
    def taken(self) -> int:
        return self.booked + self.held

    @property
    def free(self) -> int:
        return max(0, self.limit - self.taken)

    @property
    def over(self) -> int:
        return max(0, self.taken - self.limit)


@dataclass(frozen=True)
class DaySpan:
    """Consecutive steps with the same numbers."""

    starts_at: datetime
    ends_at: datetime
    screening: Use
    chairs: Use
    takes_arrivals: bool

    @property
    def is_break(self) -> bool:
        return self.chairs.limit == 0


@dataclass(frozen=True)
class Box:
    """A rectangle in the chart. `number` is shown above it, unless it is 0.

    The boxes of used capacity are drawn over a `limit` box. The visible rest of the `limit` box is free capacity.
    """

    kind: str  # limit, booked, held, over, break or closed
    x: str
    width: str
    y: str
    height: str
    middle: str
    number: int = 0
    is_named: bool = False


@dataclass(frozen=True)
class Tick:
    position: str
    value: int


@dataclass(frozen=True)
class HourMark:
    x: str
    starts_at: datetime
    is_on_phone: bool
    taken: list[tuple[str, int]]  # for each panel: position of the number, and number in use at this time


@dataclass(frozen=True)
class Panel:
    """One of the chart's two parts: the screening stations or the chairs."""

    kind: str  # screening or chairs
    limit: int
    title_y: int
    ticks: list[Tick]
    boxes: list[Box]
    bottom: int


@dataclass(frozen=True)
class DayPicture:
    spans: list[DaySpan]
    panels: list[Panel]
    closed: list[Box]
    hours: list[HourMark]
    now_x: str  # empty before and after the drive
    height: int

    @property
    def kinds(self) -> set[str]:
        return {box.kind for panel in self.panels for box in panel.boxes} | {box.kind for box in self.closed}

    @property
    def bottom(self) -> int:
        return self.panels[-1].bottom

    @property
    def label_y(self) -> int:
        return self.height - 7


@dataclass(frozen=True)
class _Axis:
    starts_at: datetime
    ends_at: datetime

    def share(self, at: datetime) -> float:
        return (at - self.starts_at) / (self.ends_at - self.starts_at)


def load_day_picture(drive: Drive, slots: Sequence[Slot], now: datetime) -> DayPicture:
    """Build the chart from the drive's slots, which are ordered by time. Two queries."""
    return draw_day(list_spans(slots, drive.step_minutes, _count_held(drive)), drive.site.zone, now)


def list_spans(slots: Sequence[Slot], step_minutes: int, held: tuple[Counter[int], Counter[int]]) -> list[DaySpan]:
    """Join consecutive steps with the same numbers. `held` is the number of held stations and chairs in each step."""
    screening_held, chairs_held = held

    def read_numbers(slot: Slot) -> tuple[Use, Use, bool]:
        screening, chairs = screening_held[slot.n], chairs_held[slot.n]
        return (
            Use(slot.screening_taken - screening, screening, slot.screening_limit),
            Use(slot.chairs_taken - chairs, chairs, slot.chairs_limit),
            slot.open,
        )

    groups = [(numbers, list(steps)) for numbers, steps in groupby(slots, read_numbers)]
    width = timedelta(minutes=step_minutes)
    return [DaySpan(steps[0].starts_at, steps[-1].starts_at + width, *numbers) for numbers, steps in groups]


def _count_held(drive: Drive) -> tuple[Counter[int], Counter[int]]:
    """Count the stations and chairs of unverified bookings and reserved spots, in each step."""
    screening: Counter[int] = Counter()
    chairs: Counter[int] = Counter()
    unverified = Booking.objects.filter(drive=drive, state=BookingState.HELD)
    for rows in (unverified, ReservedSpot.objects.filter(drive=drive)):
        shapes = rows.values_list("first_step", "screening_steps", "chair_from", "chair_to").annotate(Count("pk"))
        for first_step, screening_steps, chair_from, chair_to, count in shapes.order_by("first_step"):
            for step in range(first_step, first_step + screening_steps):
                screening[step] += count
            for step in range(chair_from, chair_to):
                chairs[step] += count
    return screening, chairs


def draw_day(spans: Sequence[DaySpan], zone: ZoneInfo, now: datetime) -> DayPicture:
    axis = _Axis(spans[0].starts_at, spans[-1].ends_at)
    is_now = axis.starts_at <= now < axis.ends_at
    panels: list[Panel] = []
    top = NOW_HEIGHT if is_now else 0
    for kind in ("screening", "chairs"):
        uses: list[Use] = [getattr(span, kind) for span in spans]
        if kind == "chairs" or any(use.limit or use.taken for use in uses):
            panels.append(_draw_panel(kind, uses, spans, axis, top))
            top = panels[-1].bottom + STRIP_HEIGHT
    strip = (panels[-1].bottom + 1, STRIP_HEIGHT - 2)
    is_closed = [not span.takes_arrivals and not span.is_break for span in spans]
    return DayPicture(
        spans=list(spans),
        panels=panels,
        closed=[
            _draw_box("closed", x, width, strip) for x, width, closed in _join_spans(spans, axis, is_closed) if closed
        ],
        hours=_mark_hours(spans, panels, axis, zone),
        now_x=chart.format_x(axis.share(now)) if is_now else "",
        height=top + AXIS_HEIGHT,
    )


def _draw_panel(kind: str, uses: Sequence[Use], spans: Sequence[DaySpan], axis: _Axis, top: int) -> Panel:
    ticks = chart.choose_ticks(max(max(use.limit, use.taken) for use in uses))
    plot_top, highest = top + TITLE_HEIGHT, ticks[-1]
    boxes = []
    for box_kind in ("break", "limit", "booked", "held", "over"):
        for x, width, (below, above) in _join_spans(spans, axis, [_measure(use, highest)[box_kind] for use in uses]):
            if below < above:
                rows = plot_top + PANEL_HEIGHT * (1 - above / highest), PANEL_HEIGHT * (above - below) / highest
                boxes.append(_draw_box(box_kind, x, width, rows, above - below if box_kind == "over" else 0))
    return Panel(
        kind=kind,
        limit=max(use.limit for use in uses),
        title_y=plot_top - 10,
        ticks=[Tick(chart.format_y(value, highest, plot_top, PANEL_HEIGHT), value) for value in ticks],
        boxes=boxes,
        bottom=plot_top + PANEL_HEIGHT,
    )


def _measure(use: Use, highest: int) -> dict[str, tuple[int, int]]:
    """Return the lower and upper end of each kind of box, in stations or chairs."""
    return {
        "break": (0, 0 if use.limit else highest),
        "limit": (0, use.limit),
        "booked": (0, min(use.booked, use.limit)),
        "held": (min(use.booked, use.limit), min(use.taken, use.limit)),
        "over": (use.limit, use.limit + use.over),
    }


def _join_spans(spans: Sequence[DaySpan], axis: _Axis, values: Sequence[Value]) -> Iterator[tuple[float, float, Value]]:
    """Yield the start, width and value of each run of spans with the same value."""
    for value, pairs in groupby(zip(values, spans, strict=True), itemgetter(0)):
        run = [span for _value, span in pairs]
        start = axis.share(run[0].starts_at)
        yield start, axis.share(run[-1].ends_at) - start, value


def _draw_box(kind: str, start: float, width: float, rows: tuple[float, float], number: int = 0) -> Box:
    y, height = rows
    return Box(
        kind=kind,
        x=chart.format_x(start),
        width=chart.format_width(width),
        y=f"{y:.1f}",
        height=f"{height:.1f}",
        middle=chart.format_x(start + width / 2),
        number=number,
        is_named=kind == "break" and width >= MIN_NAMED_WIDTH,
    )


def _mark_hours(spans: Sequence[DaySpan], panels: Sequence[Panel], axis: _Axis, zone: ZoneInfo) -> list[HourMark]:
    """Mark full hours, at most `MAX_HOUR_LABELS` of them.

    Phones show fewer of these marks.
    """
    hour = timedelta(hours=1)
    first = axis.starts_at.astimezone(zone).replace(minute=0).astimezone(UTC)
    times = [at for at in (first + n * hour for n in range(26)) if axis.starts_at <= at < axis.ends_at]
    times = [at for at in times if axis.share(at) <= MAX_LABEL_SHARE] or [axis.starts_at]
    stride = -(-len(times) // MAX_HOUR_LABELS)
    phone_stride = stride * -(-len(times) // (stride * MAX_HOUR_LABELS_ON_PHONE))
    return [
        HourMark(
            x=chart.format_x(axis.share(at)),
            starts_at=at,
            is_on_phone=n % phone_stride == 0,
            taken=[(f"{panel.bottom - 6}", getattr(_find_span(spans, at), panel.kind).taken) for panel in panels],
        )
        for n, at in enumerate(times)
        if n % stride == 0
    ]


def _find_span(spans: Sequence[DaySpan], at: datetime) -> DaySpan:
    return next(span for span in spans if span.starts_at <= at < span.ends_at)
