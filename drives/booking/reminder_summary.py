"""What we will send about a booking, said only if it is true."""

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from drives.domain.reminder_times import REMINDERS
from drives.models import Booking
from notifications import queries as notifications_queries
from notifications.models import UNSENT_STATES, Channel, Message, Purpose


def may_text_reminders(booking: Booking) -> bool:
    """Whether reminders may go to the donor's phone."""
    phone = booking.volunteer.phone if booking.volunteer else None
    if phone is None:
        return False
    organization = booking.drive.organization
    return notifications_queries.has_consent(
        organization, phone.address, Purpose.REMINDERS
    ) and not notifications_queries.is_suppressed(organization, phone.address)


def format_reminder_summary(booking: Booking) -> str:
    """What reminders will come, and how; empty if there will be none. Texts only with consent, and not after a STOP."""
    ahead = [
        message
        for message in notifications_queries.list_messages_about([booking.about])[booking.about]
        if _is_upcoming(message, booking)
    ]
    texted = may_text_reminders(booking)
    texts = [message for message in ahead if message.channel == Channel.SMS and texted]
    # Who may not be texted is reminded by e-mail (`drives.messaging.reminders.render_due_reminders`).
    mails = [message for message in ahead if message not in texts] if _may_email_reminders(booking) else []
    said = []
    if texts:
        said.append(_("We’ll text you %(when)s.") % {"when": _format_days(_compute_days_before(texts, booking))})
    if mails:
        said.append(_("We’ll e-mail you %(when)s.") % {"when": _format_days(_compute_days_before(mails, booking))})
    return " ".join(said)


def _may_email_reminders(booking: Booking) -> bool:
    """Reminders by e-mail need no yes, but heed a no."""
    mailbox = booking.volunteer.email if booking.volunteer else None
    if mailbox is None:
        return False
    given = notifications_queries.load_consents(booking.drive.organization, [mailbox.address])
    return given.get((mailbox.address, Purpose.REMINDERS), True)


def _is_upcoming(message: Message, booking: Booking) -> bool:
    return message.kind in REMINDERS and message.state in UNSENT_STATES and message.revision == booking.revision


def _compute_days_before(messages: list[Message], booking: Booking) -> list[int]:
    """How many days before the visit they leave, on the clocks of the site; the earliest first."""
    zone = booking.drive.site.zone
    day = booking.starts_at.astimezone(zone).date()
    return sorted({(day - message.due_at.astimezone(zone).date()).days for message in messages}, reverse=True)


def _format_days(days: list[int]) -> str:
    """3 days and 1 day before; the day before; 1 day before and on the day."""
    if days == [1]:
        return _("the day before")
    before = [ngettext("%(days)s day", "%(days)s days", number) % {"days": number} for number in days if number]
    said = [_("%(days)s before") % {"days": get_text_list(before, _("and"))}] if before else []
    return get_text_list([*said, _("on the day")] if 0 in days else said, _("and"))
