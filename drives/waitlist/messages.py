"""Queue messages to donors on a waitlist, in the same transaction as the change."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db import transaction

from drives.capacity import locks
from drives.messaging import reach, schedule
from drives.messaging import rules as messaging_rules
from drives.messaging.texts import booking_texts, waitlist_texts
from drives.models import WAITLISTED_STATES, Offer, WaitlistEntry, WaitlistEntryState
from drives.waitlist import queries
from notifications import envelopes, kinds, outbox
from notifications import queries as notifications_queries
from notifications.envelopes import Addressee
from notifications.kinds import ChannelRule, MessageKind
from notifications.message_content import MessageContent, RenderedMessage
from notifications.models import Channel, Message
from organizations import sweeps
from volunteers import addressees


def queue_joined(entry: WaitlistEntry, now: datetime) -> None:
    number = queries.load_position(entry)
    _queue_message(
        entry,
        kinds.WAITLIST_JOINED,
        lambda channel: waitlist_texts.render_waitlist_joined(entry, channel, number),
        now,
        key=f"{entry.about}/joined",
        until=entry.drive.ends_at,
    )


def queue_offer(offer: Offer, now: datetime) -> None:
    """Queue the message about an offer. In quiet hours, an e-mail is sent at once, but a text waits."""
    entry = offer.entry
    custom_texts = schedule.load_custom_texts([entry.drive.organization_id])[entry.drive.organization_id]

    def render(channel: str) -> MessageContent:
        return waitlist_texts.render_offer(offer, channel, custom_texts)

    _queue_message(entry, kinds.OFFER, render, now, key=f"{offer.about}/offer", about=offer.about, until=offer.deadline)


def queue_offer_declined(offer: Offer, now: datetime) -> None:
    """Queue an answer to the text with which the donor declined the offer."""
    number = queries.load_position(offer.entry)
    _queue_answer(offer, "passed", lambda: waitlist_texts.render_offer_declined(offer.entry, number), now)


def queue_too_late(offer: Offer, reply_id: int, now: datetime) -> None:
    """Queue an answer to a text that arrived after the offer had ended."""
    number = queries.load_position(offer.entry)
    _queue_answer(offer, f"too_late/{reply_id}", lambda: waitlist_texts.render_offer_gone(offer.entry, number), now)


def queue_waitlist_closed(entry: WaitlistEntry, now: datetime) -> None:
    _queue_message(
        entry,
        kinds.WAITLIST_CLOSED,
        lambda channel: waitlist_texts.render_waitlist_closed(entry, channel),
        now,
        key=f"{entry.about}/over",
    )


def queue_fallback_emails(*, now: datetime) -> int:
    """Queue an e-mail for each waitlist text that failed within the last day. Return the number of new e-mails.

    Each e-mail is queued in its own transaction. A second call queues no duplicates.
    """
    failed = notifications_queries.list_failed_texts(
        kinds=list(FALLBACKS), since=now - messaging_rules.REPLACE_FAILED_TEXTS_WITHIN
    )
    texts = {text.pk: text for text in failed}
    return sweeps.run_each("waitlist_fallback", texts, lambda pk: _queue_fallback_email(texts[pk], now), now=now)


@transaction.atomic
def _queue_fallback_email(text: Message, now: datetime) -> int:
    """Queue the e-mail in place of a failed text. Locks the entry, so that the donor cannot leave at the same time."""
    found = locks.lock_waitlist_entries([int(text.about.removeprefix("waitlist:"))])
    states, kind = FALLBACKS[text.kind], kinds.KINDS[text.kind]
    if not found or found[0].state not in states or text.expires_at <= now:
        return 0
    entry = found[0]
    addressee = addressees.build_addressee(entry.volunteer)
    mailboxes = [contact for contact in addressee.contacts if contact[0] == Channel.EMAIL]

    def render(channel: str) -> MessageContent:
        if kind == kinds.WAITLIST_CLOSED:
            return waitlist_texts.render_waitlist_closed(entry, channel)
        return waitlist_texts.render_waitlist_joined(entry, channel, queries.load_position(entry))

    return _queue_message(
        entry,
        kind,
        render,
        now,
        key=text.key.rpartition("/")[0],
        until=text.expires_at,
        addressee=replace(addressee, contacts=mailboxes),
    )


# For each kind of text, the states of the entry in which an e-mail is still useful.
FALLBACKS: Mapping[str, Collection[str]] = {
    kinds.WAITLIST_JOINED.name: WAITLISTED_STATES,
    kinds.WAITLIST_CLOSED.name: (WaitlistEntryState.CLOSED,),
}


def _queue_answer(offer: Offer, key: str, render: Callable[[], str], now: datetime) -> None:
    """Queue an answer to a donor's text. It is always a text, never an e-mail."""

    def render_content(channel: str) -> MessageContent:
        return MessageContent(text=render())

    to = addressees.build_addressee(offer.entry.volunteer)
    texts_only = replace(to, contacts=[contact for contact in to.contacts if contact[0] == Channel.SMS])
    key = f"{offer.about}/{key}"
    _queue_message(
        offer.entry, kinds.WAITLIST_ANSWER, render_content, now, key=key, about=offer.about, addressee=texts_only
    )


def _queue_message(
    entry: WaitlistEntry,
    kind: MessageKind,
    render: Callable[[str], MessageContent],
    now: datetime,
    *,
    key: str,
    about: str = "",
    until: datetime | None = None,
    addressee: Addressee | None = None,
) -> int:
    if addressee is None:
        addressee = addressees.build_addressee(entry.volunteer)
        if kind.channels == ChannelRule.SENDER:
            addressee = replace(addressee, contacts=_choose_contact(entry, kind, addressee.contacts))
    messages = [
        RenderedMessage(envelope, booking_texts.call_in_language(envelope.language, partial(render, envelope.channel)))
        for envelope in envelopes.build_envelopes(
            kind,
            addressee,
            key=key,
            about=about or entry.about,
            due_at=now,
            quiet_hours=schedule.build_quiet_hours(entry.drive),
            useful_until=until,
        )
    ]
    return outbox.queue_messages(organization=entry.drive.organization, messages=messages, now=now)


def _choose_contact(
    entry: WaitlistEntry, kind: MessageKind, contacts: Sequence[tuple[str, str]]
) -> Sequence[tuple[str, str]]:
    """Return the contact for a message: the phone if we may text it, or else the e-mail address.

    If neither is allowed, return the first contact. The blocked message then appears on the call list.
    """
    found = reach.load_reach(entry.drive.organization, [entry]).list_contacts(entry, kind)
    return found or contacts[:1]
