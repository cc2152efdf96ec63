"""Render texts and e-mails about a booking or a drive."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from drives.calendars import events, ical
from drives.capacity import visit_length
from drives.domain import localtime
from drives.messaging.texts import wording
from drives.messaging.texts.wording import CustomTexts
from drives.models import Booking, CancelledBy, Drive
from drives.web import links
from notifications import message_content
from notifications.message_content import MessageContent
from notifications.models import Channel
from organizations.models import Organization
from volunteers.models import Contact

T = TypeVar("T")
BookingRenderer = Callable[[Booking, str, CustomTexts], MessageContent]


def render_booked(booking: Booking, channel: str, custom: CustomTexts = wording.NO_CUSTOM_TEXTS) -> MessageContent:
    facts = build_facts(booking)
    if channel == "sms":
        return _render_text("booked", facts, custom)
    lines = [
        wording.render_opening("booked", facts, custom),
        *_format_visit_lines(booking),
        *_format_preparation_lines(booking),
        _("If you get sick, please cancel early so we can give your spot to someone who is waiting."),
    ]
    return build_donor_email(booking, _("You're booked: %(long_day)s, %(time)s") % facts, lines, _("Change or cancel"))


def render_reminder(
    booking: Booking, channel: str, due_at: datetime, custom: CustomTexts = wording.NO_CUSTOM_TEXTS
) -> MessageContent:
    """Render a reminder. "Today" and "tomorrow" are relative to `due_at`."""
    facts, kind = build_facts(booking), choose_reminder_text(booking, due_at)
    if channel == "sms":
        return _render_text(kind, facts, custom)
    lines = [
        wording.render_opening(kind, facts, custom),
        *_format_visit_lines(booking),
        *_format_preparation_lines(booking),
        _("Can't come? Please cancel or choose another time so that someone else can have your spot."),
    ]
    return build_donor_email(
        booking, _("Reminder: %(long_day)s, %(time)s") % facts, lines, _("Confirm, change or cancel")
    )


def choose_reminder_text(booking: Booking, due_at: datetime) -> str:
    zone = booking.drive.site.zone
    ahead = booking.starts_at.astimezone(zone).date() - due_at.astimezone(zone).date()
    return {timedelta(): "same_day", timedelta(days=1): "day_before"}.get(ahead, "reminder")


def render_moved(
    booking: Booking, channel: str, old_starts_at: datetime, custom: CustomTexts = wording.NO_CUSTOM_TEXTS
) -> MessageContent:
    facts = {**build_facts(booking), "old_time": localtime.format_time(old_starts_at, booking.drive.site.timezone)}
    if channel == "sms":
        return _render_text("moved", facts, custom)
    lines = [wording.render_opening("moved", facts, custom), *_format_visit_lines(booking)]
    return build_donor_email(booking, _("New time: %(long_day)s, %(time)s") % facts, lines, _("Change or cancel"))


def render_relocated(booking: Booking, channel: str, custom: CustomTexts = wording.NO_CUSTOM_TEXTS) -> MessageContent:
    facts = build_facts(booking)
    if channel == "sms":
        return _render_text("relocated", facts, custom)
    lines = [wording.render_opening("relocated", facts, custom), *_format_visit_lines(booking)]
    return build_donor_email(booking, _("New location: %(long_day)s, %(time)s") % facts, lines, _("Change or cancel"))


def render_cancelled(booking: Booking, channel: str, custom: CustomTexts = wording.NO_CUSTOM_TEXTS) -> MessageContent:
    facts, kind = build_facts(booking), "given_up" if booking.cancelled_by == CancelledBy.DONOR else "cancelled"
    if channel == "sms":
        return _render_text(kind, facts, custom)
    lines = [
        wording.render_opening(kind, facts, custom),
        _("Thank you for letting us know. Your spot can now go to someone else."),
    ]
    return build_donor_email(booking, _("Cancelled: %(long_day)s, %(time)s") % facts, lines, _("Book another time"))


def render_drive_cancelled(
    booking: Booking, channel: str, custom: CustomTexts = wording.NO_CUSTOM_TEXTS
) -> MessageContent:
    facts = {**build_facts(booking), "reason": booking.drive.cancel_reason}
    if channel == "sms":
        return _render_text("drive_cancelled", facts, custom)
    lines = [
        wording.render_opening("drive_cancelled", facts, custom),
        *([_("Reason: %(reason)s") % facts] if booking.drive.cancel_reason else []),
        _("We're sorry. We hope to see you on another date."),
    ]
    return build_donor_email(booking, _("Drive cancelled: %(long_day)s") % facts, lines, _("See other dates"))


def render_missed(booking: Booking, channel: str, custom: CustomTexts = wording.NO_CUSTOM_TEXTS) -> MessageContent:
    facts = build_facts(booking)
    if channel == "sms":
        return _render_text("missed", facts, custom)
    return build_donor_email(
        booking, _("We missed you"), [wording.render_opening("missed", facts, custom)], _("See the next dates")
    )


def render_shared_text(kind: str, bookings: Sequence[Booking]) -> MessageContent:
    first = min(bookings, key=lambda booking: booking.starts_at)
    page = links.build_booking_link(min(bookings, key=lambda booking: booking.pk))
    facts = {**build_facts(first), "count": str(len(bookings)), "link": page}
    return MessageContent(text=wording.fill_shared_text(kind, facts))


def render_cancellation_digest(
    drive: Drive, cancelled: Sequence[datetime], restored: Sequence[datetime], spots_left: int, url: str
) -> MessageContent:
    """Render an e-mail to coordinators with the times of recently cancelled and restored bookings."""
    facts = {
        "title": drive.title,
        "day": localtime.format_long_day(drive.starts_at, drive.site.timezone),
        "cancelled": _format_times(cancelled, drive),
        "restored": _format_times(restored, drive),
        "count": len(cancelled) or len(restored),
        "left": spots_left,
    }
    lines = [_("Changes to bookings at “%(title)s” on %(day)s:") % facts]
    if cancelled:
        lines.append(_("Cancelled: %(cancelled)s.") % facts)
    if restored:
        lines.append(_("Booked again after a cancellation: %(restored)s.") % facts)
    lines.append(_("Spots now open for return visits: %(left)s.") % facts)
    subject = _("Late cancellations on %(day)s: %(count)s") if cancelled else _("Booked again on %(day)s: %(count)s")
    return build_email(subject % facts, lines, _("Open the drive"), url)


def _format_times(arrivals: Sequence[datetime], drive: Drive) -> str:
    counts = Counter(localtime.format_time(at, drive.site.timezone) for at in sorted(arrivals))
    return ", ".join(f"{time} (×{count})" if count > 1 else time for time, count in counts.items())


def render_under_filled_alert(drive: Drive, booked_count: int, spots_left: int, url: str) -> MessageContent:
    facts = {
        "title": drive.title,
        "day": localtime.format_long_day(drive.starts_at, drive.site.timezone),
        "booked": booked_count,
        "left": spots_left,
    }
    lines = [
        _("“%(title)s” is on %(day)s. Booked so far: %(booked)s. Spots still open: %(left)s.") % facts,
        _("About two out of three people who book come in and donate. Share the link again while there's still time."),
    ]
    return build_email(_("Spots still open on %(day)s: %(left)s") % facts, lines, _("Open the drive"), url)


def call_in_language(language: str, render: Callable[[], T]) -> T:
    with translation.override(language):
        return render()


def render_booking_message(
    booking: Booking, render: BookingRenderer, custom: CustomTexts, channel: str, method: str
) -> MessageContent:
    """Render a message in the donor's language.

    `method` is the iCalendar METHOD of the attachment, or "" for no attachment.
    """
    language = booking.volunteer.language if booking.volunteer else "en"
    content = call_in_language(language, lambda: render(booking, channel, custom))
    if channel == Channel.SMS or not method:
        return content
    event = call_in_language(language, lambda: events.build_booking_event(booking))
    body = ical.build_cancellation(event) if method == "CANCEL" else ical.build_invitation(event)
    return replace(content, calendar=body.decode(), calendar_method=method)


def _render_text(kind: str, facts: dict[str, str], custom: CustomTexts) -> MessageContent:
    text = wording.render_text(kind, facts, custom)
    return MessageContent(text=f"{text} {facts['notice']}".rstrip())


def build_facts(booking: Booking) -> dict[str, str]:
    drive, zone, link = booking.drive, booking.drive.site.timezone, links.build_booking_link(booking)
    return {
        "org": drive.organization.sms_name,
        "org_name": drive.organization.name,
        "name": booking.volunteer.name if booking.volunteer else "",
        "day": localtime.format_short_day(booking.starts_at, zone),
        "long_day": localtime.format_long_day(booking.starts_at, zone),
        "time": localtime.format_time(booking.starts_at, zone),
        "location": drive.site.sms_name,
        "link": link,
        "notice": render_revoked_link_notice(drive.organization, booking.created_at, link),
    }


def render_revoked_link_notice(organization: Organization, created_at: datetime, link: str) -> str:
    """Return a sentence with the new link.

    Returns "" if the organization has not revoked its links since `created_at`.
    """
    if organization.links_revoked_at is None or created_at > organization.links_revoked_at:
        return ""
    return message_content.convert_to_gsm(_("Our earlier links no longer work. New link: %(link)s") % {"link": link})


def _format_visit_lines(booking: Booking) -> list[str]:
    site = booking.drive.site
    return [localtime.format_date_and_time(booking.starts_at, site.timezone), f"{site.name}, {site.full_address}"]


def _format_preparation_lines(booking: Booking) -> list[str]:
    bring = str(booking.drive.bring) or _("a photo ID")
    return [
        _("Bring %(bring)s.") % {"bring": bring},
        _("Eat a meal and drink plenty of water before you come."),
        _("Plan on about %(minutes)s minutes.")
        % {"minutes": visit_length.compute_visit_minutes(booking.drive, booking.visit)},
    ]


def build_donor_email(
    booking: Booking, subject: str, lines: Sequence[str], action: str, choices: Sequence[tuple[str, str]] = ()
) -> MessageContent:
    link = links.build_booking_link(booking)
    notice = render_revoked_link_notice(booking.drive.organization, booking.created_at, link)
    lines = [*lines, notice] if notice else lines
    return build_email(subject, lines, action, link, build_stop_link(booking), choices)


def build_stop_link(booking: Booking) -> str:
    """Return the URL for the unsubscribe button of mail apps (RFC 8058), or "" for a donor without e-mail."""
    mailbox = booking.volunteer.email if booking.volunteer else None
    return build_mailbox_stop_link(mailbox) if mailbox else ""


def build_mailbox_stop_link(mailbox: Contact) -> str:
    return links.build_link("stop_messages", mailbox.token)


def build_email(
    subject: str,
    lines: Sequence[str],
    action: str,
    url: str,
    stop: str = "",
    choices: Sequence[tuple[str, str]] = (),
) -> MessageContent:
    context = {"subject": subject, "lines": lines, "choices": choices, "action": action, "url": url, "stop": stop}
    choice_lines = ["\n".join(f"{label}: {address}" for label, address in choices)] if choices else []
    stop_lines = [_("Stop messages: %(link)s") % {"link": stop}] if stop else []
    return MessageContent(
        text="\n\n".join([*lines, *choice_lines, f"{action}: {url}", *stop_lines]),
        subject=subject,
        html=render_to_string("drives/messaging/mail.html", context),
        unsubscribe_url=stop,
    )
