"""A command or the organization's owner revokes all links of an organization."""

import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from drives.booking import changes
from drives.messaging import reminders
from drives.models import Booking
from drives.privacy import link_renewal
from notifications.models import Message
from organizations.models import AuditEntry, Organization, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from tests.query_counts import Act
from volunteers.models import Contact, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
NOTICE = "Our earlier links no longer work. New link: http://testserver/b/"


def opens(name: str, token: str) -> bool:
    return Client().get(reverse(name, args=[token]), follow=True).status_code == 200


def list_links(booking: Booking) -> list[tuple[str, str]]:
    booking.refresh_from_db()
    volunteer = Volunteer.objects.select_related("phone", "email").get(bookings=booking)
    contacts = [contact for contact in (volunteer.phone, volunteer.email) if contact]
    return [
        ("booking", booking.token),
        ("booking_calendar", booking.token),
        ("donor_feed", volunteer.token),
        *(("stop_messages", contact.token) for contact in contacts),
    ]


def test_no_earlier_link_opens_and_each_row_has_a_new_one() -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org")
    entry = builders.waits(builders.full_drive()[0].drive, number=77)
    before = [*list_links(booking), ("waitlist_entry", entry.token)]
    assert all(opens(*link) for link in before)
    for organization in Organization.objects.all():
        link_renewal.revoke_links(organization=organization, actor="command", now=NOW)
    entry.refresh_from_db()
    after = [*list_links(booking), ("waitlist_entry", entry.token)]
    assert [link for link in before if opens(*link) and link[0] != "booking"] == []
    assert "You’re booked" not in text(Client().get(reverse("booking", args=[before[0][1]]), follow=True))
    assert all(opens(*link) for link in after)


def test_other_organizations_keep_their_links() -> None:
    ours, theirs = (
        builders.booked(builders.drive()),
        builders.booked(builders.drive(builders.organization("Sun")), number=43),
    )
    kept = list_links(theirs)
    link_renewal.revoke_links(organization=ours.drive.organization, actor="command", now=NOW)
    assert list_links(theirs) == kept


def test_the_next_reminder_contains_the_new_link_and_mentions_the_change() -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org")
    later = builders.booked(builders.drive(booking.drive.organization), number=43, now=NOW + timedelta(hours=1))
    link_renewal.revoke_links(organization=booking.drive.organization, actor="command", now=NOW + timedelta(minutes=1))
    reminders.render_due_reminders(now=booking.starts_at - timedelta(hours=20))
    booking.refresh_from_db()
    sent = Message.objects.filter(about=booking.about, kind="day_before").exclude(text="")
    assert {message.channel for message in sent} == {"sms"}
    assert [f"{NOTICE}{booking.token}/" in message.text for message in sent] == [True]
    not_told = Message.objects.filter(about=later.about, kind="day_before").exclude(text="")
    assert [NOTICE in message.text for message in not_told] == [False]


def test_a_moved_booking_says_so_by_text_and_by_mail() -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org")
    link_renewal.revoke_links(organization=booking.drive.organization, actor="command", now=NOW + timedelta(minutes=1))
    slot, later = builders.slot(booking.drive, 4), NOW + timedelta(minutes=2)
    changes.move_bookings(booking_id=booking.pk, slot_id=slot.pk, actor="user:1", now=later)
    booking.refresh_from_db()
    texts = dict(Message.objects.filter(about=booking.about, kind="moved").values_list("channel", "text"))
    assert {channel: f"{NOTICE}{booking.token}/" in text for channel, text in texts.items()} == {
        "sms": True,
        "email": True,
    }


