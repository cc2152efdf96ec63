"""Calendar objects: input that calendar apps cannot parse, injected lines, and facts that must not appear."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from time import perf_counter
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from icalendar import Calendar, Event

from drives.calendars import ical
from drives.calendars.ical import CalendarEvent

CREATED = datetime(2026, 2, 1, 8, 30, 15, 999, tzinfo=UTC)
APPOINTMENT = CalendarEvent(
    uid="5b2c6c1e-8f6b-4d0c-9a36-2f3d3a0d8f11@drives.example.org",
    sequence=0,
    summary="Appointment with Hope Foundation",
    starts_at=datetime(2026, 3, 14, 17, 30, tzinfo=UTC),
    ends_at=datetime(2026, 3, 14, 18, 45, tzinfo=UTC),
    zone="America/Los_Angeles",
    zone_label="Pacific Time",
    location="St Mary Hall, 12 Main St",
    changed_at=CREATED,
    created_at=CREATED,
    description="Bring photo ID.\nEat and drink first.",
    url="https://drives.example.org/b/c2VjcmV0LXRva2VuLTAx/",
    organizer_email="hope@drives.example.org",
    organizer_name="Hope Foundation",
    attendee_email="ana@example.org",
    attendee_name="Ana Alvarez",
)
OBJECTS = [ical.build_invitation, ical.build_cancellation, ical.build_download]
EVENT_NAMES = [
    "CREATED", "DESCRIPTION", "DTEND", "DTSTAMP", "DTSTART", "LAST-MODIFIED", "LOCATION", "SEQUENCE", "STATUS",
    "SUMMARY", "UID", "URL",
]  # fmt: skip
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def lines_of(body: bytes) -> list[str]:
    """Unfold the lines strictly as in RFC 5545, and check the length and line ends of each."""
    assert body.endswith(b"\r\n")
    folded = body.removesuffix(b"\r\n").split(b"\r\n")
    for line in folded:
        assert len(line) <= 75
        assert b"\r" not in line
        assert b"\n" not in line
        line.decode()
    return re.sub("\r\n ", "", "\r\n".join(line.decode() for line in folded)).split("\r\n")


def names_of(body: bytes) -> list[str]:
    return sorted(re.split("[;:]", line)[0] for line in lines_of(body) if not re.match("(BEGIN|END):", line))


def value_of(body: bytes, name: str) -> str:
    outside_the_alarm = re.sub("BEGIN:VALARM.*END:VALARM", "", "\n".join(lines_of(body)), flags=re.DOTALL)
    (value,) = re.findall(f"^{name}(?:;.*?)?:(.*)$", outside_the_alarm, re.MULTILINE)
    return str(value)


def unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)


def components(body: bytes, name: str) -> list[Any]:
    return list(Calendar.from_ical(body).walk(name))


def parsed(body: bytes) -> Any:
    (item,) = components(body, "VEVENT")
    return item


# Bugs that users of other systems reported


def test_an_invitation_is_a_request_to_one_attendee() -> None:
    body = ical.build_invitation(APPOINTMENT)
    assert value_of(body, "METHOD") == "REQUEST"
    assert value_of(body, "STATUS") == "CONFIRMED"
    assert value_of(body, "ORGANIZER") == "mailto:hope@drives.example.org"
    assert value_of(body, "ATTENDEE") == "mailto:ana@example.org"
    envelope = ["CALSCALE", "METHOD", "PRODID", "VERSION"]
    assert names_of(body) == sorted([*envelope, *EVENT_NAMES, "ATTENDEE", "ORGANIZER"])
    assert parsed(body)["ATTENDEE"].params["CN"] == "Ana Alvarez"


def test_a_cancellation_is_never_sent_as_a_request() -> None:
    body = ical.build_cancellation(APPOINTMENT)
    assert (value_of(body, "METHOD"), value_of(body, "STATUS")) == ("CANCEL", "CANCELLED")
    with pytest.raises(ValueError, match="not an invitation"):
        ical.build_invitation(replace(APPOINTMENT, cancelled=True))


def test_uid_stays_for_life_and_sequence_rises_from_request_to_cancel() -> None:
    moved = replace(APPOINTMENT, sequence=1, starts_at=APPOINTMENT.starts_at - timedelta(hours=1))
    history = [
        ical.build_invitation(APPOINTMENT),
        ical.build_invitation(moved),
        ical.build_cancellation(replace(moved, sequence=2)),
    ]
    assert [value_of(body, "SEQUENCE") for body in history] == ["0", "1", "2"]
    assert {value_of(body, "UID") for body in history} == {APPOINTMENT.uid}


def test_sending_again_gives_the_same_bytes_and_the_same_uid() -> None:
    for make in [*OBJECTS, ical.build_feed_event, ical.build_public_feed_event]:
        assert make(APPOINTMENT) == make(replace(APPOINTMENT))
        assert value_of(make(APPOINTMENT), "UID") == APPOINTMENT.uid


@pytest.mark.parametrize(("make", "method"), [*zip(OBJECTS, ["REQUEST", "CANCEL", "PUBLISH"], strict=True)])
def test_the_method_stands_once_before_the_event_and_is_that_of_the_mime_type(
    make: Callable[[CalendarEvent], bytes], method: str
) -> None:
    lines = lines_of(make(APPOINTMENT))
    assert [line for line in lines if line.startswith("METHOD")] == [f"METHOD:{method}"]
    assert lines.index(f"METHOD:{method}") < lines.index("BEGIN:VEVENT")
    assert ical.format_content_type(make(APPOINTMENT)) == f"text/calendar; method={method}; charset=utf-8"


def test_a_text_does_not_change_the_mime_type() -> None:
    body = ical.build_invitation(replace(APPOINTMENT, summary="\r\nMETHOD:CANCEL\r\n", description="\nMETHOD:CANCEL"))
    assert ical.format_content_type(body) == "text/calendar; method=REQUEST; charset=utf-8"
    assert ical.format_content_type(ical.build_feed("Hope", [])) == "text/calendar; charset=utf-8"


@pytest.mark.parametrize("zone", [ZoneInfo("Asia/Kathmandu"), timezone(timedelta(hours=-8)), UTC])
def test_times_are_written_in_utc_wherever_they_come_from(zone: Any) -> None:
    moments = ("starts_at", "ends_at", "changed_at", "created_at")
    elsewhere = replace(APPOINTMENT, **{name: getattr(APPOINTMENT, name).astimezone(zone) for name in moments})
    for make in OBJECTS:
        body = make(elsewhere)
        assert body == make(APPOINTMENT)
        assert b"TZID" not in body
        assert value_of(body, "DTSTART") == "20260314T173000Z"
        assert value_of(body, "DTEND") == "20260314T184500Z"


def test_stamps_come_from_the_change_and_not_from_now() -> None:
    changed = replace(APPOINTMENT, changed_at=datetime(2026, 3, 1, tzinfo=UTC))
    body = ical.build_invitation(changed)
    assert value_of(body, "DTSTAMP") == value_of(body, "LAST-MODIFIED") == "20260301T000000Z"
    assert value_of(body, "CREATED") == "20260201T083015Z"


def test_the_text_names_the_zone_of_the_site() -> None:
    description = unescaped(value_of(ical.build_download(APPOINTMENT), "DESCRIPTION"))
    assert description.split("\n") == [
        "Bring photo ID.",
        "Eat and drink first.",
        "2026-03-14 10:30-11:45 Pacific Time (America/Los_Angeles, UTC-07:00)",
        APPOINTMENT.url,
    ]


def test_an_hour_that_happens_twice_is_told_apart_by_its_offset() -> None:
    first = datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    texts = []
    for starts_at in (first, first + timedelta(hours=1)):
        night = replace(APPOINTMENT, starts_at=starts_at, ends_at=starts_at + timedelta(minutes=15))
        texts.append(unescaped(value_of(ical.build_feed_event(night), "DESCRIPTION")).split("\n")[2])
    assert texts == [
        "2026-11-01 01:30-01:45 Pacific Time (America/Los_Angeles, UTC-07:00)",
        "2026-11-01 01:30-01:45 Pacific Time (America/Los_Angeles, UTC-08:00)",
    ]


@pytest.mark.parametrize("make", OBJECTS)
def test_no_line_ends_twice(make: Callable[[CalendarEvent], bytes]) -> None:
    body = make(replace(APPOINTMENT, summary="one\r\r\ntwo", description="three\r\r\nfour\rfive\r\n"))
    assert b"\r\r\n" not in body
    assert body.count(b"\n") == body.count(b"\r\n") == body.count(b"\r")
    assert value_of(body, "SUMMARY") == "one two"
    assert value_of(body, "DESCRIPTION").startswith(r"three\n\nfour\nfive\n2026-03-14")


def test_a_download_has_an_alarm_and_no_attendee() -> None:
    body = ical.build_download(APPOINTMENT)
    (alarm,) = components(body, "VALARM")
    assert (alarm["ACTION"], alarm["TRIGGER"].dt) == ("DISPLAY", timedelta(hours=-2))
    assert b"ana@example.org" not in body
    assert b"Ana Alvarez" not in body
    assert "ATTENDEE" not in names_of(body)


def test_a_download_of_what_is_cancelled_does_not_ring() -> None:
    body = ical.build_download(replace(APPOINTMENT, cancelled=True))
    assert value_of(body, "STATUS") == "CANCELLED"
    assert b"VALARM" not in body


@pytest.mark.parametrize("changes", [{"attendee_email": None}, {"attendee_email": ""}, {"organizer_email": ""}])
def test_an_invitation_without_addresses_is_refused(changes: dict[str, Any]) -> None:
    for make in (ical.build_invitation, ical.build_cancellation):
        with pytest.raises(ValueError, match="needs an attendee and an organizer"):
            make(replace(APPOINTMENT, **changes))
    assert b"UID" in ical.build_download(replace(APPOINTMENT, **changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"starts_at": datetime(2026, 3, 14, 17, 30)},  # noqa: DTZ001
        {"changed_at": datetime(2026, 3, 14, 17, 30)},  # noqa: DTZ001
        {"ends_at": APPOINTMENT.starts_at},
        {"sequence": -1},
        {"uid": ""},
        {"uid": "\r\n\u2028"},
    ],
)
def test_an_appointment_that_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"aware times|ends after|UID and a sequence"):
        replace(APPOINTMENT, **changes)


# Input that tries to inject lines


nasty = st.lists(
    st.sampled_from(["\r\n", "\n", "\r", "\v", "\f", "\x00", "\x1b", "\x1c", "\x1f", "\x85", "\u2028", "\u2029", "\t"])
    | st.sampled_from(["\\", "\\n", "\\N", ";", ",", ":", '"', "^", "^n", "=", " ", "%", *BIDI, "\ufeff", "\ud800"])
    | st.sampled_from(["END:VEVENT", "BEGIN:VEVENT", "METHOD:CANCEL", "ATTENDEE:mailto:cleo@example.com", "X-A:b"])
    | st.sampled_from(["é", "ñ", "☃", "😀", "👩‍👧", "日本語", "a" * 70, "mailto:", "@"])
    | st.text(max_size=8),
    max_size=12,
).map(lambda parts: "x" + "".join(parts))


def is_safe(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"} and character not in BIDI


@given(nasty, nasty, nasty, nasty, nasty)
@example("x\r\nEND:VEVENT", "x\x85ATTENDEE:a", "x\u2028X-A:b", "x\r\n x", "x\\")
def test_no_text_becomes_another_property(uid: str, summary: str, location: str, url: str, name: str) -> None:
    hostile = replace(
        APPOINTMENT,
        uid=uid,
        summary=summary,
        location=location,
        description=summary,
        url=url,
        zone_label=name,
        organizer_email=url,
        organizer_name=name,
        attendee_email=location,
        attendee_name=summary,
    )
    for make in [*OBJECTS, ical.build_feed_event, ical.build_public_feed_event]:
        body = make(hostile)
        assert names_of(body) == names_of(make(APPOINTMENT))
        assert body.count(b"\r\nBEGIN:VEVENT\r\n") + body.startswith(b"BEGIN:VEVENT\r\n") == 1
        assert all(is_safe(character) for line in lines_of(body) for character in line)
        assert "".join(lines_of(body)).splitlines() == ["".join(lines_of(body))]
    item = parsed(ical.build_invitation(hostile))
    assert sorted(item) == sorted([*EVENT_NAMES, "ATTENDEE", "ORGANIZER"])
    assert item.errors == []


@given(nasty)
def test_no_name_of_a_feed_becomes_another_property(name: str) -> None:
    body = ical.build_feed(name, [])
    assert names_of(body) == names_of(ical.build_feed("Hope", []))
    assert all(is_safe(character) for line in lines_of(body) for character in line)


def test_a_feed_named_end_vcalendar_stays_valid() -> None:
    body = ical.build_feed("END:VCALENDAR", [ical.build_feed_event(APPOINTMENT)])
    assert value_of(body, "NAME") == "END:VCALENDAR"
    assert lines_of(body)[-2:] == ["END:VEVENT", "END:VCALENDAR"]
    assert parsed(body)["UID"] == APPOINTMENT.uid


def test_control_icalendar_alone_keeps_separators_and_changes_backslashes() -> None:
    item = Event()
    item.add("summary", "a\x0b\x85\u2028b \\North")
    (summary,) = re.findall(rb"SUMMARY:(.*)\r\n", item.to_ical())
    assert summary.decode() == "a\x0b\x85\u2028b \\north"


plain = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]) | st.sampled_from('\\;,nN:"'))


@given(plain, st.lists(plain))
@example("C:\\North", ["\\N", "\\n;,"])
def test_a_plain_text_arrives_as_it_was_written(summary: str, lines: list[str]) -> None:
    description = "\n".join(lines)
    body = ical.build_feed_event(
        replace(APPOINTMENT, summary="x" + summary, description="x" + description + "x", url="")
    )
    assert unescaped(value_of(body, "SUMMARY")) == ("x" + summary).strip()
    assert unescaped(value_of(body, "DESCRIPTION")).rpartition("\n")[0] == "x" + description + "x"


def test_letters_of_many_octets_are_folded_whole() -> None:
    for padding in range(4):
        body = ical.build_feed_event(replace(APPOINTMENT, summary="x" * padding + "☃😀é" * 60))
        assert unescaped(value_of(body, "SUMMARY")) == "x" * padding + "☃😀é" * 60
        assert max(len(line) for line in body.split(b"\r\n")) in {72, 73, 74, 75}


def test_an_address_stays_bare_and_whole() -> None:
    for email in ("hope+drives@example.org", "o'neil@example.org", "a.b_c-d@sub.example.org"):
        body = ical.build_invitation(replace(APPOINTMENT, organizer_email=email))
        assert value_of(body, "ORGANIZER") == f"mailto:{email}"
    body = ical.build_invitation(replace(APPOINTMENT, organizer_email='a"b?cc=cleo@example.com\r\nX:y'))
    assert value_of(body, "ORGANIZER") == "mailto:a%22b%3Fcc=cleo@example.com%20X%3Ay"


def test_a_name_keeps_its_marks() -> None:
    body = ical.build_invitation(replace(APPOINTMENT, organizer_name='Hope "Est. 1999"; Smith, Jones: Co'))
    assert parsed(body)["ORGANIZER"].params["CN"] == "Hope 'Est. 1999'; Smith, Jones: Co"
    assert "CN" not in parsed(ical.build_invitation(replace(APPOINTMENT, attendee_name="")))["ATTENDEE"].params


# Feeds


def many(count: int) -> list[CalendarEvent]:
    return [
        replace(
            APPOINTMENT,
            uid=f"{n}@drives.example.org",
            attendee_email=f"donor{n}@example.org",
            attendee_name=f"Donor Number{n}",
            cancelled=n % 10 == 0,
        )
        for n in range(count)
    ]


def test_a_feed_tells_its_name_and_how_often_to_ask_and_has_no_method() -> None:
    body = ical.build_feed("Hope; drives, all", [ical.build_feed_event(APPOINTMENT)])
    lines = lines_of(body)
    assert lines[:9] == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//drive scheduling//calendar//EN",
        "CALSCALE:GREGORIAN",
        r"NAME:Hope\; drives\, all",
        r"X-WR-CALNAME:Hope\; drives\, all",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "BEGIN:VEVENT",
    ]
    assert lines[-2:] == ["END:VEVENT", "END:VCALENDAR"]
    assert "METHOD" not in names_of(body)


def test_a_feed_of_two_hundred_contains_no_names() -> None:
    appointments = many(200)
    body = ical.build_feed("Hope", [ical.build_feed_event(appt) for appt in appointments])
    items = components(body, "VEVENT")
    assert [str(item["UID"]) for item in items] == [appt.uid for appt in appointments]
    assert sum(item["STATUS"] == "CANCELLED" for item in items) == 20
    assert {"ATTENDEE", "ORGANIZER"}.isdisjoint(names_of(body))
    assert re.findall(rb"mailto|donor|Donor|ana@|hope@", body) == []


def test_an_empty_feed_is_a_calendar() -> None:
    assert components(ical.build_feed("Hope", []), "VEVENT") == []


def test_joining_a_feed_is_quick() -> None:
    events = [ical.build_feed_event(appt) for appt in many(200)]
    assert quickest(lambda: ical.build_feed("Hope", events)) / 200 <= 15e-6


def quickest(work: Callable[[], object]) -> float:
    took = []
    for _ in range(5):
        begun = perf_counter()
        work()
        took.append(perf_counter() - begun)
    return min(took)


def test_a_drive_in_a_feed_leaves_the_day_free_and_can_be_cancelled() -> None:
    drive = replace(APPOINTMENT, sequence=3, url="https://drives.example.org/d/spring/", cancelled=True)
    body = ical.build_public_feed_event(drive)
    assert names_of(body) == sorted([*EVENT_NAMES, "TRANSP"])
    assert (value_of(body, "TRANSP"), value_of(body, "STATUS")) == ("TRANSPARENT", "CANCELLED")
    assert (value_of(body, "URL"), value_of(body, "SEQUENCE")) == (drive.url, "3")


def test_the_module_adds_no_word_of_health() -> None:
    bodies = [make(APPOINTMENT) for make in OBJECTS] + [ical.build_feed("Hope", [ical.build_feed_event(APPOINTMENT)])]
    words = rb"(?i)plasma|blood|donat|donor|health|patient|medic|clinic|screening|immun"
    assert [re.findall(words, body) for body in bodies] == [[], [], [], []]


# Entity tags and links


def test_an_entity_tag_follows_the_bytes() -> None:
    tag = ical.compute_etag(ical.build_feed_event(APPOINTMENT))
    assert re.fullmatch('"[0-9a-f]{32}"', tag)
    assert tag == ical.compute_etag(ical.build_feed_event(replace(APPOINTMENT)))
    assert tag != ical.compute_etag(ical.build_feed_event(replace(APPOINTMENT, sequence=1)))


def test_the_google_link_carries_times_zone_and_texts() -> None:
    address = urlsplit(ical.build_google_link(APPOINTMENT))
    assert (address.scheme, address.netloc, address.path) == ("https", "calendar.google.com", "/calendar/render")
    assert parse_qs(address.query, strict_parsing=True) == {
        "action": ["TEMPLATE"],
        "dates": ["20260314T173000Z/20260314T184500Z"],
        "ctz": ["America/Los_Angeles"],
        "text": ["Appointment with Hope Foundation"],
        "details": [f"{APPOINTMENT.description}\n2026-03-14 10:30-11:45 Pacific Time (America/Los_Angeles, UTC-07:00)"],
        "location": ["St Mary Hall, 12 Main St"],
    }


def test_the_outlook_link_carries_times_and_texts() -> None:
    address = urlsplit(ical.build_outlook_link(APPOINTMENT))
    assert (address.scheme, address.netloc) == ("https", "outlook.live.com")
    query = parse_qs(address.query, strict_parsing=True)
    assert query.pop("body")[0].startswith("Bring photo ID.\nEat and drink first.\n2026-03-14 10:30-11:45 Pacific")
    assert query == {
        "path": ["/calendar/action/compose"],
        "rru": ["addevent"],
        "startdt": ["2026-03-14T17:30:00Z"],
        "enddt": ["2026-03-14T18:45:00Z"],
        "subject": ["Appointment with Hope Foundation"],
        "location": ["St Mary Hall, 12 Main St"],
    }


@pytest.mark.parametrize("link", [ical.build_google_link, ical.build_outlook_link])
def test_a_link_keeps_the_secret_of_the_booking_and_the_person(link: Callable[[CalendarEvent], str]) -> None:
    told = link(replace(APPOINTMENT, description=f"Change or cancel: {APPOINTMENT.url}"))
    assert re.findall("c2VjcmV0LXRva2VuLTAx|ana|Ana|hope%40|[+]|[^!-~]", told) == []


@given(nasty)
def test_no_text_becomes_another_field_of_a_link(text: str) -> None:
    hostile = replace(APPOINTMENT, summary=text + "&dates=1#x", location=text, description=text)
    for link in (ical.build_google_link, ical.build_outlook_link):
        address = urlsplit(link(hostile))
        assert not address.fragment
        assert parse_qs(address.query).keys() == parse_qs(urlsplit(link(APPOINTMENT)).query).keys()
