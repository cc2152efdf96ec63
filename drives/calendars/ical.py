"""Calendar objects: invitations, cancellations, downloads, feeds and "add to calendar" links.

The only module that imports icalendar. Everything here is pure: the same appointment gives the same bytes,
so that an event is serialized once per change, and a feed is a join of what was kept. Times are written in
UTC, because a VTIMEZONE is misread by some readers and rejected by others; the text names the site's zone.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from icalendar import Alarm, Calendar, Component, Event, vCalAddress, vText, vUri

PRODID = "-//drive scheduling//calendar//EN"
ALARM_BEFORE = timedelta(hours=2)
REFRESH_EVERY = timedelta(hours=1)
GOOGLE_URL = "https://calendar.google.com/calendar/render"
OUTLOOK_URL = "https://outlook.live.com/calendar/0/deeplink/compose"

# What some reader takes for the end of a line (icalendar writes these out as they are), and the tab.
SEPARATORS = re.compile("[\t\v\f\x1c-\x1e\x85\u2028\u2029]")
# Other controls, directions that make a text read as another, the byte order mark, halves of surrogate pairs.
FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u206f\ufeff\ud800-\udfff]")


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """A time at a place, as calendars see it.

    `starts_at`, `ends_at`, `changed_at` and `created_at` are aware (any zone, written as UTC), the period is
    [starts_at, ends_at). `zone` is the site's IANA name, `zone_label` what people call it ("Pacific Time").
    `uid` stays for life; `sequence` starts at 0 and rises with each change of time, place or status.
    `changed_at` is when the appointment last changed, never now: it becomes DTSTAMP. The addresses go into
    invitations and cancellations; a download has the organizer only; feeds have neither.
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


def build_invitation(appt: CalendarEvent) -> bytes:
    """Return the object for a new or changed appointment (METHOD:REQUEST), for one attendee.

    Refuses with ValueError one that is cancelled, and one without attendee or organizer.
    """
    if appt.cancelled:
        raise ValueError("A cancelled appointment is not an invitation.")
    return _build_message("REQUEST", _build_addressed_vevent(appt))


def build_cancellation(appt: CalendarEvent) -> bytes:
    """Return the object that takes an appointment off the attendee's calendar (METHOD:CANCEL).

    Wants the sequence already raised. Refuses with ValueError one without attendee or organizer.
    """
    return _build_message("CANCEL", _build_addressed_vevent(replace(appt, cancelled=True)))


def build_download(appt: CalendarEvent) -> bytes:
    """Return the .ics file of one appointment (METHOD:PUBLISH): an alarm two hours before, no attendee."""
    item = _build_vevent(appt)
    if appt.organizer_email:
        item.add("organizer", _build_address(appt.organizer_email, appt.organizer_name))
    if not appt.cancelled:
        item.add_component(_build_alarm(appt))
    return _build_message("PUBLISH", item)


def build_feed_event(appt: CalendarEvent) -> bytes:
    """Return one VEVENT for a feed, without any address; to be kept until the appointment changes."""
    return _serialize(_build_vevent(appt))


def build_public_feed_event(appt: CalendarEvent) -> bytes:
    """Return one VEVENT for a public feed of drives; it leaves the reader's day free."""
    item = _build_vevent(appt)
    item.add("transp", "TRANSPARENT")
    return _serialize(item)


