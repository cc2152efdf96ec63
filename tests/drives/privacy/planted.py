"""A donor with a canary in every detail. A canary is a string that occurs nowhere else.

The canaries are entered through the real pages. Tests then search every column for them.
"""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import time_machine
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from drives.attendance import check_in, close_out
from drives.booking import book_for_donor, changes
from drives.booking.hold import Person
from drives.imports import run as imports_run
from drives.imports import uploads
from drives.imports.uploads import ConsentProof
from drives.inbox import conversations
from drives.messaging import broadcasts, phone_calls
from drives.messaging.broadcast_queries import Audience
from drives.messaging.broadcasts import BroadcastDraft
from drives.models import Booking, Conversation, Drive, SelfReportedDonation, Slot
from drives.waitlist import entries, offers
from drives.waitlist.entries import WaitlistRequest
from notifications import replies, reports
from notifications.models import Message, Sender
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.drives import donor
from tests.drives.caller import Api
from tests.drives.inbox.test_conversations import say
from tests.notifications import made as notifications_made
from volunteers.models import Volunteer

NUMBER = 42
PHONE = builders.phone(NUMBER)  # +12015550142
MAILBOX = "quokka.canary@example.net"
NAME = "Test Quokka Ñandú"
IP = "198.51.100.77"
# The formats in which a canary may appear: stored, typed, shown, and escaped in JSON.
CANARIES = {
    "name": ["quokka", "ñandú", "\\u00d1and\\u00fa"],
    "phone": ["2015550142", "(201) 555-0142", "201-555-0142", "201.555.0142"],
    "mailbox": ["quokka.canary", "quokka%2ecanary"],
    "ip": [IP],
    "reply": ["wombat"],
    "answer": ["numbat"],
    "override": ["dingo"],
    "reason": ["kookaburra"],
}
BEN = "user:7"
LONG_AGO = NOW - timedelta(days=300)
EARLIER = NOW - timedelta(days=20)


@dataclass
class Planted:
    """The records with canaries, and the tokens of the links that Ana received."""

    organization: Organization
    drive: Drive
    past: Drive
    client: Client
    volunteer_id: int
    tokens: list[str] = field(default_factory=list)
    feed: str = ""
    stop: str = ""

    @property
    def volunteer(self) -> Volunteer:
        return Volunteer.objects.get(pk=self.volunteer_id)


def plant(organization: Organization | None = None) -> Planted:
    """Create Ana with a donation, a booking, texts in both directions, and all details that coordinators can enter."""
    owner = organization or builders.organization(messages_per_day=0)
    past, drive = _past_drive(owner), builders.drive(owner)
    client = Client(REMOTE_ADDR=IP)
    with time_machine.travel(NOW, tick=False):
        coming = donor.booked(client, drive, name=NAME, email=MAILBOX, news="on")
        _hold_through_the_api(drive)
    person = coming.volunteer
    assert person is not None
    assert person.phone is not None
    found = Planted(owner, drive, past, client, person.pk)
    _talk(owner, coming)
    _change(coming)
    _wait(owner)
    _upload(owner)
    broadcast = BroadcastDraft({"en": "{name}, bring a sweater."}, Audience(), "reminders")
    count = broadcasts.preview_broadcast(drive=drive, draft=broadcast).recipient_count
    broadcasts.send_broadcast(drive=drive, draft=broadcast, typed_count=count, request_key="a", actor=BEN, now=NOW)
    notifications_made.deliver(NOW + timedelta(minutes=5))
    for sent in Message.objects.exclude(provider_id="")[:3]:
        reports.record_report(provider_id=sent.provider_id, status="delivered", now=NOW)
    found.tokens = [row.token for row in Booking.objects.filter(volunteer=person)]
    found.feed, found.stop = person.token, person.phone.token
    return found


def _past_drive(owner: Organization) -> Drive:
    """Create last month's drive: Ana walked in and donated."""
    planned = builders.plan(builders.site(owner), day=EARLIER.date())
    past = builders.drive(owner, planned, now=EARLIER - timedelta(days=1))
    came = check_in.add_walk_in(
        drive=past,
        name=NAME,
        visit="first",
        phone=PHONE,
        email=MAILBOX,
        actor=BEN,
        now=past.starts_at + timedelta(minutes=1),
        override_reason="dingo said so",
    )
    check_in.record_outcome(booking_id=came.pk, outcome="donated", actor=BEN, now=past.starts_at + timedelta(hours=1))
    close_out.close_out_drive(drive_id=past.pk, now=past.ends_at + timedelta(hours=2))
    past.refresh_from_db()
    return past


def _hold_through_the_api(drive: Drive) -> None:
    """Create a hold that lapses unverified. Its response stays stored under its Idempotency-Key."""
    held = Api(Client(REMOTE_ADDR=IP)).book(slot=str(builders.slot(drive, 8).pk), name=NAME, phone=PHONE, email=MAILBOX)
    assert held.status_code == 201, held.content


