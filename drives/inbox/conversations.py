"""Manage conversations: add donors' texts, send answers, and close them."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.booking import changes
from drives.inbox import queries
from drives.messaging.texts import broadcast_texts
from drives.models import Booking, CancelledBy, Conversation, ConversationText
from notifications import envelopes, kinds, outbox
from notifications import queries as notifications_queries
from notifications.envelopes import Addressee
from notifications.message_content import RenderedMessage
from notifications.models import Channel, InboundMessage, Message, Purpose
from organizations import audit
from organizations.models import Organization
from volunteers.models import Contact


@transaction.atomic(savepoint=False)
def file_reply(
    *, reply: InboundMessage, organization: Organization | None, needs_a_person: bool, may_mean_cancel: bool
) -> list[Conversation]:
    """Add a donor's text to its conversations. Adding the same text again changes nothing.

    With `organization`, the text is added for that organization only. Otherwise, it is added for the first of these
    that exists:
    - the organization that texted the number last
    - all organizations that know the number
    - the sender's organization, if it has only one

    Locks: the conversation.
    """
    organizations = [organization] if organization else _list_organizations(reply)
    filed_in = [_lock_or_create(one, reply) for one in sorted(organizations, key=lambda one: one.pk)]
    for conversation in filed_in:
        _add_reply(conversation, reply, needs_a_person=needs_a_person, may_mean_cancel=may_mean_cancel)
    return filed_in


@transaction.atomic
def send_answer(*, conversation_id: int, text: str, request_key: str, actor: str, now: datetime) -> Message:
    """Text a coordinator's answer to the donor. Repeated calls with the same `request_key` send it only once.

    No consent is needed within a day of the donor's text (docs/decisions). After that, the donor must have consented to
    reminders. This is checked again when the text is sent. Refuses (field "text") a text that cannot be sent, and a
    number that opted out. Locks: the conversation.
    """
    conversation = _lock_conversation(conversation_id)
    answer_permission = queries.load_answer_permission(conversation, now)
    if not answer_permission.is_allowed:
        raise ValidationError({"text": ValidationError(answer_permission.reason, code=answer_permission.code)})
    wording = broadcast_texts.render_answer(conversation.organization, text)
    (envelope,) = envelopes.build_envelopes(
        kinds.ANSWER,
        Addressee([(Channel.SMS, conversation.address)]),
        key=f"{conversation.about}/{kinds.ANSWER.name}/{request_key}",
        about=conversation.about,
        due_at=now,
        consent=Purpose.REMINDERS if answer_permission.needs_consent else "",
    )
    if outbox.queue_messages(
        organization=conversation.organization, messages=[RenderedMessage(envelope, wording)], now=now
    ):
        about, organization = conversation.about, conversation.organization
        audit.add_audit_entry(organization=organization, actor=actor, verb="reply.answered", about=about, now=now)
        _close(conversation, actor, now)
    return Message.objects.get(key=envelope.key)


@transaction.atomic(savepoint=False)
def close_conversation(*, conversation_id: int, actor: str, now: datetime) -> Conversation:
    """Close a conversation without an answer. The donor's next text reopens it. Locks: the conversation."""
    conversation = _lock_conversation(conversation_id)
    if conversation.waiting_since is not None:
        _close(conversation, actor, now)
    return conversation


@transaction.atomic
def cancel_requested_booking(*, conversation_id: int, booking_id: int, actor: str, now: datetime) -> Booking:
    """Cancel a booking that the donor asked us by text to cancel. It counts as the donor's own cancellation."""
    [booking] = changes.cancel_bookings(
        # As DONOR, so that the donor can undo the cancellation.
        booking_id=booking_id,
        actor=actor,
        cancelled_by=CancelledBy.DONOR,
        now=now,
        reason=_("asked for this by text"),
    )
    close_conversation(conversation_id=conversation_id, actor=actor, now=now)
    return booking


def _list_organizations(reply: InboundMessage) -> list[Organization]:
    newest = notifications_queries.find_newest_text(reply)
    if newest is not None and newest.organization:
        return [newest.organization]
    if reply.sender is None:
        return []
    ours = notifications_queries.filter_organizations_of_sender(reply.sender)
    known_to = Contact.objects.filter(address=reply.address, organization__in=ours).values("organization")
    organizations = list(Organization.objects.filter(pk__in=known_to))
    if organizations:
        return organizations
    first_two = list(ours.order_by("pk")[:2])
    return first_two if len(first_two) == 1 else []


def _lock_or_create(organization: Organization, reply: InboundMessage) -> Conversation:
    fresh = Conversation(organization=organization, address=reply.address, last_text_at=reply.received_at)
    Conversation.objects.bulk_create([fresh], ignore_conflicts=True)
    rows = Conversation.objects.of(organization).filter(address=reply.address)
    return rows.select_for_update(no_key=True, of=("self",)).get()


def _add_reply(
    conversation: Conversation, reply: InboundMessage, *, needs_a_person: bool, may_mean_cancel: bool
) -> None:
    _text, is_new = ConversationText.objects.get_or_create(conversation=conversation, reply=reply)
    if not is_new:
        return
    at = reply.received_at
    conversation.last_text_at = max(conversation.last_text_at, at)
    if needs_a_person:
        conversation.asked_at = max(conversation.asked_at or at, at)
        conversation.waiting_since = conversation.waiting_since or at
        conversation.may_mean_cancel = conversation.may_mean_cancel or may_mean_cancel
    conversation.save(update_fields=["last_text_at", "asked_at", "waiting_since", "may_mean_cancel"])


def _lock_conversation(conversation_id: int) -> Conversation:
    rows = Conversation.objects.select_related("organization").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=conversation_id)


def _close(conversation: Conversation, actor: str, now: datetime) -> None:
    conversation.waiting_since, conversation.may_mean_cancel = None, False
    conversation.closed_at, conversation.closed_by = now, actor
    conversation.save(update_fields=["waiting_since", "may_mean_cancel", "closed_at", "closed_by"])
