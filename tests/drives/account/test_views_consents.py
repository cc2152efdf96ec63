"""The consent ledger: what donors and coordinators see in it, and every way to withdraw a consent."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from drives.messaging import reminders
from drives.models import Booking
from notifications import consents, outbox
from notifications import queries as notifications_queries
from notifications.message_content import Envelope, MessageContent, RenderedMessage
from notifications.models import Channel, ConsentEntry, Message
from organizations.models import Organization, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.drives.caller import Api
from tests.drives.donor import text
from tests.notifications import made
from volunteers.consent_texts import CONSENT_VERSION
from volunteers.models import Contact, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

MAILBOX = "ana@example.org"
PHONE = builders.phone(42)


def world(**who: Any) -> Booking:
    """Create Ana's booking with a phone and a mailbox, both with consent to reminders."""
    return builders.booked(builders.drive(), **{"email": MAILBOX, **who})


def person_of(booking: Booking) -> Volunteer:
    assert booking.volunteer_id is not None
    return Volunteer.objects.select_related("phone", "email").get(pk=booking.volunteer_id)


def contact(booking: Booking, address: str) -> Contact:
    return Contact.objects.get(organization=booking.drive.organization, address=address)


def agreed_to(organization: Organization) -> set[tuple[str, str]]:
    found = notifications_queries.load_consents(organization, [PHONE, MAILBOX])
    return {(address, purpose) for (address, purpose), given in found.items() if given}


def stop_page(booking: Booking, address: str) -> str:
    return reverse("stop_messages", args=[contact(booking, address).token])


def turn(booking: Booking, kind: str, purpose: str, to: str, browser: Client | None = None) -> Any:
    typed = {"contact": kind, "purpose": purpose, "turn": to}
    return (browser or Client()).post(reverse("booking_consent", args=[booking.token]), typed)


# By e-mail (RFC 8058)


