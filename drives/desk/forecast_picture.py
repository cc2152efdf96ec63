"""A chart of a drive's forecast: the expected donations with their range, and the goal."""

from dataclasses import dataclass

from drives.domain import chart
from drives.domain.forecast import DonationRange


@dataclass(frozen=True)
class ForecastPicture:
    expected_width: str
    low_x: str
    high_x: str
    goal_x: str  # empty without a goal
    is_goal_right: bool  # the goal is in the right half, so its label is to the left of its line
    ticks: list[tuple[str, int]]
    start_x: str


def draw_forecast(expected: int, span: DonationRange, goal: int | None) -> ForecastPicture:
    ticks = chart.choose_ticks(max(span.high, goal or 0))
    highest = ticks[-1]
    return ForecastPicture(
        expected_width=chart.format_width(expected / highest),
        low_x=chart.format_x(span.low / highest),
        high_x=chart.format_x(span.high / highest),
        goal_x=chart.format_x(goal / highest) if goal else "",
        is_goal_right=(goal or 0) > highest / 2,
        ticks=[(chart.format_x(value / highest), value) for value in ticks],
        start_x=chart.format_x(0),
    )
