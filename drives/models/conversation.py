from django.db import models
from django.db.models import Q

from notifications.models import InboundMessage
from organizations.models import Organization


class ConversationQuerySet(models.QuerySet["Conversation"]):
    def of(self, organization: Organization) -> "ConversationQuerySet":
        return self.filter(organization=organization)

    def awaiting_reply(self) -> "ConversationQuerySet":
        return self.filter(unanswered_since__isnull=False)


class Conversation(models.Model):
    """All texts between one phone number and one organization."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="conversations", db_index=False
    )
    address = models.CharField(max_length=254)
    last_text_at = models.DateTimeField()  # time of the donor's last text
    asked_at = models.DateTimeField(null=True, blank=True)  # time of the last text that a coordinator must read
    unanswered_since = models.DateTimeField(null=True, blank=True)  # time of the first unanswered text
    may_mean_cancel = models.BooleanField(default=False)  # an unanswered text may mean that the donor cannot come
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=60, blank=True)  # the actor that answered or closed the conversation

    objects = ConversationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "address"], name="one_conversation_per_organization_and_address"
            )
        ]
        indexes = [
            # The number on every coordinator's page, and the inbox ordered by waiting time.
            models.Index(
                fields=["organization", "unanswered_since"],
                condition=Q(unanswered_since__isnull=False),
                name="conversation_unanswered",
            )
        ]

    def __str__(self) -> str:
        return f"conversation {self.pk}"

    @property
    def about(self) -> str:
        return f"conversation:{self.pk}"


class ConversationText(models.Model):
    """A donor's text in a conversation.

    If several organizations use the same sender, each may have the text in its own conversation.
    """

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="texts", db_index=False)
    reply = models.ForeignKey(InboundMessage, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["conversation", "reply"], name="one_text_per_conversation_and_reply")
        ]

    def __str__(self) -> str:
        return f"{self.conversation_id}: {self.reply_id}"
