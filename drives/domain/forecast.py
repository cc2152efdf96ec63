"""Forecast donations from bookings, and compute how many bookings a goal needs. Pure arithmetic."""

import math
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist

from drives.domain import rules


@dataclass(frozen=True)
class DonationRate:
    """The share of bookings that lead to a donation, observed or from the planning rule.

    `booked` excludes bookings that were cancelled early.
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


@dataclass(frozen=True)
class DonationRange:
    low: int
    high: int


def compute_donation_rate(donated: int, booked: int) -> DonationRate:
    if booked < rules.MIN_BOOKINGS_FOR_OWN_RATE or donated < 1:
        return PLANNING_RATE
    return DonationRate(min(donated, booked), booked, is_observed=True)


def compute_expected_donations(donated: int, open_bookings: int, rate: DonationRate) -> int:
    # Adding 1/2 before rounding down rounds halves up, unlike `round`.
    return donated + math.floor(open_bookings * rate.share + Fraction(1, 2))


def compute_donation_range(donated: int, open_bookings: int, rate: DonationRate) -> DonationRange:
    """Return a range that contains the result of such a drive with a probability of `FORECAST_RANGE_PERCENT` percent.

    The variance has two parts: chance, because each booking may or may not lead to a donation, and the uncertainty of
    the rate, which comes from a limited number of bookings. The normal distribution approximates both. The planning
    rule counts as a rate from 60 bookings.
    """
    share = float(rate.share)
    variance = open_bookings * share * (1 - share) * (1 + open_bookings / rate.booked)
    margin = NormalDist().inv_cdf((1 + rules.FORECAST_RANGE_PERCENT / 100) / 2) * math.sqrt(variance)
    expected = open_bookings * share
    return DonationRange(
        donated + max(0, math.floor(expected - margin)), donated + min(open_bookings, math.ceil(expected + margin))
    )


def compute_bookings_needed(goal: int, expected: int, rate: DonationRate) -> int:
    return max(0, math.ceil((goal - expected) / rate.share))


def compute_highest_goal(bookings: int, rate: DonationRate) -> int:
    """Return the highest goal that `bookings` bookings are expected to reach."""
    return math.floor(bookings * rate.share)
