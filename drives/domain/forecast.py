"""How many donations a number of bookings will give, and how many bookings a goal needs. Pure arithmetic."""

import math
from dataclasses import dataclass
from fractions import Fraction

MIN_BOOKINGS_FOR_OWN_RATE = 20  # fewer of one's own say less than the rule


@dataclass(frozen=True)
class DonationRate:
    """Of `booked` people who did not cancel early, `donated` gave: one's own figures, or the planning rule."""

    donated: int
    booked: int
    is_observed: bool

    @property
    def percent(self) -> int:
        return round(100 * self.share)

    @property
    def share(self) -> Fraction:
        return Fraction(self.donated, self.booked)


PLANNING_RATE = DonationRate(donated=40, booked=60, is_observed=False)
"""The American Red Cross plans with it: sixty booked give forty donations."""


def compute_donation_rate(donated: int, booked: int) -> DonationRate:
    """Return the organization's own rate once it rests on enough bookings, before that the planning rule."""
    if booked < MIN_BOOKINGS_FOR_OWN_RATE or donated < 1:
        return PLANNING_RATE
    return DonationRate(min(donated, booked), booked, is_observed=True)


def compute_expected_donations(donated: int, open_bookings: int, rate: DonationRate) -> int:
    """Return what a drive will give: what it gave, and the usual share of those who have not finished."""
    return donated + math.floor(open_bookings * rate.share + Fraction(1, 2))


def compute_bookings_needed(goal: int, expected: int, rate: DonationRate) -> int:
    """Return how many more bookings the goal takes."""
    return max(0, math.ceil((goal - expected) / rate.share))
