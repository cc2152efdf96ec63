"""Render texts and e-mails to donors on a waitlist."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from drives.domain import localtime
from drives.messaging.texts import booking_texts, wording
from drives.messaging.texts.wording import CustomTexts
from drives.models import Drive, Offer, WaitlistEntry
from drives.web import links
from notifications import message_content
from notifications.message_content import MessageContent

Facts = dict[str, str]


def build_entry_link(entry: WaitlistEntry) -> str:
    return links.build_link("waitlist_entry", entry.token)


def build_offer_link(offer: Offer) -> str:
    return links.build_link("offer", offer.token)


def render_offer(offer: Offer, channel: str, custom: CustomTexts = wording.NO_CUSTOM_TEXTS) -> MessageContent:
    drive, zone = offer.entry.drive, offer.entry.drive.site.timezone
    facts = {
        **_facts(offer.entry),
        "day": localtime.format_short_day(offer.starts_at, zone),
        "long_day": localtime.format_long_day(offer.starts_at, zone),
        "time": localtime.format_time(offer.starts_at, zone),
        "until": localtime.format_day_and_time(offer.deadline, zone),
        "link": build_offer_link(offer),
    }
    if channel == "sms":
        text = wording.render_text("offer", facts, custom)
        return MessageContent(text=f"{text} {_render_notice(offer.entry)}".rstrip())
    lines = [
        wording.render_opening("offer", facts, custom),
        localtime.format_date_and_time(offer.starts_at, zone),
        f"{drive.site.name}, {drive.site.full_address}",
        _("Reply by %(until)s. After that, the spot goes to the next person.")
        % {"until": localtime.format_date_and_time(offer.deadline, zone)},
    ]
    subject = _("A spot for you: %(long_day)s, %(time)s") % facts
    return _build_email(offer.entry, subject, lines, _("Take the spot or pass"), facts["link"])


def render_waitlist_joined(entry: WaitlistEntry, channel: str, position: int) -> MessageContent:
    facts = {**_facts(entry), "position": str(position)}
    if channel == "sms":
        text = _(
            "%(org)s: You're number %(position)s on the waiting list for %(day)s. Change or leave: %(link)s STOP to end"
        )
        return MessageContent(text=message_content.convert_to_gsm(text % facts))
    lines = [
        _("Hello %(name)s, you're number %(position)s on the waiting list.") % facts,
        f"{entry.drive.title}, {facts['long_day']}, {entry.drive.site.name}",
        _("When a spot opens up for you, we'll tell you right away and hold it for you for a while."),
    ]
    return _build_email(
        entry, _("On the waiting list: %(long_day)s") % facts, lines, _("Change or leave"), facts["link"]
    )


def render_offer_declined(entry: WaitlistEntry, position: int) -> str:
    text = _(
        "%(org)s: That spot goes to the next person. You're still on the list, number %(position)s. %(link)s STOP to"
        " end"
    )
    return message_content.convert_to_gsm(text % {**_facts(entry), "position": str(position)})


def render_offer_gone(entry: WaitlistEntry, position: int) -> str:
    facts = {**_facts(entry), "position": str(position)}
    if position:
        text = _(
            "%(org)s: That spot is gone. You're still on the waiting list, number %(position)s. %(link)s STOP to end"
        )
    else:
        text = _("%(org)s: That spot is gone, and you're no longer on the waiting list. Details: %(link)s STOP to end")
    return message_content.convert_to_gsm(text % facts)


def render_waitlist_closed(entry: WaitlistEntry, channel: str) -> MessageContent:
    facts, drive = _facts(entry), entry.drive
    if channel == "sms":
        return MessageContent(text=message_content.convert_to_gsm(_closed_text(drive) % facts))
    lines = [
        _("Hello %(name)s, the waiting list for %(long_day)s is closed.") % facts,
        _closed_reason(drive),
        _("Thank you for wanting to help. We hope to see you on another date."),
    ]
    subject = _("The waiting list is closed: %(long_day)s") % facts
    return _build_email(entry, subject, lines, _("See other dates"), facts["link"])


def _closed_text(drive: Drive) -> str:
    if drive.state == "cancelled":
        return _("%(org)s: The %(day)s drive is cancelled and the list is closed. Other dates: %(link)s STOP to end")
    return _("%(org)s: No spot opened up for %(day)s, and the list is closed. Other dates: %(link)s STOP to end")


def _closed_reason(drive: Drive) -> str:
    if drive.state == "cancelled":
        return _("The drive is cancelled.")
    return _("No spot opened up for you this time.")


def _facts(entry: WaitlistEntry) -> Facts:
    drive = entry.drive
    zone, person = drive.site.timezone, entry.volunteer
    return {
        "org": drive.organization.sms_name,
        "org_name": drive.organization.name,
        "name": person.name if person else "",
        "day": localtime.format_short_day(drive.starts_at, zone),
        "long_day": localtime.format_long_day(drive.starts_at, zone),
        "location": drive.site.sms_name,
        "link": build_entry_link(entry),
    }


def _build_email(entry: WaitlistEntry, subject: str, lines: Sequence[str], action: str, url: str) -> MessageContent:
    mailbox = entry.volunteer.email if entry.volunteer else None
    stop = links.build_link("stop_messages", mailbox.token) if mailbox else ""
    notice = _render_notice(entry)
    return booking_texts.build_email(subject, [*lines, notice] if notice else lines, action, url, stop)


def _render_notice(entry: WaitlistEntry) -> str:
    organization = entry.drive.organization
    return booking_texts.render_revoked_link_notice(organization, entry.created_at, build_entry_link(entry))
