from django.db import models

from notifications.models.message import Channel


class InboxItem(models.Model):
    """A message that the demo shows at /demo/inbox/ instead of sending it."""

    channel = models.CharField(max_length=8, choices=Channel)
    sender = models.CharField(max_length=254)
    to = models.CharField(max_length=254)
    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    html = models.TextField(blank=True)
    calendar = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        # The inbox page filters by the address.
        indexes = [models.Index(fields=["to"], name="inbox_item_to")]

    def __str__(self) -> str:
        return f"{self.channel} {self.pk}"


class Heartbeat(models.Model):
    """When a periodic job last ran, or when a problem such as an untrusted proxy last occurred."""

    name = models.CharField(max_length=40)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name"], name="one_heartbeat_per_name")]

    def __str__(self) -> str:
        return self.name
