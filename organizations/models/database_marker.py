from django.db import models


class DatabaseMarker(models.Model):
    """The identity of the database in which this row was written. In a restored copy, it differs from the copy's own.

    The table has one row.
    """

    marker = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.marker
