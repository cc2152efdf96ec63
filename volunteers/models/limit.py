"""Atomic counters behind the limits that guard money and people."""

from django.db import models


class LimitCounter(models.Model):
    """How often something happened in one window of time. Raised by one conditional upsert, never read first."""

    scope = models.CharField(max_length=30)
    subject = models.CharField(max_length=64)  # a hash: of a phone, an address, an organization's id
    window_start = models.DateTimeField(db_index=True)  # the nightly purge
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "subject", "window_start"], name="one_counter_per_window")
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.count}"
