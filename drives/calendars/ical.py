"""Build iCalendar objects (invitations, cancellations, downloads, feeds) and "add to calendar" links.

No other module imports icalendar. The same event always gives the same bytes, so a feed can join cached events. Times
are written in UTC, because some calendar apps misread or reject a VTIMEZONE. The description names the site's zone.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Component, Event, vCalAddress, vText, vUri

from drives.calendars import rules

PRODID = "-//drive scheduling//calendar//EN"
GOOGLE_URL = "https://calendar.google.com/calendar/render"
OUTLOOK_URL = "https://outlook.live.com/calendar/0/deeplink/compose"

# Tabs, and characters that some calendar apps read as a line break. icalendar does not escape them.
SEPARATORS = re.compile("[\t\v\f\x1c-\x1e\x85\u2028\u2029]")
# Other control characters, bidirectional marks (they can disguise text), byte order marks, lone surrogates.
FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """A calendar event.

    - Times are aware, in any zone, and are written in UTC. `ends_at` is exclusive.
    - `zone` is the site's IANA name, and `zone_label` its common name ("Pacific Time").
    - `uid` never changes. `sequence` starts at 0 and increases with each change of time, site or status.
    - `changed_at` becomes DTSTAMP. It is the time of the last change, not of this build.

    Invitations and cancellations contain the e-mail addresses of the attendee and the organizer. A download contains
    only the organizer's. A feed contains neither.
    """

    uid: str
    sequence: int
    summary: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    zone_label: str
    location: str
    changed_at: datetime
    created_at: datetime
    description: str = ""
    url: str = ""
    organizer_email: str = ""
    organizer_name: str = ""
    attendee_email: str | None = None
    attendee_name: str = ""
    cancelled: bool = False

    def __post_init__(self) -> None:
        for moment in (self.starts_at, self.ends_at, self.changed_at, self.created_at):
            if moment.utcoffset() is None:
                raise ValueError("A calendar needs aware times.")
        if self.ends_at <= self.starts_at:
            raise ValueError("An appointment ends after it starts.")
        if self.sequence < 0 or not _clean_line(self.uid):
            raise ValueError("An appointment has a UID and a sequence from 0.")


def build_invitation(event: CalendarEvent) -> bytes:
    """Build a new or changed event (METHOD:REQUEST) for one attendee.

    Raises ValueError if the event is cancelled, or has no attendee or no organizer.
    """
    if event.cancelled:
        raise ValueError("A cancelled appointment is not an invitation.")
    return _build_message("REQUEST", _build_addressed_vevent(event))


def build_cancellation(event: CalendarEvent) -> bytes:
    """Build the object that removes an event from the attendee's calendar (METHOD:CANCEL).

    The caller must have increased `sequence`. Raises ValueError if the event has no attendee or no organizer.
    """
    return _build_message("CANCEL", _build_addressed_vevent(replace(event, cancelled=True)))


def build_download(event: CalendarEvent) -> bytes:
    """Build the .ics file of one event (METHOD:PUBLISH), without an attendee.

    Unless the event is cancelled, the file has an alarm two hours before the event.
    """
    item = _build_vevent(event)
    if event.organizer_email:
        item.add("organizer", _build_address(event.organizer_email, event.organizer_name))
    if not event.cancelled:
        item.add_component(_build_alarm(event))
    return _build_message("PUBLISH", item)


def build_feed_event(event: CalendarEvent) -> bytes:
    return _serialize(_build_vevent(event))


def build_public_feed_event(event: CalendarEvent) -> bytes:
    item = _build_vevent(event)
    item.add("transp", "TRANSPARENT")
    return _serialize(item)


def build_feed(name: str, events: Iterable[bytes]) -> bytes:
    """Build a calendar feed from serialized events. The feed asks calendar apps to reload it every hour."""
    calendar = _build_calendar()
    calendar.add("name", _Text(_clean_line(name)))
    calendar.add("x-wr-calname", _Text(_clean_line(name)))
    calendar.add("refresh-interval", rules.REFRESH_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    # Search from the end, because the calendar's name may contain this text, too.
    head, end, tail = _serialize(calendar).rpartition(b"END:VCALENDAR")
    return b"".join([head, *events, end, tail])


def format_content_type(body: bytes) -> str:
    method = re.search(rb"^METHOD:([A-Z]+)\r$", body, re.MULTILINE)
    parameter = f" method={method[1].decode()};" if method else ""
    return f"text/calendar;{parameter} charset=utf-8"


def compute_etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def build_google_link(event: CalendarEvent) -> str:
    """Build the link that adds the event to Google Calendar.

    The event's own URL is left out, because it contains the donor's token.
    """
    period = "/".join(f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in (event.starts_at, event.ends_at))
    fixed = {"action": "TEMPLATE", "dates": period, "ctz": event.zone}
    return _build_link(GOOGLE_URL, event, fixed, title="text", text="details")


def build_outlook_link(event: CalendarEvent) -> str:
    period = {"startdt": _format_utc(event.starts_at), "enddt": _format_utc(event.ends_at)}
    fixed = {"path": "/calendar/action/compose", "rru": "addevent"}
    return _build_link(OUTLOOK_URL, event, fixed | period, title="subject", text="body")


class _Text(vText):
    r"""A TEXT value with every backslash escaped. Otherwise vText would turn a typed `\N` into a line break."""

    def to_ical(self) -> bytes:
        escaped = re.sub(r"[\\;,]", r"\\\g<0>", self)
        return escaped.replace("\n", r"\n").encode()


def _build_calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    return calendar


def _build_message(method: str, item: Event) -> bytes:
    calendar = _build_calendar()
    calendar.add("method", method)
    calendar.add_component(item)
    return _serialize(calendar)


def _serialize(component: Component) -> bytes:
    lines: bytes = component.to_ical()
    return lines


def _build_vevent(event: CalendarEvent) -> Event:
    item = Event()
    for name, moment in _list_moments(event).items():
        item.add(name, moment.astimezone(UTC).replace(microsecond=0))
    for name, text in _build_texts(event).items():
        if text:
            item.add(name, _Text(text))
    item.add("sequence", event.sequence)
    item.add("status", "CANCELLED" if event.cancelled else "CONFIRMED")
    if event.url:
        item.add("url", vUri(_quote_url(event.url)))
    return item


def _list_moments(event: CalendarEvent) -> dict[str, datetime]:
    return {
        "dtstart": event.starts_at,
        "dtend": event.ends_at,
        "dtstamp": event.changed_at,
        "last-modified": event.changed_at,
        "created": event.created_at,
    }


def _build_texts(event: CalendarEvent) -> dict[str, str]:
    # Many calendar apps do not show the URL property, so the description repeats the URL.
    link = _quote_url(event.url) if event.url not in event.description else ""
    return {
        "uid": _clean_line(event.uid),
        "summary": _clean_line(event.summary),
        "location": _clean_line(event.location),
        "description": "\n".join(filter(None, [_clean_text(event.description), _format_period(event), link])),
    }


def _build_addressed_vevent(event: CalendarEvent) -> Event:
    if not event.attendee_email or not event.organizer_email:
        raise ValueError("An invitation needs an attendee and an organizer.")
    # The attendee booked the visit, so it is ACCEPTED. Ask for no RSVP, because we do not read e-mail replies.
    attendee = _build_address(event.attendee_email, event.attendee_name)
    attendee.params |= {
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "ACCEPTED",
        "RSVP": "FALSE",
    }
    item = _build_vevent(event)
    item.add("organizer", _build_address(event.organizer_email, event.organizer_name))
    item.add("attendee", attendee)
    return item


def _build_address(email: str, name: str) -> vCalAddress:
    address = vCalAddress("mailto:" + quote(_clean_line(email), safe="@!$'*+/=~"))
    # Few calendar apps support escaped quotation marks in a parameter.
    if plain := _clean_line(name).replace('"', "'"):
        address.params["CN"] = plain
    return address


def _build_alarm(event: CalendarEvent) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -rules.ALARM_BEFORE)
    alarm.add("description", _Text(_clean_line(event.summary)))
    return alarm


def _format_period(event: CalendarEvent) -> str:
    """Format the time in the site's zone with digits only, so that it is the same in every language.

    If the clocks change during the event, show the UTC offset of each time, and add the length in minutes.
    """
    starts, ends = (moment.astimezone(ZoneInfo(event.zone)) for moment in (event.starts_at, event.ends_at))
    day, label = f"{starts:%Y-%m-%d}", _clean_line(event.zone_label)
    if starts.utcoffset() == ends.utcoffset():
        return f"{day} {starts:%H:%M}-{ends:%H:%M} {label} ({event.zone}, {_format_offset(starts)})"
    minutes = int((event.ends_at - event.starts_at).total_seconds()) // 60
    period = f"{starts:%H:%M} ({_format_offset(starts)}) - {ends:%H:%M} ({_format_offset(ends)})"
    return f"{day} {period} {label} ({event.zone}, {minutes} min)"


def _format_offset(moment: datetime) -> str:
    offset = f"{moment:%z}"
    return f"UTC{offset[:3]}:{offset[3:]}"


def _build_link(base: str, event: CalendarEvent, fields: dict[str, str], *, title: str, text: str) -> str:
    texts = _build_texts(replace(event, description=_remove_url_lines(event.url, event.description), url=""))
    query = fields | {title: texts["summary"], text: texts["description"], "location": texts["location"]}
    # Outlook does not decode "+" as a space, so spaces become %20.
    return f"{base}?{urlencode(query, quote_via=quote)}"


def _remove_url_lines(url: str, text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not url or url not in line)


def _format_utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _quote_url(url: str) -> str:
    return quote(_clean_line(url), safe=":/?#[]@!$&'()*+,;=%~")


def _clean_text(value: str) -> str:
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return FORBIDDEN.sub("", SEPARATORS.sub(" ", lines)).strip()


def _clean_line(value: str) -> str:
    return re.sub(r"\s*\n\s*", " ", _clean_text(value))
