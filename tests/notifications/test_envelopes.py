from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from notifications import envelopes, kinds
from notifications.envelopes import Addressee
from notifications.kinds import ChannelChoice, MessageKind
from notifications.message_content import Envelope
from notifications.quiet_hours import QuietHours

LA = ZoneInfo("America/Los_Angeles")
NIGHT = datetime(2027, 3, 10, 22, tzinfo=LA).astimezone(UTC)
MORNING = datetime(2027, 3, 11, 9, tzinfo=LA).astimezone(UTC)
NOON = datetime(2027, 3, 11, 12, tzinfo=LA).astimezone(UTC)
FAR = datetime(2027, 3, 20, 10, tzinfo=LA).astimezone(UTC)
ANA = Addressee([("sms", "+12135550142"), ("email", "ana@example.org")], "volunteer:7", "es")
SECOND = timedelta(seconds=1)


def made(kind: MessageKind, to: Addressee = ANA, **fields: object) -> list[Envelope]:
    given = {
        "key": "x/1",
        "about": "booking:1",
        "due_at": NIGHT,
        "quiet_hours": QuietHours(LA),
        "visit_at": FAR,
        **fields,
    }
    return envelopes.build_envelopes(kind, to, **given)  # type: ignore[arg-type]


def test_the_kind_decides_everything_that_the_caller_does_not_pass() -> None:
    text, mail = made(kinds.MOVED, revision=3)
    assert text == Envelope(
        key="x/1/sms",
        kind="moved",
        about="booking:1",
        channel="sms",
        address="+12135550142",
        recipient="volunteer:7",
        revision=3,
        language="es",
        zone="America/Los_Angeles",
        keeps_quiet_hours=True,
        due_at=NIGHT,
        expires_at=FAR,
    )
    assert (mail.key, mail.purpose, mail.keeps_quiet_hours) == ("x/1/email", "", False)


def test_an_unverified_number_needs_a_consent_unless_the_message_is_an_answer() -> None:
    unverified = replace(ANA, unverified=frozenset({"sms"}))
    for kind, purposes in ((kinds.MOVED, ["reminders", ""]), (kinds.CODE, ["", ""])):
        found = envelopes.build_envelopes(
            kind, unverified, key="x", about="booking:1", due_at=NIGHT, visit_at=FAR, quiet_hours=None
        )
        assert [envelope.purpose for envelope in found] == purposes


def test_without_quiet_hours_a_message_leaves_at_once() -> None:
    text, mail = made(kinds.MOVED, quiet_hours=None, visit_at=None, useful_until=FAR)
    assert (text.revision, text.zone, text.due_at, text.expires_at) == (0, "UTC", NIGHT, FAR)
    assert not mail.keeps_quiet_hours


@pytest.mark.parametrize("consent", ["", "news", "reminders"])
def test_a_broadcast_needs_the_consent_that_its_sender_names(consent: str) -> None:
    text = made(kinds.BROADCAST, useful_until=FAR, channel_choice=ChannelChoice.TEXT, consent=consent)[0]
    assert text.purpose == consent


@pytest.mark.parametrize(
    ("kind", "way", "channels"),
    [
        (kinds.MOVED, "", ["sms", "email"]),
        (kinds.MOVED, ChannelChoice.MAIL, ["sms", "email"]),  # this kind has its own channels
        (kinds.DAY_BEFORE, ChannelChoice.BOTH, ["sms", "email"]),
        (kinds.DAY_BEFORE, ChannelChoice.TEXT, ["sms"]),
        (kinds.DAY_BEFORE, ChannelChoice.MAIL, ["email"]),
        (kinds.CODE, "", ["sms", "email"]),
        (kinds.TEST, "", ["email"]),
    ],
)
def test_channels_are_those_of_the_kind_or_of_the_schedule(kind: MessageKind, way: str, channels: list[str]) -> None:
    assert [envelope.channel for envelope in made(kind, channel_choice=way)] == channels


def test_a_text_else_an_e_mail() -> None:
    only_mail = Addressee(ANA.contacts[1:])
    assert [envelope.channel for envelope in made(kinds.DAY_BEFORE, only_mail, channel_choice=ChannelChoice.TEXT)] == [
        "email"
    ]


@pytest.mark.parametrize(
    ("fields", "waits"),
    [
        ({"visit_at": NOON}, True),
        ({"visit_at": NOON - SECOND}, False),
        ({"visit_at": FAR, "previous_visit_at": NOON - SECOND}, False),
        ({"visit_at": FAR, "ignores_quiet_hours": True}, False),
    ],
)
def test_a_change_waits_unless_the_visit_is_near_or_it_is_ones_own(fields: dict[str, Any], waits: bool) -> None:
    assert [envelope.keeps_quiet_hours for envelope in made(kinds.MOVED, **fields)] == [waits, False]
    assert [envelope.keeps_quiet_hours for envelope in made(kinds.CANCELLED, **fields)] == [waits, False]


@pytest.mark.parametrize(
    ("kind", "fields", "until"),
    [
        (kinds.BOOKED, {}, FAR),
        (kinds.BOOKED, {"visit_at": NIGHT + timedelta(minutes=31)}, NIGHT + timedelta(minutes=31)),
        (kinds.BOOKED, {"visit_at": NIGHT + timedelta(minutes=30)}, NIGHT + timedelta(minutes=30)),
        (kinds.BOOKED, {"visit_at": NIGHT + timedelta(minutes=29)}, NIGHT + timedelta(minutes=30)),
        (kinds.CODE, {}, NIGHT + timedelta(minutes=10)),
        (kinds.WAITLIST_CLOSED, {}, NIGHT + timedelta(days=1)),
        (kinds.ANSWER, {}, NIGHT + timedelta(hours=1)),
        (kinds.WAITLIST_ANSWER, {}, NIGHT + timedelta(hours=1)),
        (kinds.THANK_YOU, {}, MORNING + timedelta(days=7)),
        (kinds.OFFER, {"useful_until": NOON}, NOON),
    ],
)
def test_a_message_is_useless_from_then_on(kind: MessageKind, fields: dict[str, Any], until: datetime) -> None:
    assert {envelope.expires_at for envelope in made(kind, **fields)} == {until}


@pytest.mark.parametrize("at", [NIGHT, NIGHT - timedelta(hours=12), NIGHT + timedelta(hours=2) - SECOND])
def test_a_thank_you_leaves_on_the_next_morning(at: datetime) -> None:
    assert {envelope.due_at for envelope in made(kinds.THANK_YOU, due_at=at, channel_choice=ChannelChoice.BOTH)} == {
        MORNING
    }
    assert {envelope.due_at for envelope in made(kinds.MOVED, due_at=at)} == {at}


def test_a_kind_that_leaves_its_end_to_the_caller_is_given_one() -> None:
    with pytest.raises(ValueError, match="offer is useful until its deadline"):
        made(kinds.OFFER)
