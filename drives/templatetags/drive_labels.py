"""Template filters that turn states, reasons and actors into words."""

from collections.abc import Mapping

from django import template
from django.template import Context
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from drives.domain import localtime
from drives.domain.grid import GridProblem
from drives.messaging.call_list import CallTopic
from drives.messaging.delivery_counts import FailureReason
from drives.messaging.reach import MessageSubject
from drives.models import Booking, BookingState, BroadcastKind, DriveState, WaitlistEntry
from drives.planning import plan_problems
from drives.web import languages
from notifications import contact_address, kinds
from notifications.kinds import KINDS
from notifications.models import Channel, Message, MessageState

register = template.Library()

_PILLS: dict[str, str] = {
    BookingState.CONFIRMED: "good",
    BookingState.CHECKED_IN: "gold",
    BookingState.DONATED: "good",
    BookingState.NO_SHOW: "bad",
    MessageState.DELIVERED: "good",
    MessageState.UNDELIVERED: "bad",
    MessageState.FAILED: "bad",
    MessageState.BLOCKED: "bad",
}


_DRIVE_PILLS: dict[str, str] = {
    DriveState.PUBLISHED: "good",
    DriveState.CLOSED: "gold",
    DriveState.CANCELLED: "bad",
}


@register.filter
def problem_text(problem: GridProblem) -> str:
    return plan_problems.format_problem(problem)


@register.filter
def drive_pill(state: str) -> str:
    return _DRIVE_PILLS.get(state, "")


@register.filter
def pill(state: str) -> str:
    return _PILLS.get(state, "")


register.filter("phone_shown", contact_address.format_phone)

_REASONS = {
    "number_invalid": _("the number does not exist"),
    "not_a_mobile": _("the number can’t get texts"),
    "opted_out": _("asked us to stop texting"),
    "no_consent": _("did not consent"),
    "consent_withdrawn": _("withdrew consent"),
    "mailbox_refuses": _("this e-mail address rejects our e-mails"),
    "account_unknown": _("the provider doesn’t recognize our account"),
    "number_unknown": _("this sending number isn’t in our account"),
    "unverified_mailbox": _("the e-mail address is not verified"),
    "no_sender": _("no sender is set up"),
    "sender_stopped": _("the sender is turned off"),
    "unreachable": _("the phone can’t be reached"),
    "unknown_to_carrier": _("the carrier gave no reason"),
    "region_not_enabled": _("texts to this country are turned off at the provider"),
    "trial_account": _("the provider account is a trial and can’t text this number"),
    "sender_cannot_reach": _("our sending number can’t text this number"),
    "credentials_refused": _("the provider rejected our login"),
    "sender_not_registered": _("the sender is not registered with the carriers"),
    "sender_refused": _("the mail server rejected the sender"),
    "address_refused": _("the mail server rejected the address"),
    "refused_for_now": _("the mail server is rejecting e-mail for now"),
    "no_encryption": _("the mail server doesn’t offer encryption"),
    "queue_full": _("the provider’s queue was full"),
    "too_many_requests": _("the provider asked us to wait"),
    "no_answer": _("the provider did not answer"),
    "no_clear_answer": _("the provider gave no clear answer"),
    "unreadable_answer": _("we could not read the provider’s answer"),
    "unexpected": _("something failed on our side"),
    "gave_up": _("we gave up after ten tries"),
    "quiet_hours": _("waiting for quiet hours to end"),
    "opt_out_undecided": _("waiting because they may not want any more texts"),
    "pace": _("many messages are going out, so this one is waiting its turn"),
    "budget": _("the daily limit for texts is reached"),
    "provider_down": _("the provider is down"),
    "too_late": _("not sent in time"),
    "not_composable": _("we could not compose the e-mail"),
    "not_wordable": _("we could not write the text"),
    "stopped": _("the message was stopped"),
    "undelivered": _("the message did not arrive"),
    "failed": _("the message could not be sent"),
    "blocked": _("the message is waiting"),
    "filtered": _("the carrier filtered it"),
    "expired": _("not sent in time"),
    "booking_changed": _("the booking has changed"),
    "withdrawn": _("no longer needed"),
    "unknown_fate": _("we don’t know if it arrived"),
    "not_worded": _("was not ready in time"),
    "refused": _("the provider rejected it"),
}


