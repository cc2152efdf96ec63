"""Compare a plan's goal with the visits that fit into its hours."""

from dataclasses import dataclass

from drives.booking import donation_rate
from drives.domain import forecast
from drives.domain.plan_preview import Preview
from organizations.models import Organization


@dataclass(frozen=True)
class GoalFit:
    goal: int
    bookings: int  # that the goal takes at the organization's donation rate
    preview: Preview

    @property
    def is_too_high(self) -> bool:
        return self.bookings > self.preview.return_visits

    @property
    def needs_return_visits(self) -> bool:
        """Return whether the bookings would not fit if all of them were first visits."""
        return self.bookings > self.preview.first_visits


def load_goal_fit(organization: Organization, goal: int | None, preview: Preview) -> GoalFit | None:
    """Return None for a plan without a goal. At most two queries."""
    if not goal:
        return None
    rate = donation_rate.load_donation_rate(organization)
    return GoalFit(goal, forecast.compute_bookings_needed(goal, 0, rate), preview)
