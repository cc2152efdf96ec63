"""Charts of a drive's turnout: the outcomes of each hour, and the totals."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from drives.attendance.turnout import TurnoutNumbers
from drives.attendance.turnout_report import HourTurnout
from drives.domain import chart
from drives.models import Turnout

ROW_HEIGHT, BAR_HEIGHT, AXIS_HEIGHT = 30, 20, 22  # pixels
LABEL_WIDTH = 22  # percent of the width, for the names of the hours
LEAST_NUMBERED = 0.06  # share of the plot. A narrower box has no room for its number.

COUNTS = tuple(field.name for field in fields(TurnoutNumbers))
KINDS: Final[dict[str, Callable[[HourTurnout], int]]] = {
    "donated": lambda hour: hour.donated,
    "other": lambda hour: hour.arrived - hour.donated,
    "missed": lambda hour: hour.no_show,
    "expected": lambda hour: hour.people - hour.arrived - hour.no_show,
}


@dataclass(frozen=True)
class Box:
    kind: str
    x: str
    width: str
    middle: str
    count: int
    is_numbered: bool


@dataclass(frozen=True)
class HourBar:
    starts_at: datetime
    y: int
    middle_y: int
    boxes: list[Box]


@dataclass(frozen=True)
class HoursPicture:
    bars: list[HourBar]
    ticks: list[tuple[str, int]]
    plot_height: int
    height: int

    @property
    def bar_height(self) -> int:
        return BAR_HEIGHT

    @property
    def kinds(self) -> set[str]:
        return {box.kind for bar in self.bars for box in bar.boxes}


def draw_hours(hours: Sequence[HourTurnout]) -> HoursPicture | None:
    """Draw one bar for each hour. Return None for a drive without bookings."""
    if not hours:
        return None
    ticks = chart.choose_ticks(max(hour.people for hour in hours))
    bars = [
        HourBar(hour.starts_at, n * ROW_HEIGHT, n * ROW_HEIGHT + BAR_HEIGHT // 2, _draw_boxes(hour, ticks[-1]))
        for n, hour in enumerate(hours)
    ]
    height = len(hours) * ROW_HEIGHT
    return HoursPicture(
        bars, [(chart.format_x(value / ticks[-1], LABEL_WIDTH), value) for value in ticks], height, height + AXIS_HEIGHT
    )


def _draw_boxes(hour: HourTurnout, highest: int) -> list[Box]:
    boxes, start = [], 0
    for kind, count_people in KINDS.items():
        if count := count_people(hour):
            boxes.append(
                Box(
                    kind=kind,
                    x=chart.format_x(start / highest, LABEL_WIDTH),
                    width=chart.format_width(count / highest, LABEL_WIDTH),
                    middle=chart.format_x((start + count / 2) / highest, LABEL_WIDTH),
                    count=count,
                    is_numbered=count / highest >= LEAST_NUMBERED,
                )
            )
            start += count
    return boxes


def measure_counts(counts: Turnout) -> dict[str, str]:
    """Return the width of each count's bar, relative to the longest bar."""
    numbers = {name: getattr(counts, name) for name in COUNTS}
    most = max(numbers.values()) or 1
    return {name: f"{100 * number / most:.1f}%" for name, number in numbers.items()}