def test_every_mail_to_a_donor_carries_a_link_that_stops_mail_with_one_click() -> None:
    booking = world()
    confirmation = Message.objects.get(about=booking.about, kind="booked", channel="email")
    path = urlsplit(confirmation.unsubscribe_url).path
    assert confirmation.unsubscribe_url == f"http://testserver{stop_page(booking, MAILBOX)}"
    assert confirmation.unsubscribe_url in confirmation.text
    assert confirmation.unsubscribe_url in confirmation.html
    reader = Client(enforce_csrf_checks=True)
    assert reader.get(path).status_code == 200
    assert (MAILBOX, "reminders") in agreed_to(booking.drive.organization)
    answer = reader.post(path, {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert agreed_to(booking.drive.organization) == {(PHONE, "reminders")}
    line = ConsentEntry.objects.filter(address=MAILBOX, purpose="reminders").latest("pk")
    assert (line.source, line.actor, line.ip) == ("one_click", "donor", "127.0.0.1")
    assert line.wording == "List-Unsubscribe=One-Click"
    assert line.wording_version.endswith("-en")


def test_the_body_may_come_as_form_data_too_and_a_second_click_writes_nothing() -> None:
    booking = world()
    path, reader = stop_page(booking, MAILBOX), Client(enforce_csrf_checks=True)
    urlencoded = "application/x-www-form-urlencoded"
    assert reader.post(path, "List-Unsubscribe=One-Click", content_type=urlencoded).status_code == 200
    count = ConsentEntry.objects.count()
    assert reader.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert ConsentEntry.objects.count() == count


def test_looking_at_the_page_changes_nothing_and_an_unknown_link_is_not_found() -> None:
    booking = world()
    before = list(ConsentEntry.objects.values())
    for method in ("get", "head"):
        assert getattr(Client(), method)(stop_page(booking, MAILBOX)).status_code == 200
    assert list(ConsentEntry.objects.values()) == before
    assert (
        Client().post(reverse("stop_messages", args=["x" * 22]), {"List-Unsubscribe": "One-Click"}).status_code == 404
    )


def test_after_an_opt_out_from_mail_reminders_stay_away_and_changes_still_come() -> None:
    booking = world(phone="")
    scheduled = Message.objects.get(about=booking.about, kind="day_before")
    Client().post(stop_page(booking, MAILBOX), {"List-Unsubscribe": "One-Click"})
    reminders.render_due_reminders(now=scheduled.due_at)
    Client().post(reverse("booking_cancel", args=[booking.token]))
    made.deliver(now=scheduled.due_at)
    scheduled.refresh_from_db()
    assert scheduled.state in {"blocked", "withdrawn"}
    assert Message.objects.get(about=booking.about, kind="cancelled").state == "delivered"


def test_reminder_mail_respects_an_opt_out_and_an_invitation_needs_consent() -> None:
    here = builders.organization()
    reminder = made.queued(here, channel="email", address=MAILBOX, purpose="reminders")
    invitation = made.queued(here, channel="email", address=MAILBOX, purpose="news")
    made.deliver()
    assert [Message.objects.get(pk=each.pk).state for each in (reminder, invitation)] == ["delivered", "blocked"]
    consents.revoke_consents(
        organization=here, addresses=[MAILBOX], wording="no", source="link", actor="donor", now=made.NOON
    )
    refused = made.queued(here, channel="email", address=MAILBOX, purpose="reminders")
    made.deliver()
    refused.refresh_from_db()
    assert (refused.state, refused.reason) == ("blocked", "no_consent")


# By link


@pytest.mark.parametrize(
    ("scope", "left"),
    [
        ("address", {(PHONE, "reminders"), (PHONE, "news")}),
        ("news", {(PHONE, "reminders"), (PHONE, "news"), (MAILBOX, "reminders")}),
        ("everything", set()),
    ],
)
def test_the_stop_page_offers_less_or_more(scope: str, left: set[tuple[str, str]]) -> None:
    booking = world()
    here = booking.drive.organization
    Contact.objects.filter(address=MAILBOX).update(owner=booking.volunteer)
    builders.agreed(here, MAILBOX, "reminders", "news")
    builders.agreed(here, PHONE, "reminders", "news")
    shown = text(Client().post(stop_page(booking, MAILBOX), {"scope": scope}))
    assert ("No more news" if scope == "news" else "No more messages") in shown
    assert agreed_to(here) == left


def test_everything_leaves_another_persons_addresses_alone() -> None:
    booking = world()
    here = booking.drive.organization
    assert contact(booking, MAILBOX).owner_id is None
    Client().post(stop_page(booking, MAILBOX), {"scope": "everything"})
    assert agreed_to(here) == {(PHONE, "reminders")}


def test_one_organization_is_stopped_and_no_other() -> None:
    booking = world()
    other = builders.organization("Faith Foundation")
    builders.agreed(other, PHONE)
    Client().post(stop_page(booking, PHONE), {"scope": "everything"})
    assert agreed_to(other) == {(PHONE, "reminders")}


def test_every_ledger_entry_is_kept_after_an_opt_out() -> None:
    booking = world()
    given = list(ConsentEntry.objects.order_by("pk").values())
    Client().post(stop_page(booking, PHONE), {"scope": "everything"})
    assert list(ConsentEntry.objects.order_by("pk").values())[: len(given)] == given
    first = ConsentEntry.objects.filter(address=PHONE).earliest("pk")
    assert (first.given, first.source, first.actor, first.ip, first.at) == (True, "online", "donor", "192.0.2.42", NOW)
    assert "Msg & data rates may apply" in first.wording
    assert first.wording_version == f"{CONSENT_VERSION}-en"


# By text


def test_a_stop_counts_for_all_who_share_the_phone() -> None:
    booking = world()
    here = booking.drive.organization
    phone = person_of(booking).phone
    other = Volunteer.objects.create(
        organization=here, name="Test Bo Birch", phone=phone, created_at=NOW, **Volunteer.build_link_fields()
    )
    sender = notifications_queries.find_sender(here)
    assert sender is not None
    consents.suppress_address(sender=sender, address=PHONE, now=NOW)
    mine = made.queued(here, address=PHONE, purpose="reminders", recipient=f"volunteer:{booking.volunteer_id}")
    theirs = made.queued(here, address=PHONE, purpose="reminders", recipient=f"volunteer:{other.pk}")
    made.deliver()
    states = Message.objects.filter(pk__in=[mine.pk, theirs.pk]).values_list("state", "reason")
    assert set(states) == {("blocked", "opted_out")}


# On the booking's page


def test_a_donor_sees_what_they_agreed_to_and_turns_it_off_and_on() -> None:
    booking = world(consents=("reminders", "news"))
    here = booking.drive.organization
    page = text(Client().get(reverse("booking", args=[booking.token]), follow=True))
    assert "Yes, since March 1, 2027" in page
    assert "Msg & data rates may apply" in page.replace("&amp;", "&")
    turn(booking, "phone", "news", "off")
    assert (PHONE, "news") not in agreed_to(here)
    assert (PHONE, "reminders") in agreed_to(here)
    assert "No, since March 1, 2027" in text(Client().get(reverse("booking", args=[booking.token]), follow=True))
    turn(booking, "phone", "news", "on")
    assert (PHONE, "news") in agreed_to(here)
    line = ConsentEntry.objects.latest("pk")
    assert (line.given, line.source, line.actor, line.ip) == (True, "page", "donor", "127.0.0.1")
    assert "upcoming drives" in line.wording


def test_after_a_stop_by_text_the_page_says_start_and_no_box_turns_texts_on() -> None:
    booking = world()
    sender = notifications_queries.find_sender(booking.drive.organization)
    assert sender is not None
    consents.suppress_address(sender=sender, address=PHONE, now=NOW)
    page = text(Client().get(reverse("booking", args=[booking.token]), follow=True))
    assert "Stopped Text START to (202) 555-" in page
    answer = turn(booking, "phone", "reminders", "on")
    assert answer.status_code == 409
    assert "Text START" in text(answer)
    assert (PHONE, "reminders") not in agreed_to(booking.drive.organization)


def test_consent_needs_a_verified_contact() -> None:
    booking = world(consents=())
    here = booking.drive.organization
    assert turn(booking, "email", "news", "on").status_code == 409
    assert agreed_to(here) == set()
    assert turn(booking, "email", "reminders", "on").status_code == 303
    assert agreed_to(here) == {(MAILBOX, "reminders")}


def test_a_forged_form_changes_no_consent() -> None:
    booking = world()
    before = ConsentEntry.objects.count()
    assert turn(booking, "phone", "reminders", "off", Client(enforce_csrf_checks=True)).status_code == 403
    assert turn(booking, "fax", "reminders", "off").status_code == 400
    assert turn(booking, "phone", "everything", "off").status_code == 400
    assert Client().get(reverse("booking_consent", args=[booking.token])).status_code == 303
    assert ConsentEntry.objects.count() == before


# By a coordinator


def test_a_coordinator_records_an_opt_out() -> None:
    booking = world()
    here = booking.drive.organization
    ben = builders.member(here, Role.COORDINATOR, "ben@example.org")
    browser, address = coordinator.signed_in(ben), reverse("organizer_stop_messages", args=[booking.pk])
    shown = text(browser.post(address, {"stop": "texts"}, follow=True))
    assert agreed_to(here) == {(MAILBOX, "reminders")}
    assert "withdrawn Reminders about your booking (201) 555-0142" in shown
    assert "coordinator, by ben@example.org" in shown
    line = ConsentEntry.objects.filter(address=PHONE, purpose="reminders").latest("pk")
    assert (line.given, line.source, line.actor) == (False, "coordinator", f"user:{ben.user_id}")
    assert here.audit_entries.filter(verb="consent.withdrawn").count() == 1
    browser.post(address, {"stop": "all"})
    assert agreed_to(here) == set()


@pytest.mark.parametrize(("role", "shown"), [(Role.CHECK_IN, "(201) 555-0142"), (Role.VIEWER, "…42")])
def test_viewers_read_the_ledger_and_change_nothing(role: str, shown: str) -> None:
    booking = world()
    browser = coordinator.signed_in(builders.member(booking.drive.organization, role))
    assert browser.post(reverse("organizer_stop_messages", args=[booking.pk]), {"stop": "all"}).status_code == 403
    page = text(browser.get(reverse("organizer_booking", args=[booking.pk])))
    assert f"agreed Reminders about your booking {shown}" in page
    assert "No more texts" not in page
    assert len(agreed_to(booking.drive.organization)) == 2


# Nothing is sent without consent, whichever button is pressed


def told_by_page() -> Organization:
    drive = builders.drive()
    donor.booked(Client(), drive, reminders="")
    return drive.organization


def told_by_api() -> Organization:
    drive = builders.drive()
    held = Api().book(slot=str(builders.slot(drive).pk), consents=[]).json()
    code = builders.code_of(Booking.objects.get())
    assert Api().post(f"bookings/{held['token']}/verify/", {"code": code}).status_code == 200
    return drive.organization


def told_by_key() -> Organization:
    drive = builders.drive()
    Api.with_key(drive.organization).book(slot=str(builders.slot(drive).pk))
    assert Booking.objects.get().state == "booked"
    return drive.organization


def told_by_coordinator() -> Organization:
    drive = builders.drive()
    browser = coordinator.signed_in(builders.member(drive.organization, Role.COORDINATOR))
    typed = {"visit": "return", "name": "Test Ana Alder", "phone": PHONE, "slot": builders.slot(drive).pk}
    answer = browser.post(reverse("organizer_add_booking", args=[drive.pk]), typed)
    assert answer.status_code == 302
    browser.post(reverse("organizer_cancel_booking", args=[Booking.objects.get().pk]), {"reason": "called"})
    return drive.organization


def told_by_queue() -> Organization:
    here = builders.organization()
    for purpose in ("reminders", "news"):
        envelope = Envelope(
            key=f"broadcast:1/{purpose}",
            kind="broadcast",
            about="broadcast:1",
            channel=Channel.SMS,
            address=PHONE,
            purpose=purpose,
            due_at=NOW,
            expires_at=NOW + timedelta(days=1),
        )
        outbox.queue_messages(
            organization=here, messages=[RenderedMessage(envelope, MessageContent("Come on Saturday."))], now=NOW
        )
    return here


@pytest.mark.parametrize("door", [told_by_page, told_by_api, told_by_key, told_by_coordinator, told_by_queue])
def test_no_reminder_and_no_news_reaches_a_phone_that_did_not_agree(door: Any) -> None:
    organization = door()
    assert agreed_to(organization) == set()
    made.deliver(now=NOW)
    texts = Message.objects.filter(organization=organization, channel="sms")
    texts = texts.exclude(kind__in=["code", "booked", "cancelled"])
    waiting = texts.exclude(state="scheduled")
    assert texts.count() > 0
    assert set(waiting.values_list("state", "reason")) <= {("blocked", "no_consent"), ("withdrawn", "withdrawn")}
    for scheduled in texts.filter(state="scheduled"):
        reminders.render_due_reminders(now=scheduled.due_at)
        made.deliver(now=scheduled.due_at)
    assert not texts.filter(state__in=["sent", "delivered", "accepted", "scheduled", "queued"]).exists()
