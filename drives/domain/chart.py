"""Compute positions in a chart. Pure arithmetic.

Widths are percentages, because a chart is as wide as its box on any screen. Heights are pixels. Positions are strings,
because a template would format numbers in the page's language.
"""

from itertools import count
from math import ceil

PLOT_START = 9  # percent of the width, to leave room for the labels of the vertical axis
MAX_TICKS = 6


def format_x(share: float, start: int = PLOT_START) -> str:
    """Return the position at this share of the horizontal axis. The axis starts at `start` percent."""
    return f"{start + (100 - start) * share:.2f}%"


def format_width(share: float, start: int = PLOT_START) -> str:
    return f"{(100 - start) * share:.2f}%"


def format_y(value: float, highest: int, top: int, height: int) -> str:
    return f"{top + height * (1 - value / highest):.1f}"


def choose_ticks(highest: float) -> list[int]:
    """Return evenly spaced round numbers, from 0 up to at least `highest`.

    The spacing is 1, 2, 5, 10, 20, 50 and so on.
    """
    steps = (factor * 10**power for power in count() for factor in (1, 2, 5))
    step = next(step for step in steps if highest <= step * (MAX_TICKS - 1))
    return list(range(0, max(1, ceil(highest / step)) * step + 1, step))
