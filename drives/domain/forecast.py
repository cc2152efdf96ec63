"""How many donations a number of bookings will give, and how many bookings a goal needs. Pure arithmetic."""

import math
from dataclasses import dataclass
from fractions import Fraction

ENOUGH_BOOKINGS = 20  # fewer of one's own say less than the rule


@dataclass(frozen=True)
class GiveRate:
    """Of `booked` people who did not cancel early, `donated` gave: one's own figures, or the planning rule."""

    donated: int
    booked: int
    observed: bool

    @property
    def of_hundred(self) -> int:
        return round(100 * self.share)

    @property
    def share(self) -> Fraction:
        return Fraction(self.donated, self.booked)


PLANNING_RULE = GiveRate(donated=40, booked=60, observed=False)
"""The American Red Cross plans with it: sixty booked give forty donations."""


def give_rate(donated: int, booked: int) -> GiveRate:
    """Return the organization's own rate once it rests on enough bookings, before that the planning rule."""
    if booked < ENOUGH_BOOKINGS or donated < 1:
        return PLANNING_RULE
    return GiveRate(min(donated, booked), booked, observed=True)


def expected_donations(donated: int, still_expected: int, rate: GiveRate) -> int:
    """Return what a drive will give: what it gave, and the usual share of those who have not finished."""
    return donated + math.floor(still_expected * rate.share + Fraction(1, 2))


def bookings_needed(goal: int, expected: int, rate: GiveRate) -> int:
    """Return how many more bookings the goal takes."""
    return max(0, math.ceil((goal - expected) / rate.share))