def test_messages_that_have_not_left_get_the_new_links() -> None:
    booking = builders.booked(builders.drive(), email="ana@example.org")
    old = booking.token
    unsent = Message.objects.filter(about=booking.about, kind="booked")
    assert {old in message.text for message in unsent} == {True}
    assert any("\r\n " in message.calendar for message in unsent)
    unsent.filter(channel="sms").update(state="claimed", attempt_token="a worker has it", lease_until=NOW)
    link_renewal.revoke_links(organization=booking.drive.organization, actor="command", now=NOW)
    booking.refresh_from_db()
    mailbox = Contact.objects.get(address="ana@example.org")
    for message in unsent.all():
        whole = "".join([message.text, message.html, message.calendar.replace("\r\n ", "")])
        assert (old in whole, booking.token in whole) == (False, True)
        assert message.unsubscribe_url in {"", f"http://testserver/stop/{mailbox.token}/"}
        assert max(map(len, message.calendar.encode().split(b"\r\n"))) <= 75
    assert (unsent.get(channel="sms").state, unsent.get(channel="sms").attempt_token) == ("queued", "")


@pytest.mark.parametrize("reason", ["sender_stopped", "mailbox_refuses"])
def test_blocked_messages_that_may_leave_later_get_the_new_links(reason: str) -> None:
    booking = builders.booked(builders.drive())
    blocked = Message.objects.filter(about=booking.about, kind="booked")
    blocked.update(state="blocked", reason=reason)
    link_renewal.revoke_links(organization=booking.drive.organization, actor="command", now=NOW)
    booking.refresh_from_db()
    assert booking.token in blocked.get().text


def test_a_message_that_left_keeps_its_text() -> None:
    booking = builders.booked(builders.drive())
    Message.objects.filter(about=booking.about).exclude(text="").update(state="delivered")
    before = list(Message.objects.order_by("pk").values_list("text", flat=True))
    link_renewal.revoke_links(organization=booking.drive.organization, actor="command", now=NOW)
    assert list(Message.objects.order_by("pk").values_list("text", flat=True)) == before


def test_only_an_owner_revokes_the_links_and_only_after_checking_the_box() -> None:
    booking = builders.booked(builders.drive())
    organization, page = booking.drive.organization, reverse("organizer_links")
    ben = coordinator.signed_in(builders.member(organization, Role.OWNER))
    assert ben.get(page).status_code == 200
    assert ben.post(page, {}).status_code == 422
    assert opens("booking_calendar", booking.token)
    assert "We revoked all earlier links" in text(ben.post(page, {"sure": "on"}, follow=True))
    assert not opens("booking_calendar", booking.token)
    entry = AuditEntry.objects.get(verb="links_revoked")
    assert (entry.organization, entry.actor) == (organization, f"user:{ben.session['_auth_user_id']}")
    dana = coordinator.signed_in(builders.member(organization, Role.COORDINATOR))
    assert [dana.get(page).status_code, dana.post(page, {"sure": "on"}).status_code] == [403, 403]
    assert "Links in messages" not in text(dana.get(reverse("organizer_settings")))


def test_the_command_needs_a_name_or_all() -> None:
    booking = builders.booked(builders.drive())
    for wrong in ([], ["gone"], [booking.drive.organization.slug, "--all"]):
        with pytest.raises(CommandError):
            call_command("revoke_links", *wrong)
    call_command("revoke_links", booking.drive.organization.slug)
    assert not opens("booking_calendar", booking.token)


def test_the_pages_take_as_many_queries_for_one_booking_as_for_three() -> None:
    def prepare(number: int) -> Act:
        organization = builders.organization(f"Hope {number}")
        drive = builders.drive(organization)
        for n in range(number):
            builders.booked(drive, n=n, number=50 + number * 10 + n)
        ben = coordinator.signed_in(builders.member(organization, Role.OWNER, email=f"ben{number}@example.org"))
        ben.get(reverse("organizer_links"))
        return lambda: ben.get(reverse("organizer_links"))

    assert query_counts.count_for_each(prepare) <= 10


@pytest.mark.django_db(transaction=True)
def test_a_row_that_another_transaction_holds_is_renewed_when_it_is_free() -> None:
    booking = builders.booked(builders.drive())
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Booking.objects.select_for_update().get(pk=booking.pk)
            held.set()
            release.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    threading.Timer(0.3, release.set).start()
    link_renewal.revoke_links(organization=booking.drive.organization, actor="command", now=NOW)
    holder.join()
    assert not opens("booking_calendar", booking.token)
