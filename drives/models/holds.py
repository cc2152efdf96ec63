"""The base class of bookings and waitlist entries, which may start as holds."""

from datetime import datetime
from typing import Generic, Self, TypeVar

from django.db import models

from drives.refusals import HoldLapsed
from organizations.models import LinkedModel
from volunteers.models import Registration

T = TypeVar("T", bound="AbstractHold")

HELD, LAPSED = "held", "lapsed"


class HoldQuerySet(models.QuerySet[T], Generic[T]):
    def held(self, now: datetime) -> Self:
        return self.filter(state=HELD, held_until__gt=now)

    def overdue(self, now: datetime) -> Self:
        """Return the holds that are past their deadline but have not lapsed yet."""
        return self.filter(state=HELD, held_until__lte=now)


class AbstractHold(LinkedModel):
    """A row that may start as a hold. A hold lapses if the donor does not verify the contact in time."""

    state: str
    registration: Registration | None
    held_until = models.DateTimeField(null=True, blank=True)
    is_extended = models.BooleanField(default=False)  # the donor has extended the hold, which is possible once

    class Meta:
        abstract = True

    def is_held(self, now: datetime) -> bool:
        return self.state == HELD and self.held_until is not None and self.held_until > now

    def is_overdue(self, now: datetime) -> bool:
        return self.state == HELD and not self.is_held(now)

    def refuse_lapsed(self, now: datetime) -> None:
        """Raise HoldLapsed if the hold is past its deadline, even if the sweep has not run yet."""
        if self.state == LAPSED or self.is_overdue(now):
            raise HoldLapsed

    def extend(self, until: datetime) -> None:
        self.held_until, self.is_extended = until, True

    def get_registration(self, now: datetime) -> Registration:
        """Return the donor's typed details. Raises HoldLapsed unless the row is still held."""
        if self.registration is None or not self.is_held(now):
            raise HoldLapsed
        return self.registration
