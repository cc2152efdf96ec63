"""Used limits and circuit breakers: rows, so that all workers share them."""

from django.db import models


class Allowance(models.Model):
    """What a sender or an organization has used of its pace and daily budget. Locked while messages are admitted."""

    subject = models.CharField(max_length=40, unique=True)  # "sender:5", "organization:3", "line:5:3:1"
    # Of a sender: see `pace.AllowanceUse`. Of a "line:" subject: when one of its messages last left.
    paced_until = models.DateTimeField(null=True, blank=True)
    last_turn_at = models.DateTimeField(null=True, blank=True)  # the last turn given to a deferred message
    day = models.DateField(null=True, blank=True)
    spent = models.PositiveIntegerField(default=0)  # on that day

    def __str__(self) -> str:
        return self.subject


class Breaker(models.Model):
    """Consecutive failures of a sender or of the mail server. While open, only a probe message leaves now and then."""

    subject = models.CharField(max_length=40, unique=True)  # "sender:5", "email"
    failures = models.PositiveIntegerField(default=0)
    trips = models.PositiveSmallIntegerField(default=0)  # openings in a row: each waits longer
    opened_at = models.DateTimeField(null=True, blank=True)
    open_until = models.DateTimeField(null=True, blank=True)  # when the next probe is due; null while closed
    probing = models.BooleanField(default=False)  # a probe is in flight; `open_until` is its time limit

    def __str__(self) -> str:
        return f"{self.subject}: {self.failures} failures"
