from django.db import models


class DatabaseMarker(models.Model):
    """The identity of the database that wrote this row, the only one of the table.

    In a restored copy, the row does not match the copy's own identity.
    """

    marker = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()
    # A restored copy's own identity, and when a process first started on it. Empty once the copy is accepted.
    copy_marker = models.CharField(max_length=80, blank=True)
    copy_seen_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.marker
