"""Forecast donations from bookings, and compute how many bookings a goal needs. Pure arithmetic."""

import math
from dataclasses import dataclass
from fractions import Fraction

from drives.domain import rules


@dataclass(frozen=True)
class DonationRate:
    """The share of bookings that lead to a donation, either observed or from the planning rule.

    `booked` leaves out bookings that were cancelled early.
    """

    donated: int
    booked: int
    is_observed: bool

    @property
    def percent(self) -> int:
        return round(100 * self.share)

    @property
    def share(self) -> Fraction:
        return Fraction(self.donated, self.booked)


PLANNING_RATE = DonationRate(donated=rules.PLANNED_DONATIONS, booked=rules.PLANNED_BOOKINGS, is_observed=False)
"""The American Red Cross's planning rule: 60 bookings lead to 40 donations."""


def compute_donation_rate(donated: int, booked: int) -> DonationRate:
    if booked < rules.MIN_BOOKINGS_FOR_OWN_RATE or donated < 1:
        return PLANNING_RATE
    return DonationRate(min(donated, booked), booked, is_observed=True)


def compute_expected_donations(donated: int, open_bookings: int, rate: DonationRate) -> int:
    # Round half up.
    return donated + math.floor(open_bookings * rate.share + Fraction(1, 2))


def compute_bookings_needed(goal: int, expected: int, rate: DonationRate) -> int:
    return max(0, math.ceil((goal - expected) / rate.share))
