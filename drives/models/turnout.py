from django.db import models

from drives.models.drive import Drive


class Turnout(models.Model):
    """A drive's turnout report. The close-out computes the report, and each later change recomputes it."""

    drive = models.OneToOneField(Drive, on_delete=models.CASCADE, related_name="turnout")
    computed_at = models.DateTimeField()
    final = models.BooleanField(default=False)
    goal_count = models.PositiveIntegerField(null=True)
    booked_count = models.PositiveIntegerField()  # all verified or entered bookings, except walk-ins
    confirmed_count = models.PositiveIntegerField()
    arrived_count = models.PositiveIntegerField()  # checked in, including walk-ins
    donated_count = models.PositiveIntegerField()
    incomplete_count = models.PositiveIntegerField()
    deferred_count = models.PositiveIntegerField()
    left_count = models.PositiveIntegerField()
    no_show_count = models.PositiveIntegerField()
    cancelled_early_count = models.PositiveIntegerField()
    cancelled_late_count = models.PositiveIntegerField()
    walk_in_count = models.PositiveIntegerField()
    first_visit_count = models.PositiveIntegerField()  # number of first visits among the arrivals
    unresolved_count = models.PositiveIntegerField()  # checked in without an outcome

    def __str__(self) -> str:
        return f"turnout of {self.drive_id}"

    @property
    def show_rate(self) -> float | None:
        """Return the arrivals as a share of the bookings, or None if there are no bookings.

        Cancelled bookings and walk-ins do not count.
        """
        expected = self.booked_count - self.cancelled_early_count - self.cancelled_late_count
        return (self.arrived_count - self.walk_in_count) / expected if expected > 0 else None
