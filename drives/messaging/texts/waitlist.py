"""What we say to who waits for a place: a text of one segment, or an e-mail. Pure wording."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from drives.domain import localtime
from drives.messaging.texts import bookings, catalog
from drives.messaging.texts.catalog import Own
from drives.models import Drive, Offer, WaitingEntry
from drives.web import links
from notifications import notice
from notifications.notice import Wording

Facts = dict[str, str]


def link(entry: WaitingEntry) -> str:
    """The address of the page of somebody who waits."""
    return links.absolute(reverse("waiting", args=[entry.token]))


def offer_link(offer: Offer) -> str:
    """The address where an offered place is taken or passed on."""
    return links.absolute(reverse("offer", args=[offer.token]))


def offered(offer: Offer, channel: str, own: Own = catalog.NONE) -> Wording:
    """A place is free for you, until when, and how to say yes or no."""
    drive, zone = offer.entry.drive, offer.entry.drive.site.timezone
    facts = {
        **_facts(offer.entry),
        "day": localtime.short_day(offer.starts_at, zone),
        "long_day": localtime.long_day(offer.starts_at, zone),
        "time": localtime.clock(offer.starts_at, zone),
        "until": localtime.day_and_clock(offer.deadline, zone),
        "link": offer_link(offer),
    }
    if channel == "sms":
        return Wording(text=catalog.worded("offer", facts, own))
    lines = [
        catalog.opened("offer", facts, own),
        localtime.moment(offer.starts_at, zone),
        f"{drive.site.name}, {drive.site.full_address}",
        _("Answer by %(until)s. After that the place goes to the next person.")
        % {"until": localtime.moment(offer.deadline, zone)},
    ]
    subject = _("A place for you: %(long_day)s, %(time)s") % facts
    return _letter(offer.entry, subject, lines, _("Take the place or pass"), facts["link"])


def joined(entry: WaitingEntry, channel: str, position: int) -> Wording:
    """You are on the list, and this is where to leave it."""
    facts = {**_facts(entry), "position": str(position)}
    if channel == "sms":
        text = _("%(org)s: You are number %(position)s in line for %(day)s. Change or leave: %(link)s STOP to end")
        return Wording(text=notice.gsm(text % facts))
    lines = [
        _("Hello %(name)s, you are number %(position)s on the waiting list.") % facts,
        f"{entry.drive.title}, {facts['long_day']}, {entry.drive.site.name}",
        _("When a place comes free for you, we tell you at once and keep it for you for a while."),
    ]
    return _letter(entry, _("On the waiting list: %(long_day)s") % facts, lines, _("Change or leave"), facts["link"])


def passed_on(entry: WaitingEntry, position: int) -> str:
    """A text: the answer to an X."""
    text = _("%(org)s: The place goes to the next. You stay on the list, number %(position)s. %(link)s STOP to end")
    return notice.gsm(text % {**_facts(entry), "position": str(position)})


def too_late(entry: WaitingEntry, position: int) -> str:
    """A text: the answer to a letter that came when the place was gone."""
    facts = {**_facts(entry), "position": str(position)}
    if position:
        text = _("%(org)s: That place is gone. You are still in line, number %(position)s. %(link)s STOP to end")
    else:
        text = _("%(org)s: That place is gone, and you are not in line any more. See: %(link)s STOP to end")
    return notice.gsm(text % facts)


def over(entry: WaitingEntry, channel: str) -> Wording:
    """The list is closed: why, and where other dates are."""
    facts, drive = _facts(entry), entry.drive
    if channel == "sms":
        return Wording(text=notice.gsm(_over_text(drive) % facts))
    lines = [
        _("Hello %(name)s, the waiting list for %(long_day)s is closed.") % facts,
        _why_over(drive),
        _("Thank you for wanting to help. You are welcome at another date."),
    ]
    subject = _("The waiting list is closed: %(long_day)s") % facts
    return _letter(entry, subject, lines, _("See other dates"), facts["link"])


def _over_text(drive: Drive) -> str:
    if drive.state == "cancelled":
        return _("%(org)s: The drive of %(day)s is cancelled, the list is closed. Other dates: %(link)s STOP to end")
    return _("%(org)s: No place came free for %(day)s, the list is closed. Other dates: %(link)s STOP to end")


def _why_over(drive: Drive) -> str:
    if drive.state == "cancelled":
        return _("The drive is cancelled.")
    return _("No place came free for you this time.")


def _facts(entry: WaitingEntry) -> Facts:
    drive = entry.drive
    zone, person = drive.site.timezone, entry.volunteer
    return {
        "org": drive.organization.sms_name,
        "org_name": drive.organization.name,
        "name": person.name if person else "",
        "day": localtime.short_day(drive.starts_at, zone),
        "long_day": localtime.long_day(drive.starts_at, zone),
        "place": drive.site.sms_name,
        "link": link(entry),
    }


def _letter(entry: WaitingEntry, subject: str, lines: Sequence[str], action: str, url: str) -> Wording:
    mailbox = entry.volunteer.email if entry.volunteer else None
    stop = links.absolute(reverse("stop", args=[mailbox.token])) if mailbox else ""
    return bookings.mail(subject, lines, action, url, stop)
