"""The pages say which contacts a message will reach.

For every kind of message and every kind of donor, delivery reaches exactly these contacts.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from drives.desk import booking_record, person_record
from drives.messaging import call_list, reach, reminders
from drives.models import Booking, Offer
from drives.waitlist import close, offers
from notifications import consents, envelopes, kinds, mailboxes, outbox
from notifications.kinds import KINDS, ChannelChoice, ChannelRule, MessageKind
from notifications.mailboxes import MailResult
from notifications.message_content import MessageContent, RenderedMessage
from notifications.models import Message, Purpose
from organizations.models import Organization, Role
from tests import builders
from tests.builders import NOW
from tests.cases import list_cases
from tests.drives import coordinator, donor
from tests.notifications import made
from volunteers import addressees
from volunteers.models import Contact, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

PHONE = builders.phone(42)
MAIL = "ana@example.org"


def stop(of: Organization) -> None:
    consents.suppress_address(sender=of.senders.get(), address=PHONE, now=NOW)


def take_back(of: Organization) -> None:
    for purpose in Purpose.values:
        builders.agreed(of, PHONE, purpose, given=False)


def unprove(of: Organization) -> None:
    Contact.objects.filter(address=PHONE).update(owner=None, verified_at=None)


def send_another_email(of: Organization) -> None:
    rendered = Message.objects.filter(organization=of, kind="week")
    rendered.update(state="delivered", text="See you")


def end_sending(of: Organization) -> None:
    of.senders.update(stopped_at=NOW)


def refuse_mail(of: Organization) -> None:
    builders.agreed(of, MAIL, *Purpose.values, given=False)


def reject_mail(of: Organization) -> None:
    for _time in range(3):
        mailboxes.record_mail_results(mail_results=[MailResult(of.pk, MAIL, "550")], now=NOW)


DONORS: dict[str, tuple[dict[str, Any], Callable[[Organization], None] | None]] = {
    "phone": ({}, None),
    "phone with both consents": ({"consents": ("reminders", "news")}, None),
    "phone and mailbox": ({"email": MAIL, "consents": ("reminders", "news")}, None),
    "phone after STOP": ({}, stop),
    "phone after STOP, and mailbox": ({"email": MAIL}, stop),
    "every consent taken back": ({}, take_back),
    "unverified phone": ({}, unprove),
    "mailbox": ({"phone": "", "email": MAIL}, None),
    "mailbox that refused": ({"phone": "", "email": MAIL}, refuse_mail),
    "mailbox that refuses mail": ({"phone": "", "email": MAIL}, reject_mail),
    "unverified mailbox with an e-mail left": ({"email": MAIL}, None),
    "unverified mailbox with no e-mail left": ({"email": MAIL}, send_another_email),
    "no sender": ({}, lambda of: of.senders.all().delete() and None),
    "sender stopped": ({"email": MAIL}, end_sending),
}
# Without the kinds that go to members by e-mail, and without codes and answers, which go to the contact in question.
DONOR_KINDS = [kind for kind in KINDS.values() if kind.channels not in (ChannelChoice.MAIL, ChannelRule.CONTACT)]


def booked(who: str) -> Booking:
    details, change = DONORS[who]
    booking = builders.booked(builders.drive(), **{"consents": (), **details})
    made.deliver(NOW)
    if change:
        change(booking.drive.organization)
    if not who.startswith("unverified mailbox"):
        builders.verify_mailbox(MAIL)
    return Booking.objects.select_related("drive__organization", "volunteer__phone", "volunteer__email").get(
        pk=booking.pk
    )


def told_by(kind: MessageKind, booking: Booking) -> set[str]:
    """Send a message of this kind to each contact of the donor. Return the channels of the delivered messages.

    The messages are deleted afterward.
    """
    addressee = addressees.build_addressee(booking.volunteer)
    rows = [
        RenderedMessage(envelope, MessageContent(text="See you", subject="See you"))
        for contact in addressee.contacts
        for envelope in envelopes.build_envelopes(
            kind,
            replace(addressee, contacts=[contact]),
            key=f"test/{kind.name}",
            about=booking.about,
            due_at=NOW,
            visit_at=NOW + timedelta(days=12),
            useful_until=NOW + timedelta(days=12),
            ignores_quiet_hours=True,
        )
    ]
    outbox.queue_messages(organization=booking.drive.organization, messages=rows, now=NOW)
    made.deliver(NOW + timedelta(minutes=1))
    sent = Message.objects.filter(key__startswith="test/")
    channels = set(sent.filter(state="delivered").values_list("channel", flat=True))
    sent.delete()
    return channels


@pytest.mark.parametrize("who", DONORS)
def test_reach_agrees_with_the_check_before_sending_for_every_kind(who: str) -> None:
    booking = booked(who)
    found, to = reach.load_reach(booking.drive.organization, [booking]), addressees.build_addressee(booking.volunteer)
    for kind in DONOR_KINDS:
        said = {
            contact[0]
            for contact in to.contacts
            if found.facts.list_contacts(kind, replace(to, contacts=[contact]), about=booking.about)
        }
        assert said == told_by(kind, booking), kind.name
        assert bool(found.find_obstacle(booking, kind)) is (said == set()), kind.name


@pytest.mark.parametrize("who", DONORS)
def test_the_booking_says_which_reminders_will_go_and_by_which_channel(who: str) -> None:
    booking = booked(who)
    rows = [row for row in booking_record.load_booking_record(booking).messages if row.message.state == "scheduled"]
    assert rows
    for row in rows:
        reminders.render_due_reminders(now=row.message.due_at)
        made.deliver(row.message.due_at)
        row.message.refresh_from_db()
        is_delivered = row.message.state == "delivered"
        assert is_delivered is (row.obstacle == ""), (row.message.state, row.obstacle)
        assert not is_delivered or row.message.channel == row.channel


@pytest.mark.parametrize("who", DONORS)
def test_the_person_s_page_says_the_same_of_reminders_as_the_booking(who: str) -> None:
    booking = booked(who)
    assert booking.volunteer
    shown = {row.message.pk: row for row in person_record.load_person_record(booking.volunteer).messages}
    rows = [row for row in booking_record.load_booking_record(booking).messages if row.message.state == "scheduled"]
    assert rows
    assert [shown[row.message.pk] for row in rows] == rows


@pytest.mark.parametrize("case", list_cases("K4 planned"))
def test_reminders_after_a_stop_say_that_they_will_not_go_out(case: dict[str, Any]) -> None:
    booking = booked("phone with both consents")
    organization = booking.drive.organization
    ben = coordinator.signed_in(builders.member(organization, Role.OWNER))
    address = case["how"].rpartition(" ")[2].replace("<id>", str(booking.pk))
    told = "won’t be sent asked us to stop texting"
    assert told not in donor.text(ben.get(address))
    stop(organization)
    scheduled = Message.objects.filter(about=booking.about, state="scheduled").count()
    assert scheduled > 0
    assert donor.text(ben.get(address)).count(told) == scheduled


def test_control_reach_that_forgets_a_refusal_differs_from_the_gate() -> None:
    booking = booked("mailbox that refuses mail")
    forgetful = replace(reach.load_reach(booking.drive.organization, [booking]).facts, refusing=())
    assert forgetful.list_contacts(kinds.MOVED, addressees.build_addressee(booking.volunteer))
    assert told_by(kinds.MOVED, booking) == set()


def test_control_reach_that_forgets_a_stop_differs_from_the_gate() -> None:
    booking = booked("phone after STOP")
    forgetful = replace(reach.load_reach(booking.drive.organization, [booking]).facts, suppressed=())
    assert forgetful.list_contacts(kinds.MOVED, addressees.build_addressee(booking.volunteer))
    assert told_by(kinds.MOVED, booking) == set()


def test_control_reach_that_forgets_the_limit_of_a_mailbox_differs_from_the_outbox() -> None:
    booking = booked("unverified mailbox with no e-mail left")
    forgetful = replace(reach.load_reach(booking.drive.organization, [booking]).facts, emails={})
    to = addressees.build_addressee(booking.volunteer)
    assert ("email", MAIL) in forgetful.list_contacts(kinds.MOVED, to, about=booking.about)
    assert told_by(kinds.MOVED, booking) == {"sms"}


@pytest.mark.parametrize(("who", "is_told"), [("phone", True), ("phone after STOP", False), ("mailbox", True)])
def test_the_booked_page_says_whether_a_confirmation_arrives(who: str, *, is_told: bool) -> None:
    booking = booked(who)
    shown = donor.text(Client().get(reverse("booking", args=[booking.token]), follow=True))
    assert ("We can’t reach you by text or e-mail." in shown) is not is_told
    assert ("Send the confirmation again" in shown) is is_told


@pytest.mark.parametrize("has_phone", [True, False])
def test_only_a_donor_with_a_phone_is_promised_a_call(*, has_phone: bool) -> None:
    booking = booked("phone after STOP")
    if not has_phone:
        Volunteer.objects.filter(bookings=booking).update(phone=None)
    shown = donor.text(Client().get(reverse("booking", args=[booking.token]), follow=True))
    assert "We can’t reach you by text or e-mail. You won’t get a message from us." in shown
    assert ("We’ll try to call you if something changes." in shown) is has_phone


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_booking_by_phone_says_the_truth_and_goes_on_the_lists(*, is_stopped: bool) -> None:
    drive = builders.drive()
    if is_stopped:
        stop(drive.organization)
    ben = coordinator.signed_in(builders.member(drive.organization, Role.OWNER))
    page = reverse("organizer_add_booking", args=[drive.pk])
    typed = {"name": "Test Ana Alder", "phone": donor.PHONE, "slot": builders.slot(drive).pk, "visit": "return"}
    shown = donor.text(ben.post(page, typed, follow=True))
    assert ("We’re sending a confirmation." in shown) is not is_stopped
    assert ("1 person can’t be reached by text or e-mail. See the call list." in shown) is is_stopped
    made.deliver(NOW)
    home = donor.text(ben.get(reverse("organizer_home")))
    assert ("1 person from “Plasma drive” did not get a message. Call them." in home) is is_stopped
    calls = donor.text(ben.get(reverse("organizer_call_list", args=[drive.pk])))
    assert ("They are booked" in calls) is is_stopped


def offered(*, is_stopped: bool) -> Offer:
    [first] = builders.full_drive(steps=1)
    entry = builders.waits(first.drive)
    made.deliver(NOW)
    if is_stopped:
        stop(first.drive.organization)
    builders.cancelled(first)
    offers.sweep_waitlists(now=NOW)
    made.deliver(NOW)
    offer = builders.offer_to(entry)
    assert offer
    return offer


@pytest.mark.parametrize("is_stopped", [False, True])
def test_an_offer_that_no_message_delivers_is_on_the_call_list(*, is_stopped: bool) -> None:
    offer = offered(is_stopped=is_stopped)
    drive = offer.entry.drive
    ben = coordinator.signed_in(builders.member(drive.organization, Role.OWNER))
    page = reverse("organizer_call_list", args=[drive.pk])
    assert ("A spot is open for them" in donor.text(ben.get(page))) is is_stopped
    home = donor.text(ben.get(reverse("organizer_home")))
    assert ("did not get a message. Call them." in home) is is_stopped
    waiting = donor.text(Client().get(reverse("waitlist_entry", args=[offer.entry.token]), follow=True))
    assert ("We can’t reach you by text or e-mail." in waiting) is is_stopped
    assert waiting.index("We’ll hold it for you until") < waiting.index("You’re number 1 on the waiting list")


def test_a_coordinator_takes_the_spot_for_a_donor_on_the_phone() -> None:
    offer = offered(is_stopped=True)
    drive = offer.entry.drive
    ben = coordinator.signed_in(builders.member(drive.organization, Role.OWNER))
    shown = donor.text(ben.post(reverse("organizer_answer_offer", args=[drive.pk, offer.pk, "take"]), follow=True))
    assert "Test Ana Alder is booked. 1 person can’t be reached by text or e-mail. See the call list." in shown
    assert Booking.objects.get(drive=drive, state="booked").volunteer == offer.entry.volunteer
    assert ben.post(reverse("organizer_answer_offer", args=[drive.pk, offer.pk, "other"])).status_code == 404


def test_a_call_about_an_offer_takes_the_donor_off_the_list() -> None:
    offer = offered(is_stopped=True)
    drive, entry = offer.entry.drive, offer.entry
    ben = coordinator.signed_in(builders.member(drive.organization, Role.CHECK_IN))
    (row,) = call_list.load_call_list(drive, NOW).to_call
    reached = reverse("organizer_mark_reached", args=[drive.pk, entry.about])
    ben.post(reached, {"topic": [topic.topic for topic in row.topics]})
    found = call_list.load_call_list(drive, NOW)
    assert (found.to_call, [row.subject for row in found.reached]) == ([], [entry])
    ben.post(reverse("organizer_unmark_reached", args=[drive.pk, entry.about]))
    assert [row.subject for row in call_list.load_call_list(drive, NOW).to_call] == [entry]
    for unknown in ("waitlist:999999", "booking:x", "other:1"):
        assert ben.post(reverse("organizer_mark_reached", args=[drive.pk, unknown])).status_code == 404


@pytest.mark.parametrize(("hours", "is_listed"), [(23, True), (24, False)])
def test_a_closed_waitlist_is_on_the_call_list_for_a_day(hours: int, *, is_listed: bool) -> None:
    offer = offered(is_stopped=True)
    drive = offer.entry.drive
    type(drive).objects.filter(pk=drive.pk).update(state="closed")
    close.close_waitlist(drive_id=drive.pk, actor="user:7", now=NOW)
    made.deliver(NOW)
    rows = call_list.load_call_list(drive, NOW + timedelta(hours=hours)).to_call
    assert [topic.kind for row in rows for topic in row.topics] == (["waitlist_closed"] if is_listed else [])


def test_a_coordinator_is_refused_in_words_for_coordinators() -> None:
    booking = builders.booked(builders.drive())
    drive = booking.drive
    ben = coordinator.signed_in(builders.member(drive.organization, Role.OWNER))
    typed = {"name": "Test Ana Alder", "phone": donor.PHONE, "slot": builders.slot(drive, 4).pk, "visit": "return"}
    shown = donor.text(ben.post(reverse("organizer_add_booking", args=[drive.pk]), typed))
    assert "This person already has a booking at this drive." in shown
    assert "You already have a booking" not in shown
