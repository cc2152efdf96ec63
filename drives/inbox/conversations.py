"""Manage conversations: add donors' texts, send coordinators' answers, and close conversations."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.booking import changes
from drives.inbox import queries
from drives.messaging.texts import broadcast_texts
from drives.models import Booking, CancelledBy, Conversation, ConversationText
from notifications import envelopes, kinds, opt_outs, outbox
from notifications import queries as notifications_queries
from notifications.envelopes import Addressee
from notifications.message_content import RenderedMessage
from notifications.models import Channel, InboundMessage, Message, OptOutBasis, Purpose, Suppression
from organizations import audit
from organizations.models import Organization
from volunteers.models import Contact


@transaction.atomic(savepoint=False)
def file_reply(
    *, reply: InboundMessage, organization: Organization | None, needs_a_person: bool, may_mean_cancel: bool
) -> list[Conversation]:
    """Add a donor's text to the conversation with an organization. Return the conversations that got the text.

    If `organization` is given, only that organization gets the text. Otherwise, the first of these that exists:
    - the organization that texted the number last
    - all organizations that know the number
    - the organization that uses the sender, if there is only one

    Adding the same text again changes nothing. Locks: the conversations, by organization id.
    """
    organizations = [organization] if organization else _list_organizations(reply)
    filed_in = [_lock_or_create(one, reply) for one in sorted(organizations, key=lambda one: one.pk)]
    for conversation in filed_in:
        _add_reply(conversation, reply, needs_a_person=needs_a_person, may_mean_cancel=may_mean_cancel)
    return filed_in


@transaction.atomic
def send_answer(*, conversation_id: int, text: str, request_key: str, actor: str, now: datetime) -> Message:
    """Text a coordinator's answer to the donor. A second call with the same `request_key` sends nothing.

    No consent is needed within a day of the donor's text (docs/decisions/0010). After that, the donor must have
    consented to reminders. The consent is checked again when the answer is sent. Refuses (field "text") a text that
    cannot be sent, and a number that opted out. Locks: the conversation.
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
    if conversation.unanswered_since is not None:
        _close(conversation, actor, now)
    return conversation


@transaction.atomic
def cancel_requested_booking(*, conversation_id: int, booking_id: int, actor: str, now: datetime) -> Booking:
    """Cancel a booking for a donor who asked for this by text. Close the conversation."""
    [booking] = changes.cancel_bookings(
        # The donor is the actor, so that the donor can undo the cancellation.
        booking_id=booking_id,
        actor=actor,
        cancelled_by=CancelledBy.DONOR,
        now=now,
        reason=_("the donor asked for it by text"),
    )
    close_conversation(conversation_id=conversation_id, actor=actor, now=now)
    return booking


@transaction.atomic
def decide_opt_out(*, conversation_id: int, stops: bool, actor: str, now: datetime) -> bool:
    """Record a coordinator's decision on a possible opt-out: stop texts, or allow texts again.

    Returns False if no decision is open. Locks: the conversation.
    """
    conversation = _lock_conversation(conversation_id)
    opt_out = _lock_opt_out(conversation, OptOutBasis.UNDECIDED)
    if opt_out is None:
        return False
    if stops:
        opt_outs.stop_texts(
            sender=opt_out.sender,
            address=conversation.address,
            basis=OptOutBasis.SENTENCE,
            source="coordinator",
            actor=actor,
            now=now,
        )
    else:
        opt_outs.resume_texts(
            sender=opt_out.sender, address=conversation.address, basis=OptOutBasis.UNDECIDED, actor=actor, now=now
        )
    verb = "opt_out.confirmed" if stops else "opt_out.dismissed"
    _audit(conversation, actor, verb, now)
    return True


@transaction.atomic
def undo_opt_out(*, conversation_id: int, reason: str, actor: str, now: datetime) -> bool:
    """Undo an opt-out that the service inferred from a donor's sentence. Return False if there is no such opt-out.

    Only the donor can undo a keyword such as STOP, with START. `reason` is a code for the audit log. Locks: the
    conversation.
    """
    conversation = _lock_conversation(conversation_id)
    opt_out = _lock_opt_out(conversation, OptOutBasis.SENTENCE)
    if opt_out is None:
        return False
    opt_outs.resume_texts(
        sender=opt_out.sender, address=conversation.address, basis=OptOutBasis.SENTENCE, actor=actor, now=now
    )
    _audit(conversation, actor, f"opt_out.undone_{reason}", now)
    return True


def _lock_opt_out(conversation: Conversation, basis: OptOutBasis) -> Suppression | None:
    opt_out = notifications_queries.find_suppression(conversation.organization, conversation.address)
    if opt_out is None:
        return None
    rows = Suppression.objects.filter(pk=opt_out.pk, basis=basis).select_related("sender")
    return rows.select_for_update(of=("self",)).first()


def _audit(conversation: Conversation, actor: str, verb: str, now: datetime) -> None:
    audit.add_audit_entry(
        organization=conversation.organization, actor=actor, verb=verb, about=conversation.about, now=now
    )


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
        conversation.unanswered_since = conversation.unanswered_since or at
        conversation.may_mean_cancel = conversation.may_mean_cancel or may_mean_cancel
    conversation.save(update_fields=["last_text_at", "asked_at", "unanswered_since", "may_mean_cancel"])


def _lock_conversation(conversation_id: int) -> Conversation:
    rows = Conversation.objects.select_related("organization").select_for_update(no_key=True, of=("self",))
    return rows.get(pk=conversation_id)


def _close(conversation: Conversation, actor: str, now: datetime) -> None:
    conversation.unanswered_since, conversation.may_mean_cancel = None, False
    conversation.closed_at, conversation.closed_by = now, actor
    conversation.save(update_fields=["unanswered_since", "may_mean_cancel", "closed_at", "closed_by"])
