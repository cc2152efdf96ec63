"""Bar charts as SVG, drawn by the template drives/web/chart.html. The page also shows each chart as a table."""

from collections.abc import Iterable
from dataclasses import dataclass

ROW_HEIGHT = 3  # in em, so that charts grow with the size of the text


@dataclass(frozen=True)
class Bar:
    """A solid bar for `part` inside an outline for `whole`. Lengths are percents of the longest outline."""

    label: str
    value: str  # the text next to the bar
    top: int
    part_length: int
    whole_length: int


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]

    @property
    def height(self) -> int:
        return ROW_HEIGHT * len(self.bars)


def build_chart(rows: Iterable[tuple[str, str, int, int]]) -> Chart:
    """Build a chart from rows of label, value, part and whole. A part longer than its outline is cut off."""
    listed = list(rows)
    longest = max((whole for *_others, whole in listed), default=0) or 1
    return Chart(
        [
            Bar(
                label,
                value,
                ROW_HEIGHT * position,
                round(100 * min(part, whole) / longest),
                round(100 * whole / longest),
            )
            for position, (label, value, part, whole) in enumerate(listed)
        ]
    )
