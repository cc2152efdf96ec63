"""Rate-limit usage and circuit breakers, kept in the database so that all workers share them."""

from django.db import models


class Allowance(models.Model):
    """How much of a rate limit and a daily budget a sender or an organization has used.

    A worker locks the row while it admits messages.
    """

    subject = models.CharField(max_length=40)  # "sender:5", "organization:3", "line:<sender>:<organization>:<priority>"
    # For a sender, see `pace.AllowanceUse`. For a "line:" subject, the time of its last message.
    paced_until = models.DateTimeField(null=True, blank=True)
    last_turn_at = models.DateTimeField(null=True, blank=True)  # when a deferred message was last let through
    day = models.DateField(null=True, blank=True)
    spent = models.PositiveIntegerField(default=0)  # messages sent on `day`

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject"], name="one_allowance_per_subject")]

    def __str__(self) -> str:
        return self.subject


class RefusalRun(models.Model):
    """How many texts of a sender, or e-mails, were permanently refused in a row. A success deletes the row."""

    subject = models.CharField(max_length=40, unique=True)  # as in `Breaker`
    refusals = models.PositiveIntegerField(default=0)
    first_at = models.DateTimeField()
    reason = models.CharField(max_length=100)  # the code of the last refusal

    def __str__(self) -> str:
        return f"{self.subject}: {self.refusals} refusals"


class Breaker(models.Model):
    """Consecutive failures to send through a sender or the mail server.

    While a breaker is open, only an occasional message is sent, as a probe.
    """

    subject = models.CharField(max_length=40)  # "sender:5", "email"
    failures = models.PositiveIntegerField(default=0)
    trips = models.PositiveSmallIntegerField(default=0)  # consecutive openings; each one lasts longer
    opened_at = models.DateTimeField(null=True, blank=True)
    open_until = models.DateTimeField(null=True, blank=True)  # when the next probe is due; null while closed
    probing = models.BooleanField(default=False)  # a probe is in flight; `open_until` is its time limit

    class Meta:
        constraints = [models.UniqueConstraint(fields=["subject"], name="one_breaker_per_subject")]

    def __str__(self) -> str:
        return f"{self.subject}: {self.failures} failures"
