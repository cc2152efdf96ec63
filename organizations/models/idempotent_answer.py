"""Stored responses to requests with an Idempotency-Key."""

from django.db import models


class IdempotentAnswer(models.Model):
    """The response to one request, stored for 24 hours."""

    scope = models.CharField(max_length=60)
    key_hash = models.CharField(max_length=64)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField(db_index=True)  # the hourly purge deletes by it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key_hash"], name="one_answer_per_scope_and_key")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key_hash[:8]}"