def _talk(owner: Organization, coming: Booking) -> None:
    sender = Sender.objects.filter(organizations=owner)[0]
    notifications_made.deliver(NOW + timedelta(seconds=5))
    say("wombat here, may I bring my sister Quokka?", NOW + timedelta(hours=1), sender, NUMBER)
    talk = Conversation.objects.of(owner).get(address=PHONE)
    conversations.send_answer(
        conversation_id=talk.pk,
        text="Of course, numbat Quokka.",
        request_key="1",
        actor=BEN,
        now=NOW + timedelta(hours=1),
    )
    replies.receive_reply(
        sender_number=sender.number, provider_id="SM-help", address=PHONE, text="HELP wombat", now=NOW
    )
    SelfReportedDonation.objects.create(
        volunteer=coming.volunteer,
        kind="platelets",
        donated_on=(NOW - timedelta(days=300)).date(),
        actor="donor",
        reported_at=NOW,
    )
    phone_calls.record_calls(subject=coming, topics=[f"{coming.about}/booked/0"], actor=BEN, now=NOW)


def _change(coming: Booking) -> None:
    changes.move_bookings(
        booking_id=coming.pk,
        slot_id=builders.slot(coming.drive, 4).pk,
        actor=BEN,
        now=NOW,
        reason="kookaburra, says Quokka",
        by_member=True,
        override_reason="dingo again",
    )


def _wait(owner: Organization) -> None:
    """Add Ana to two waitlists. One entry has an offer, and the other is not verified yet."""
    offered, asked = (_full_drive(owner, month) for month in (5, 6))
    person = Person(name=NAME, phone=PHONE, email=MAILBOX)
    entries.add_entry(drive=offered, waitlist_request=WaitlistRequest("return"), person=person, actor=BEN, now=NOW)
    Slot.objects.filter(drive=offered, n=0).update(chairs_limit=1)
    assert offers.sweep_waitlists(now=NOW)["offered"] == 1
    earlier = NOW - timedelta(hours=2)  # codes are limited per 15 minutes
    builders.asked_to_wait(asked, number=NUMBER, name=NAME, email=MAILBOX, now=earlier)


def _upload(owner: Organization) -> None:
    """Upload files with Ana: one that is ready to import, and one without matched columns yet."""
    lines = f"{NAME},{PHONE},{MAILBOX}", f"{NAME},{PHONE},{MAILBOX}\n{NAME},1,{MAILBOX}"
    for name, line in zip(("quokka.csv", "more quokkas.csv"), lines, strict=True):
        made = uploads.upload_file(
            organization=owner,
            content=f"Name,Phone,E-mail\n{line}\n".encode(),
            file_name=name,
            actor=BEN,
            now=NOW,
        )
        if name == "quokka.csv":
            uploads.match_columns(import_id=made.pk, matched=made.columns, proof=ConsentProof(), now=NOW)
            imports_run.run_imports(now=NOW)


def _full_drive(owner: Organization, month: int) -> Drive:
    """Create a drive with no bookings and no open spots."""
    day = builders.DRIVE_DAY.replace(month=month)
    made = builders.drive(owner, builders.plain(builders.site(owner), spots=1, day=day))
    Slot.objects.filter(drive=made).update(chairs_limit=0)
    return made


def book_another_donor(drive: Drive, n: int, **who: Any) -> Booking:
    """Book another donor, as a coordinator does on the phone."""
    return book_for_donor.create_booking_for_donor(
        drive=drive,
        slot_id=builders.slot(drive, n).pk,
        visit="return",
        person=Person(**{"name": "Test Dan Dow", **who}),
        actor=BEN,
        now=NOW,
    )


def dump_tables() -> dict[str, str]:
    """Return all rows of each table as lower-case text, by table name. Sessions are also decoded."""
    found: dict[str, str] = {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT r::text FROM "{table}" AS r')  # noqa: S608  a name of the catalogue
            found[table] = "\n".join(text for (text,) in cursor.fetchall()).lower()
    found["django_session"] += json.dumps([row.get_decoded() for row in Session.objects.all()]).lower()
    return found


def find_canaries(places: dict[str, str]) -> dict[str, set[str]]:
    """Return the canaries in each of these texts. Texts without a canary are left out."""
    forms = [(form.lower(), form.lower().encode().hex()) for spelled in CANARIES.values() for form in spelled]
    found = {
        place: {plain for plain, as_bytes in forms if plain in text or as_bytes in text}
        for place, text in places.items()
    }
    return {place: canaries for place, canaries in found.items() if canaries}


def open_links(planted: Planted) -> dict[str, int]:
    """Open each link that Ana received. Return the response's status for each."""
    client = planted.client
    asked = {
        "feed": reverse("donor_feed", args=[planted.feed]),
        "stop": reverse("stop_messages", args=[planted.stop]),
        **{f"booking {n}": reverse("booking", args=[token]) for n, token in enumerate(planted.tokens)},
        **{f"calendar {n}": reverse("booking_calendar", args=[token]) for n, token in enumerate(planted.tokens)},
    }
    return {name: client.get(address, follow=True).status_code for name, address in asked.items()}
