"""Describe the reminders that will be sent for a booking."""

from collections.abc import Sequence

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from drives.domain.reminder_times import REMINDERS
from drives.messaging import reminders
from drives.messaging.reach import DonorReach
from drives.models import Booking
from notifications import kinds
from notifications import queries as notifications_queries
from notifications.models import UNSENT_STATES, Channel, Message, MessageState

_WAITING_STATES = (MessageState.QUEUED, MessageState.CLAIMED)


def format_reminder_summary(booking: Booking, donor_reach: DonorReach) -> str:
    """Return sentences such as "We'll text you the day before.", or "" if no reminder is coming.

    A text or e-mail is included only if we may send it.
    """
    messages = notifications_queries.list_messages_about([booking.about])[booking.about]
    texts, emails = list_coming_reminders(booking, messages, donor_reach)
    sentences = []
    if texts:
        sentences.append(_("We’ll text you %(when)s.") % {"when": _format_days(_compute_days_before(texts, booking))})
    if emails:
        sentences.append(
            _("We’ll e-mail you %(when)s.") % {"when": _format_days(_compute_days_before(emails, booking))}
        )
    return " ".join(sentences)


def list_coming_reminders(
    booking: Booking, messages: Sequence[Message], donor_reach: DonorReach
) -> tuple[list[Message], list[Message]]:
    """Return the booking's coming reminders in two lists: the texts and the e-mails.

    A text that is not allowed goes by e-mail, if e-mail is allowed.
    """
    upcoming = [message for message in messages if _is_upcoming(message, booking)]
    allowed = donor_reach.list_allowed_channels(booking, kinds.DAY_BEFORE)
    texts = [message for message in upcoming if message.channel == Channel.SMS and Channel.SMS in allowed]
    email_kinds = reminders.list_email_kinds(upcoming, booking, donor_reach)
    waiting = [message for message in messages if message.state in _WAITING_STATES and message not in upcoming]
    left = donor_reach.count_emails_left(booking) - sum(message.channel == Channel.EMAIL for message in waiting)
    # An unverified e-mail address gets a limited number of e-mails, so it gets only the last reminders
    # (`drives.messaging.reminders`).
    last_kinds = email_kinds[-left:] if left > 0 else []
    return texts, [message for message in upcoming if message.kind in last_kinds and message not in texts]


def _is_upcoming(message: Message, booking: Booking) -> bool:
    return message.kind in REMINDERS and message.state in UNSENT_STATES and message.revision == booking.revision


def _compute_days_before(messages: list[Message], booking: Booking) -> list[int]:
    zone = booking.drive.site.zone
    day = booking.starts_at.astimezone(zone).date()
    # Earliest reminder first.
    return sorted({(day - message.due_at.astimezone(zone).date()).days for message in messages}, reverse=True)


def _format_days(days: list[int]) -> str:
    """Return a phrase such as "3 days and 1 day before", "the day before", or "1 day before and on the day"."""
    if days == [1]:
        return _("the day before")
    before = [ngettext("%(days)s day", "%(days)s days", number) % {"days": number} for number in days if number]
    phrases = [_("%(days)s before") % {"days": get_text_list(before, _("and"))}] if before else []
    return get_text_list([*phrases, _("on the day")] if 0 in days else phrases, _("and"))
