from django.db import models

from notifications.models.message import Channel


class InboxItem(models.Model):
    """A demo message. It is shown at /demo/inbox/ instead of being sent."""

    channel = models.CharField(max_length=8, choices=Channel)
    sender = models.CharField(max_length=254)
    to = models.CharField(max_length=254, db_index=True)  # the inbox page filters by it
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    calendar = models.TextField(blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"


class Heartbeat(models.Model):
    """The last run of a periodic job. /readyz reads it."""

    name = models.CharField(max_length=40, unique=True)
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
