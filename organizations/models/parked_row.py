from django.db import models


class ParkedRow(models.Model):
    """A row that failed in a sweep. The sweep skips it until `retry_at`. A later success deletes this record."""

    sweep = models.CharField(max_length=40)
    row = models.BigIntegerField()
    error = models.CharField(max_length=80)  # the name of the error's class, never its text
    failures = models.PositiveIntegerField(default=1)
    retry_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sweep", "row"], name="one_parked_row_per_sweep_and_row")]

    def __str__(self) -> str:
        return f"{self.sweep}: {self.row}"
