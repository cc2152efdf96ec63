from django.db import models


class DatabaseMarker(models.Model):
    """The database that contains these tables. A restored copy is in another one.

    It has one row.
    """

    marker = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.marker
