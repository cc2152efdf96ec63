from django.db import models


class LimitCounter(models.Model):
    """The count for a scope and subject in a window. An upsert raises the count without reading it first."""

    scope = models.CharField(max_length=30)
    subject = models.CharField(max_length=64)  # a keyed hash of a contact or network, or an organization's id
    window_start = models.DateTimeField(db_index=True)  # the hourly purge deletes by it
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "subject", "window_start"], name="one_counter_per_window")
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.count}"
