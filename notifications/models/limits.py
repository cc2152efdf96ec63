"""What was used of a limit, and which way out is broken: rows, so that every worker sees the same."""

from django.db import models


class Allowance(models.Model):
    """What a sender or an organization has used of its pace and its day; locked while a gate spends of it."""

    subject = models.CharField(max_length=40, unique=True)  # "sender:5", "organization:3", "line:5:3:1"
    # What left would have taken until then, evenly spread; of a line when one of it left last.
    paced_until = models.DateTimeField(null=True, blank=True)
    last_turn_at = models.DateTimeField(null=True, blank=True)  # the last turn that was given to what waits
    day = models.DateField(null=True, blank=True)
    spent = models.PositiveIntegerField(default=0)  # on that day

    def __str__(self) -> str:
        return self.subject


class Breaker(models.Model):
    """Failures in a row of a way out. While it is open nothing leaves that way, but for one message at times."""

    subject = models.CharField(max_length=40, unique=True)  # "sender:5", "email"
    failures = models.PositiveIntegerField(default=0)
    trips = models.PositiveSmallIntegerField(default=0)  # openings in a row: each waits longer
    opened_at = models.DateTimeField(null=True, blank=True)
    open_until = models.DateTimeField(null=True, blank=True)  # the next try; null while the way is clear
    probing = models.BooleanField(default=False)  # the try is on its way, and `open_until` its patience

    def __str__(self) -> str:
        return f"{self.subject}: {self.failures} failures"
