from django.db import models


class DatabaseMarker(models.Model):
    """The identity of the database that wrote this row. A restored copy has another identity than its row says.

    The table has one row.
    """

    marker = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.marker
