"""Round numbers and positions on the axes of a chart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drives.domain import chart


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (0, [0, 1]),
        (1, [0, 1]),
        (5, [0, 1, 2, 3, 4, 5]),
        (6, [0, 2, 4, 6]),
        (10, [0, 2, 4, 6, 8, 10]),
        (11, [0, 5, 10, 15]),
        (26, [0, 10, 20, 30]),
        (51, [0, 20, 40, 60]),
        (101, [0, 50, 100, 150]),
    ],
)
def test_ticks_are_round_numbers(highest: int, ticks: list[int]) -> None:
    assert chart.choose_ticks(highest) == ticks


@given(st.floats(0, 1_000_000))
def test_ticks_are_few_and_reach_the_highest_value(highest: float) -> None:
    ticks = chart.choose_ticks(highest)
    assert ticks[-2] < max(highest, 1) <= ticks[-1]
    assert 2 <= len(ticks) <= chart.MAX_TICKS


def test_positions_are_written_alike_in_every_language() -> None:
    assert [chart.format_x(share) for share in (0, 0.5, 1)] == ["9.00%", "54.50%", "100.00%"]
    assert chart.format_width(0.25) == "22.75%"
    assert [chart.format_y(value, 4, 20, 100) for value in (0, 1, 4)] == ["120.0", "95.0", "20.0"]
