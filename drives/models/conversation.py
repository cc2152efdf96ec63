"""What donors wrote that somebody has to read, beside what they were told."""

from django.db import models
from django.db.models import Q

from notifications.models import InboundMessage
from organizations.models import Organization


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def of(self, organization: Organization) -> "ConversationQuerySet":
        return self.filter(organization=organization)

    def waiting(self) -> "ConversationQuerySet":
        """Those in which somebody waits for an answer."""
        return self.filter(waiting_since__isnull=False)


class Conversation(models.Model):
    """All that one phone number and one organization wrote to each other."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="conversations")
    address = models.CharField(max_length=254)
    last_text_at = models.DateTimeField()  # the donor's last text
    asked_at = models.DateTimeField(null=True, blank=True)  # the last one that no rule could answer
    waiting_since = models.DateTimeField(null=True, blank=True)  # the first one since the last answer
    may_mean_cancel = models.BooleanField(default=False)  # of the texts that wait
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=60, blank=True)  # who answered or said that there is nothing to do

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "address"], name="one_conversation_per_organization_and_address"
            )
        ]
        indexes = [
            # The count on every page, and those that wait longest.
            models.Index(
                fields=["organization", "waiting_since"],
                condition=Q(waiting_since__isnull=False),
                name="conversation_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"conversation {self.pk}"

    @property
    def about(self) -> str:
        """How the answers name this conversation."""
        return f"conversation:{self.pk}"


class ConversationText(models.Model):
    """A donor's text in a conversation; on a shared sender it may stand in those of several organizations."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="texts")
    reply = models.ForeignKey(InboundMessage, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "reply"], name="one_line_per_conversation_and_reply")
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}: {self.reply_id}"
