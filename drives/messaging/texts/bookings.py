"""What we say about a booking and a drive: a text (`drives.messaging.texts.catalog`) or an e-mail. Pure wording.

`own` holds what an organization says in its own words, by kind and language.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from drives.capacity import visits
from drives.domain import localtime
from drives.messaging.texts import catalog
from drives.messaging.texts.catalog import Own
from drives.models import Booking, CancelledBy, Drive
from drives.web import links
from notifications.notice import Wording
from volunteers.models import Contact

T = TypeVar("T")


def booked(booking: Booking, channel: str, own: Own = catalog.NONE) -> Wording:
    """The confirmation."""
    facts = facts_of(booking)
    if channel == "sms":
        return _text("booked", facts, own)
    lines = [
        catalog.opened("booked", facts, own),
        *_when_and_where(booking),
        *_before_you_come(booking),
        _("Illness happens. Cancelling early gives your place to somebody who is waiting."),
    ]
    return letter(booking, _("You're booked: %(long_day)s, %(time)s") % facts, lines, _("Change or cancel"))


def reminder(booking: Booking, channel: str, due_at: datetime, own: Own = catalog.NONE) -> Wording:
    """A reminder as it is true when it leaves: says "tomorrow" or "today" only when it is."""
    facts, kind = facts_of(booking), reminder_kind(booking, due_at)
    if channel == "sms":
        return _text(kind, facts, own)
    lines = [
        catalog.opened(kind, facts, own),
        *_when_and_where(booking),
        *_before_you_come(booking),
        _("Can't come? Please cancel or choose another time, so that somebody else can have your place."),
    ]
    return letter(booking, _("Reminder: %(long_day)s, %(time)s") % facts, lines, _("Confirm, change or cancel"))


def reminder_kind(booking: Booking, due_at: datetime) -> str:
    """Which words a reminder needs that leaves at this instant: those of the day, of the day before, or others."""
    zone = booking.drive.site.zone
    ahead = booking.starts_at.astimezone(zone).date() - due_at.astimezone(zone).date()
    return {timedelta(): "same_day", timedelta(days=1): "day_before"}.get(ahead, "reminder")


def moved(booking: Booking, channel: str, old_starts_at: datetime, own: Own = catalog.NONE) -> Wording:
    """The new time first, the old one in brackets."""
    facts = {**facts_of(booking), "old_time": localtime.clock(old_starts_at, booking.drive.site.timezone)}
    if channel == "sms":
        return _text("moved", facts, own)
    lines = [catalog.opened("moved", facts, own), *_when_and_where(booking)]
    return letter(booking, _("New time: %(long_day)s, %(time)s") % facts, lines, _("Change or cancel"))


def relocated(booking: Booking, channel: str, own: Own = catalog.NONE) -> Wording:
    """The same time at another place, or under another address."""
    facts = facts_of(booking)
    if channel == "sms":
        return _text("relocated", facts, own)
    lines = [catalog.opened("relocated", facts, own), *_when_and_where(booking)]
    return letter(booking, _("New place: %(long_day)s, %(time)s") % facts, lines, _("Change or cancel"))


def cancelled(booking: Booking, channel: str, own: Own = catalog.NONE) -> Wording:
    """What was cancelled, and the way back; donors can undo their own cancellation behind the link."""
    facts, kind = facts_of(booking), "given_up" if booking.cancelled_by == CancelledBy.DONOR else "cancelled"
    if channel == "sms":
        return _text(kind, facts, own)
    lines = [
        catalog.opened(kind, facts, own),
        _("Thank you for telling us. Your place can now go to somebody else."),
    ]
    return letter(booking, _("Cancelled: %(long_day)s, %(time)s") % facts, lines, _("Book another time"))


def drive_cancelled(booking: Booking, channel: str, own: Own = catalog.NONE) -> Wording:
    """The whole drive does not take place."""
    facts = {**facts_of(booking), "reason": booking.drive.cancel_reason}
    if channel == "sms":
        return _text("drive_cancelled", facts, own)
    lines = [
        catalog.opened("drive_cancelled", facts, own),
        *([_("Reason: %(reason)s") % facts] if booking.drive.cancel_reason else []),
        _("We are sorry. You are welcome at another date."),
    ]
    return letter(booking, _("Drive cancelled: %(long_day)s") % facts, lines, _("See other dates"))


def missed(booking: Booking, channel: str, own: Own = catalog.NONE) -> Wording:
    """We missed you: kind, with a way to another time."""
    facts = facts_of(booking)
    if channel == "sms":
        return _text("missed", facts, own)
    return letter(booking, _("We missed you"), [catalog.opened("missed", facts, own)], _("See the next dates"))


def together(kind: str, bookings: Sequence[Booking]) -> Wording:
    """One text to the phone that these bookings of a party share: how many, from when, and the first one's page."""
    first = min(bookings, key=lambda booking: booking.starts_at)
    page = links.link(min(bookings, key=lambda booking: booking.pk))
    facts = {**facts_of(first), "count": str(len(bookings)), "link": page}
    return Wording(text=catalog.together(kind, facts))


