from django.db import models

from notifications.models.message import Message
from notifications.models.sender import Sender


class InboundMessage(models.Model):
    """A text that a donor sent to one of our senders."""

    sender = models.ForeignKey(Sender, on_delete=models.CASCADE, related_name="inbound_messages", null=True)
    provider_id = models.CharField(max_length=64)
    address = models.CharField(max_length=254)
    text = models.TextField()
    media_count = models.PositiveSmallIntegerField(default=0)  # pictures and other files, which we do not download
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    # First a `opt_out_words.ReplyMeaning`; then confirm, cancel, asked, too_late, refused, unclear, other or failed.
    handled_as = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider_id"], name="one_inbound_message_per_provider_id")]
        # queries.list_unhandled_replies reads the new ones in order.
        indexes = [
            models.Index(fields=["id"], condition=models.Q(handled_at__isnull=True), name="inbound_not_handled"),
            # All texts from one number, for the conversation page.
            models.Index(fields=["address", "-received_at"], name="inbound_of_address"),
            # erasure.purge_old_texts.
            models.Index(
                fields=["received_at"],
                condition=models.Q(handled_at__isnull=False) & ~models.Q(address=""),
                name="inbound_not_blanked",
            ),
        ]

    def __str__(self) -> str:
        return self.provider_id


class Report(models.Model):
    """A provider's status report. `message` is empty while we do not know which message the report is about."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, null=True, blank=True, related_name="reports")
    provider_id = models.CharField(max_length=64)
    status = models.CharField(max_length=20)
    error_code = models.CharField(max_length=40, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        # reports.adopt_orphan_reports: reports that came before we knew the provider's id of the message.
        indexes = [
            models.Index(
                fields=["received_at"], condition=models.Q(message__isnull=True), name="report_without_message"
            ),
            # Matches a report that arrived early to its message.
            models.Index(fields=["provider_id"], name="report_provider_id"),
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.status}"
