"""The outbox, with one row for each recipient and channel."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.models.consent import Purpose
from notifications.models.sender import Sender
from organizations.models import Organization


class Channel(models.TextChoices):
    SMS = "sms", _("Text message")
    EMAIL = "email", _("E-mail")


class MessageState(models.TextChoices):
    SCHEDULED = "scheduled", _("scheduled")  # kind, subject and due time are known; the text is rendered later
    QUEUED = "queued", _("waiting to be sent")
    CLAIMED = "claimed", _("being sent")
    SENDING = "sending", _("being sent")  # admitted by `claim.admit_messages`; the provider may have it
    ACCEPTED = "accepted", _("handed to the provider")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    UNDELIVERED = "undelivered", _("not delivered")
    FAILED = "failed", _("failed")
    IN_DOUBT = "in_doubt", _("being checked")
    WITHDRAWN = "withdrawn", _("no longer needed")
    EXPIRED = "expired", _("not sent in time")
    BLOCKED = "blocked", _("not sent")  # `reason` says why, such as opted_out or no_consent


UNSENT_STATES = (MessageState.SCHEDULED, MessageState.QUEUED, MessageState.CLAIMED)
"""States of a message that is not sent yet and may still be withdrawn."""

RESUMABLE_REASONS = ("sender_stopped", "mailbox_refuses")
"""Reasons of blocked messages that leave when the sender is resumed, or the mailbox is tried again."""


class MessageQuerySet(models.QuerySet["Message"]):
    def of(self, organization: Organization) -> "MessageQuerySet":
        return self.filter(organization=organization)

    def unsent(self) -> "MessageQuerySet":
        return self.filter(state__in=UNSENT_STATES)


class Message(models.Model):
    """A text or e-mail for one recipient. A scheduled message has no text yet. Times are UTC."""

    # Null for account mail only, such as a coordinator's password reset.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="messages"
    )
    sender = models.ForeignKey(Sender, on_delete=models.SET_NULL, null=True, blank=True, related_name="messages")
    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=40)
    about = models.CharField(max_length=60)
    revision = models.PositiveIntegerField(default=0)
    recipient = models.CharField(max_length=60, blank=True)
    channel = models.CharField(max_length=8, choices=Channel)
    address = models.CharField(max_length=254)
    purpose = models.CharField(
        max_length=12, choices=Purpose, blank=True
    )  # the purpose that needs a consent; blank if none
    language = models.CharField(max_length=8, default="en")
    zone = models.CharField(max_length=64, default="UTC")  # the time zone of its quiet hours
    keeps_quiet_hours = models.BooleanField(default=False)

    subject = models.CharField(max_length=200, blank=True)
    text = models.TextField(blank=True)
    # What the carrier bills for a text, kept when the text is blanked. Null for an e-mail, and until it is rendered.
    segments = models.PositiveSmallIntegerField(null=True, blank=True)
    html = models.TextField(blank=True)
    calendar = models.TextField(blank=True)
    calendar_method = models.CharField(max_length=8, blank=True)
    unsubscribe_url = models.CharField(max_length=200, blank=True)

    state = models.CharField(max_length=12, choices=MessageState, default=MessageState.QUEUED)
    reason = models.CharField(max_length=60, blank=True)  # a stable code: why it was not sent
    priority = models.PositiveSmallIntegerField(default=0)  # from its kind; lower numbers are sent first
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    attempt_token = models.CharField(max_length=43, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    resends = models.PositiveSmallIntegerField(default=0)  # how often it was sent again because the result was unknown
    sending_at = models.DateTimeField(null=True, blank=True)  # when `claim.admit_messages` last admitted it
    check_at = models.DateTimeField(null=True, blank=True)  # when reconciliation looks at it next
    provider_id = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=MessageState.values), name="message_state_is_known"),
            models.CheckConstraint(condition=models.Q(channel__in=Channel.values), name="message_channel_is_known"),
            models.CheckConstraint(
                condition=models.Q(state__in=["scheduled", "withdrawn", "expired", "blocked"]) | ~models.Q(text=""),
                name="message_is_rendered_before_it_is_queued",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["claimed", "sending"]) | models.Q(lease_until__isnull=False),
                name="message_in_flight_has_a_lease",
            ),
        ]
        indexes = [
            # claim.CLAIM: the next due rows of each organization, by priority.
            models.Index(
                fields=["channel", "organization", "priority", "due_at", "id"],
                condition=models.Q(state="queued"),
                name="message_due_of_organization",
            ),
            # stuck_messages.list_overdue_messages: due rows.
            models.Index(fields=["due_at"], condition=models.Q(state="queued"), name="message_due"),
            # queries.lock_messages_to_render: scheduled messages that are nearly due.
            models.Index(fields=["due_at", "id"], condition=models.Q(state="scheduled"), name="message_scheduled"),
            # reconciliation: expired leases, and rows that are in doubt or waiting for a report.
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state__in=["claimed", "sending"]),
                name="message_in_flight",
            ),
            models.Index(fields=["check_at"], condition=models.Q(check_at__isnull=False), name="message_to_check"),
            # reconciliation.blank_old_codes.
            models.Index(
                fields=["expires_at"],
                condition=models.Q(kind="code") & ~models.Q(text="-"),
                name="message_unblanked_code",
            ),
            # queries.list_failed_texts: failed texts that an e-mail may replace.
            models.Index(
                fields=["settled_at"],
                condition=models.Q(channel="sms", state__in=["failed", "undelivered", "blocked", "expired"]),
                name="message_failed_text",
            ),
            # call_list: messages about bookings that did not arrive.
            models.Index(
                fields=["organization", "kind", "created_at"],
                condition=models.Q(state__in=["undelivered", "expired", "blocked", "failed", "withdrawn"]),
                name="message_not_arrived",
            ),
            # outbox.withdraw_messages, and the messages shown next to a booking.
            models.Index(fields=["about"], name="message_about"),
            # Status reports find their message by the provider's id or our attempt token.
            models.Index(fields=["provider_id"], condition=~models.Q(provider_id=""), name="message_provider_id"),
            models.Index(fields=["attempt_token"], condition=~models.Q(attempt_token=""), name="message_attempt"),
            # queries.find_prompt and find_newest_text: the last messages to a contact.
            models.Index(
                fields=["address", "-sending_at"],
                condition=models.Q(sending_at__isnull=False),
                name="message_sent_to_address",
            ),
            # queries.list_delivery_problems: the last texts of an organization.
            models.Index(
                fields=["organization", "-sending_at"],
                condition=models.Q(sending_at__isnull=False, channel="sms"),
                name="message_texts_of_organization",
            ),
            # consents.suppress_address: STOP withdraws the unsent messages to a contact.
            models.Index(
                fields=["address"],
                condition=models.Q(state__in=["scheduled", "queued", "claimed"]),
                name="message_unsent_by_address",
            ),
            # erasure.erase_messages: messages to a contact that were never sent and never will be.
            models.Index(
                fields=["address"],
                condition=models.Q(sending_at__isnull=True) & ~models.Q(state__in=["scheduled", "queued", "claimed"]),
                name="message_never_sent",
            ),
            # erasure.purge_old_texts: messages with a contact that will not be sent anymore.
            models.Index(
                fields=["created_at"],
                condition=~models.Q(address="")
                & ~models.Q(state__in=["scheduled", "queued", "claimed", "sending", "in_doubt"]),
                name="message_not_blanked",
            ),
            # outbox.readdress_messages, and the messages on a person's page.
            models.Index(fields=["recipient"], name="message_by_recipient"),
        ]

    def __str__(self) -> str:
        return self.key

    # Django's own methods translate the labels of all choices in each call, which slows down pages with many messages.
    def get_state_display(self) -> str:  # type: ignore[no-redef]
        return str(MessageState(self.state).label)

    def get_channel_display(self) -> str:  # type: ignore[no-redef]
        return str(Channel(self.channel).label)
