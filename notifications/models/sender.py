from django.db import models

from organizations.models import Organization


class Sender(models.Model):
    """A number or messaging service that sends texts for one or more organizations."""

    name = models.CharField(max_length=80)
    number = models.CharField(max_length=20, blank=True)  # E.164
    messaging_service = models.CharField(max_length=40, blank=True)
    is_default = models.BooleanField(default=False)  # for organizations without a sender of their own
    organizations = models.ManyToManyField(Organization, related_name="senders")
    # Carrier limits for a registered number: AT&T's low-volume class per minute, T-Mobile's per day. 0 means no limit.
    per_minute = models.PositiveIntegerField(default=75)
    per_day = models.PositiveIntegerField(default=2000)
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_reason = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(number="") | ~models.Q(messaging_service=""), name="sender_has_an_address"
            ),
            # The sender of an inbound text is found by the number that the text was sent to.
            models.UniqueConstraint(fields=["number"], condition=~models.Q(number=""), name="one_sender_per_number"),
            models.UniqueConstraint(
                fields=["messaging_service"],
                condition=~models.Q(messaging_service=""),
                name="one_sender_per_messaging_service",
            ),
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="one_default_sender"
            ),
        ]

    def __str__(self) -> str:
        return self.name
