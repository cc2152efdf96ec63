"""Bar charts, drawn on the server as SVG by the template drives/web/chart.html. Each has a table beside it."""

from collections.abc import Iterable
from dataclasses import dataclass

ROW_HEIGHT = 3  # in the height of the letters, so that a chart grows with them


@dataclass(frozen=True)
class Bar:
    """A solid bar of `part` inside an outline of `whole`. Lengths are whole percents of the longest outline."""

    label: str
    value: str  # in words or numbers
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
    """Build a chart from rows of label, value, part and whole. A part is drawn at most as long as its outline."""
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