def cancellation_alert(booking: Booking, places_left: int, url: str) -> Wording:
    """To coordinators: somebody cancelled close to the drive. Names nobody."""
    facts = {**facts_of(booking), "left": places_left, "title": booking.drive.title}
    lines = [
        _("A booking of %(long_day)s, %(time)s at “%(title)s” was cancelled.") % facts,
        _("Places for return visits that are open now: %(left)s.") % facts,
    ]
    return mail(_("Cancelled close to the drive: %(day)s, %(time)s") % facts, lines, _("Open the drive"), url)


def under_filled_alert(drive: Drive, booked_count: int, places_left: int, url: str) -> Wording:
    """To coordinators: a week before, many places are open."""
    facts = {
        "title": drive.title,
        "day": localtime.long_day(drive.starts_at, drive.site.timezone),
        "booked": booked_count,
        "left": places_left,
    }
    lines = [
        _("“%(title)s” is on %(day)s. Booked so far: %(booked)s. Places still open: %(left)s.") % facts,
        _("About two of three people who book come and give. Share the link again while there is time."),
    ]
    return mail(_("Still open: %(left)s places on %(day)s") % facts, lines, _("Open the drive"), url)


def in_language(language: str, word: Callable[[], T]) -> T:
    """Word something in the recipient's language, whatever is active around us."""
    with translation.override(language):
        return word()


def _text(kind: str, facts: dict[str, str], own: Own) -> Wording:
    return Wording(text=catalog.worded(kind, facts, own))


def facts_of(booking: Booking) -> dict[str, str]:
    """What every text about a booking may name, in the active language."""
    drive, zone = booking.drive, booking.drive.site.timezone
    return {
        "org": drive.organization.sms_name,
        "org_name": drive.organization.name,
        "name": booking.volunteer.name if booking.volunteer else "",
        "day": localtime.short_day(booking.starts_at, zone),
        "long_day": localtime.long_day(booking.starts_at, zone),
        "time": localtime.clock(booking.starts_at, zone),
        "place": drive.site.sms_name,
        "link": links.link(booking),
    }


def _when_and_where(booking: Booking) -> list[str]:
    site = booking.drive.site
    return [localtime.moment(booking.starts_at, site.timezone), f"{site.name}, {site.full_address}"]


def _before_you_come(booking: Booking) -> list[str]:
    bring = str(booking.drive.bring) or _("a photo ID")
    return [
        _("Bring %(bring)s.") % {"bring": bring},
        _("Eat a meal and drink plenty of water before you come."),
        _("Plan about %(minutes)s minutes.") % {"minutes": visits.visit_minutes(booking)},
    ]


def letter(
    booking: Booking, subject: str, lines: Sequence[str], action: str, choices: Sequence[tuple[str, str]] = ()
) -> Wording:
    """A mail to a donor: what is said, the way to their page, and the way to no more mail."""
    return mail(subject, lines, action, links.link(booking), stop_link(booking), choices)


def stop_link(booking: Booking) -> str:
    """Where one's mailbox is taken off the list, by hand or by the mail reader's own button (RFC 8058)."""
    mailbox = booking.volunteer.email if booking.volunteer else None
    return mailbox_stop_link(mailbox) if mailbox else ""


def mailbox_stop_link(mailbox: Contact) -> str:
    return links.absolute(reverse("stop", args=[mailbox.token]))


def mail(
    subject: str,
    lines: Sequence[str],
    action: str,
    url: str,
    stop: str = "",
    choices: Sequence[tuple[str, str]] = (),
) -> Wording:
    """A mail in plain text and in HTML: lines, what may be chosen, one way on, and the way to no more mail."""
    shown = {"subject": subject, "lines": lines, "choices": choices, "action": action, "url": url, "stop": stop}
    listed = ["\n".join(f"{words}: {address}" for words, address in choices)] if choices else []
    way_out = [_("No more messages: %(link)s") % {"link": stop}] if stop else []
    return Wording(
        text="\n\n".join([*lines, *listed, f"{action}: {url}", *way_out]),
        subject=subject,
        html=render_to_string("drives/messaging/mail.html", shown),
        unsubscribe_url=stop,
    )
