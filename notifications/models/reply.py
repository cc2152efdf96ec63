"""What comes back: texts from donors and the provider's reports."""

from django.db import models

from notifications.models.message import Message
from notifications.models.sender import Sender


class InboundMessage(models.Model):
    """A text that somebody sent to one of our senders. Handled once, by a sweep."""

    sender = models.ForeignKey(Sender, on_delete=models.CASCADE, related_name="inbound_messages", null=True)
    provider_id = models.CharField(max_length=64, unique=True)
    address = models.CharField(max_length=254)
    text = models.TextField()
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    # notifications.rules.ReplyMeaning at once; then confirm, cancel, too_late, refused, unclear, other, failed
    handled_as = models.CharField(max_length=20, blank=True)

    class Meta:
        # drives.tasks.answer_replies takes the new ones in order.
        indexes = [
            models.Index(fields=["id"], condition=models.Q(handled_at__isnull=True), name="inbound_not_handled"),
            # Everything that one address wrote, for the page on which it is answered.
            models.Index(fields=["address", "-received_at"], name="inbound_of_address"),
        ]

    def __str__(self) -> str:
        return self.provider_id


class Report(models.Model):
    """A status report of the provider, kept as it came: also those of messages that we do not know (yet)."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, blank=True, related_name="reports")
    provider_id = models.CharField(max_length=64, db_index=True)  # an early report is adopted by it later
    status = models.CharField(max_length=20)
    error_code = models.CharField(max_length=40, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        # reconciliation.adopt: reports whose message was not known when they came.
        indexes = [
            models.Index(
                fields=["received_at"], condition=models.Q(message__isnull=True), name="report_without_message"
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.status}"