def build_feed(name: str, events: Iterable[bytes]) -> bytes:
    """Join events that `event` or `build_public_feed_event` made into a calendar to subscribe to, asked for hourly."""
    calendar = _build_calendar()
    calendar.add("name", _Text(_clean_line(name)))
    calendar.add("x-wr-calname", _Text(_clean_line(name)))
    calendar.add("refresh-interval", REFRESH_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    # From the end: a name may say the same words.
    head, end, tail = _serialize(calendar).rpartition(b"END:VCALENDAR")
    return b"".join([head, *events, end, tail])


def format_content_type(body: bytes) -> str:
    """Return the MIME type of a calendar part, with the method that the body has."""
    method = re.search(rb"^METHOD:([A-Z]+)\r$", body, re.MULTILINE)
    parameter = f" method={method[1].decode()};" if method else ""
    return f"text/calendar;{parameter} charset=utf-8"


def compute_etag(body: bytes) -> str:
    """Return the strong entity tag of an answer, with its quotes."""
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def build_google_link(appt: CalendarEvent) -> str:
    """Return the address that adds the appointment to a Google calendar.

    The appointment's own address is left out of it: it may carry a secret, which is not for a third party.
    """
    period = "/".join(f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}" for moment in (appt.starts_at, appt.ends_at))
    fixed = {"action": "TEMPLATE", "dates": period, "ctz": appt.zone}
    return _build_link(GOOGLE_URL, appt, fixed, title="text", text="details")


def build_outlook_link(appt: CalendarEvent) -> str:
    """Return the address that adds the appointment to an Outlook.com calendar, as `build_google_link` does."""
    period = {"startdt": _format_utc(appt.starts_at), "enddt": _format_utc(appt.ends_at)}
    fixed = {"path": "/calendar/action/compose", "rru": "addevent"}
    return _build_link(OUTLOOK_URL, appt, fixed | period, title="subject", text="body")


class _Text(vText):
    """TEXT with every backslash escaped; vText takes a typed `\\N` for the end of a line."""

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


def _build_vevent(appt: CalendarEvent) -> Event:
    item = Event()
    for name, moment in _list_moments(appt).items():
        item.add(name, moment.astimezone(UTC).replace(microsecond=0))
    for name, text in _build_texts(appt).items():
        if text:
            item.add(name, _Text(text))
    item.add("sequence", appt.sequence)
    item.add("status", "CANCELLED" if appt.cancelled else "CONFIRMED")
    if appt.url:
        item.add("url", vUri(_quote_url(appt.url)))
    return item


def _list_moments(appt: CalendarEvent) -> dict[str, datetime]:
    return {
        "dtstart": appt.starts_at,
        "dtend": appt.ends_at,
        "dtstamp": appt.changed_at,
        "last-modified": appt.changed_at,
        "created": appt.created_at,
    }


def _build_texts(appt: CalendarEvent) -> dict[str, str]:
    # Many readers show no URL property, so the address stands in the text too.
    link = _quote_url(appt.url) if appt.url not in appt.description else ""
    return {
        "uid": _clean_line(appt.uid),
        "summary": _clean_line(appt.summary),
        "location": _clean_line(appt.location),
        "description": "\n".join(filter(None, [_clean_text(appt.description), _format_period(appt), link])),
    }


def _build_addressed_vevent(appt: CalendarEvent) -> Event:
    if not appt.attendee_email or not appt.organizer_email:
        raise ValueError("An invitation needs an attendee and an organizer.")
    # Accepted already, and no answer wanted: the place was booked by the attendee, and replies are not read.
    attendee = _build_address(appt.attendee_email, appt.attendee_name)
    attendee.params |= {
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "ACCEPTED",
        "RSVP": "FALSE",
    }
    item = _build_vevent(appt)
    item.add("organizer", _build_address(appt.organizer_email, appt.organizer_name))
    item.add("attendee", attendee)
    return item


def _build_address(email: str, name: str) -> vCalAddress:
    address = vCalAddress("mailto:" + quote(_clean_line(email), safe="@!$'*+/=~"))
    # Few readers know the escape of a quotation mark in a parameter.
    if plain := _clean_line(name).replace('"', "'"):
        address.params["CN"] = plain
    return address


def _build_alarm(appt: CalendarEvent) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("trigger", -ALARM_BEFORE)
    alarm.add("description", _Text(_clean_line(appt.summary)))
    return alarm


def _format_period(appt: CalendarEvent) -> str:
    """Name the hours on the site's clock, in figures, so that it reads the same in every language."""
    starts, ends = (moment.astimezone(ZoneInfo(appt.zone)) for moment in (appt.starts_at, appt.ends_at))
    offset = f"{starts:%z}"
    zone = f"{appt.zone}, UTC{offset[:3]}:{offset[3:]}"
    return f"{starts:%Y-%m-%d %H:%M}-{ends:%H:%M} {_clean_line(appt.zone_label)} ({zone})"


def _build_link(base: str, appt: CalendarEvent, fields: dict[str, str], *, title: str, text: str) -> str:
    texts = _build_texts(replace(appt, description=_remove_url_lines(appt.url, appt.description), url=""))
    query = fields | {title: texts["summary"], text: texts["description"], "location": texts["location"]}
    # Outlook shows a plus for a blank that was sent as one.
    return f"{base}?{urlencode(query, quote_via=quote)}"


def _remove_url_lines(url: str, text: str) -> str:
    """The text less the lines that name the address: the words before it would lead nowhere."""
    return "\n".join(line for line in text.split("\n") if not url or url not in line)


def _format_utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _quote_url(url: str) -> str:
    return quote(_clean_line(url), safe=":/?#[]@!$&'()*+,;=%~")


def _clean_text(value: str) -> str:
    """Keep what may stand in a text; each end of a line, however it was written, becomes one newline."""
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    return FORBIDDEN.sub("", SEPARATORS.sub(" ", lines)).strip()


def _clean_line(value: str) -> str:
    return re.sub(r"\s*\n\s*", " ", _clean_text(value))
