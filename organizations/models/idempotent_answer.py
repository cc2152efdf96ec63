"""Answers kept for 24 hours so that a repeated request is answered alike."""

from django.db import models


class IdempotentAnswer(models.Model):
    """The 2xx answer of one request, by scope and hash of its Idempotency-Key."""

    scope = models.CharField(max_length=60)
    key_hash = models.CharField(max_length=64)
    body_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    created_at = models.DateTimeField(db_index=True)  # the nightly purge deletes the oldest

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key_hash"], name="one_answer_per_scope_and_key")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key_hash[:8]}"
