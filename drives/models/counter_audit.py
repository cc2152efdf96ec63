from django.db import models


class CounterAudit(models.Model):
    """The result of the last audit of the slot counters, in a single row. Probes read it, because counting is slow."""

    audited_at = models.DateTimeField()
    drifted_slots = models.PositiveIntegerField()
    booking_counts = models.JSONField(default=dict)  # number of bookings at the audited drives, by state

    def __str__(self) -> str:
        return f"audit of {self.audited_at:%Y-%m-%d %H:%M}"
