from django.db import models
from django.db.models import F, Q

from drives.models.drive import Drive


class Slot(models.Model):
    """A step of a drive's time grid. Donors can arrive in a step if a visit that starts there fits."""

    # The unique constraint on (drive, n) has an index.
    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, related_name="slots", db_index=False)
    n = models.PositiveSmallIntegerField()  # step number, from 0
    starts_at = models.DateTimeField()
    open = models.BooleanField(default=True)  # donors may choose this arrival time
    screening_limit = models.PositiveSmallIntegerField()
    screening_taken = models.PositiveSmallIntegerField(default=0)
    chairs_limit = models.PositiveSmallIntegerField()
    chairs_taken = models.PositiveSmallIntegerField(default=0)
    # Number of people above a limit, because of a plan edit or a walk-in. Online bookings never increase this number.
    over = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["drive", "n"], name="one_slot_per_drive_and_step"),
            models.CheckConstraint(
                condition=Q(screening_taken__gte=0, screening_taken__lte=F("screening_limit") + F("over")),
                name="screening_is_never_oversold",
            ),
            models.CheckConstraint(
                condition=Q(chairs_taken__gte=0, chairs_taken__lte=F("chairs_limit") + F("over")),
                name="chairs_are_never_oversold",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.drive_id}/{self.n}"