@register.filter
def message_kind(kind: str) -> str:
    return str(KINDS[kind].label)


@register.filter
def failure_reason(message: Message | FailureReason) -> str:
    reason = reason_text(message.reason)
    return f"{reason} ({message.error_code})".strip() if message.error_code else reason


@register.filter
def reason_text(code: str) -> str:
    return str(_REASONS.get(code) or code.replace("_", " "))


@register.filter
def actor_name(actor: str, names: Mapping[str, str]) -> str:
    return names.get(actor, actor)


@register.filter
def call_script(topic: CallTopic, subject: MessageSubject) -> str:
    if topic.kind in BroadcastKind.values:
        return _strip_sms_frame(topic.message)
    return (
        _build_booking_script(topic, subject)
        if isinstance(subject, Booking)
        else _build_waitlist_script(topic, subject)
    )


def _build_waitlist_script(topic: CallTopic, entry: WaitlistEntry) -> str:
    zone = entry.drive.site.timezone
    if topic.offer is None:
        return str(_("The waiting list for the drive on %(day)s is closed. No spot opened up for them.")) % {
            "day": localtime.format_long_day(entry.drive.starts_at, zone)
        }
    return _("A spot is open for them: %(at)s. It is held until %(until)s. Do they want it?") % {
        "at": localtime.format_date_and_time(topic.offer.starts_at, zone),
        "until": localtime.format_date_and_time(topic.offer.deadline, zone),
    }


def _build_booking_script(topic: CallTopic, booking: Booking) -> str:
    zone = booking.drive.site.timezone
    when = f"{localtime.format_long_day(booking.starts_at, zone)}, {localtime.format_time(booking.starts_at, zone)}"
    script = _CALL_SCRIPTS.get(topic.kind, _("A reminder of their visit: %(when)s."))
    reason = booking.drive.cancel_reason if topic.kind == kinds.DRIVE_CANCELLED.name else ""
    return f"{script % {'when': when}} {reason}".strip()


def _strip_sms_frame(message: Message) -> str:
    """Remove the sender's name and the STOP line, because a coordinator reads the text aloud on the phone."""
    if message.channel != Channel.SMS:
        return message.text
    return message.text.partition(": ")[2].rpartition(" STOP")[0]


_CALL_SCRIPTS = {
    kinds.DRIVE_CANCELLED.name: _("Tell them not to come: the drive on %(when)s is cancelled."),
    kinds.CANCELLED.name: _("Their booking is cancelled: %(when)s."),
    kinds.MOVED.name: _("Their time has changed. The new time is %(when)s."),
    kinds.RELOCATED.name: _("The location or its address has changed. Their time is still %(when)s."),
    kinds.BOOKED.name: _("They are booked: %(when)s."),
}


@register.simple_tag(takes_context=True)
def shown_contact(context: Context, address: str) -> str:
    """Show a contact in full to members with the check-in permission, and masked to viewers."""
    if context.get("may_check_in"):
        return contact_address.format_phone(address)
    return contact_address.mask_contact(address)


@register.simple_tag(takes_context=True)
def contact_link(context: Context, address: str, css: str = "") -> str:
    """Show a contact as `shown_contact` does. Link an unmasked contact to a call or an e-mail."""
    shown = shown_contact(context, address)
    if not context.get("may_check_in"):
        return shown
    attribute = format_html(' class="{}"', css) if css else ""
    return format_html('<a{} href="{}:{}">{}</a>', attribute, "mailto" if "@" in address else "tel", address, shown)


register.filter("language_attribute", languages.language_attribute)
register.filter("in_language", languages.in_language)
register.filter("lang_attribute", languages.lang_attribute)
