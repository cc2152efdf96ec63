"""A coordinator sees that a mailbox refuses e-mail, and sends to it again or corrects it."""

import pytest
from django.urls import reverse

from drives.booking import changes
from drives.models import Booking
from notifications import mailboxes
from notifications.mailboxes import MailResult
from notifications.models import Message
from organizations.models import AuditEntry, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator, donor
from tests.notifications import made
from volunteers.models import Contact

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
MAIL = "ana@example.org"


def refusing(times: int = 3) -> Booking:
    """Create Ana's booking with only a mailbox.

    The mailbox refuses e-mail `times` times, and then a coordinator moves the booking.
    """
    booking = builders.booked(builders.drive(), phone="", email=MAIL)
    made.deliver(NOW)
    for _time in range(times):
        result = MailResult(booking.drive.organization_id, MAIL, "550")
        mailboxes.record_mail_results(mail_results=[result], now=NOW)
    new_slot = builders.slot(booking.drive, 3).pk
    changes.move_bookings(booking_id=booking.pk, slot_id=new_slot, actor="user:1", now=NOW)
    made.deliver(NOW)
    return booking


@pytest.mark.parametrize("times", [2, 3])
def test_the_donor_is_on_the_call_list_after_the_third_refusal(times: int) -> None:
    booking = refusing(times)
    ben = coordinator.signed_in(builders.member(booking.drive.organization))
    calls = donor.text(ben.get(reverse("organizer_call_list", args=[booking.drive_id])))
    assert ("this e-mail address rejects our e-mails" in calls) is (times == 3)
    pages = [("organizer_booking", booking.pk), ("organizer_person", booking.volunteer_id)]
    for name, pk in pages:
        page = reverse(name, args=[pk])
        assert ("rejected our last 3 e-mails" in donor.text(ben.get(page))) is (times == 3)


def test_tried_again_the_mailbox_gets_the_blocked_mail() -> None:
    booking = refusing()
    ben = coordinator.signed_in(builders.member(booking.drive.organization))
    shown = donor.text(ben.post(reverse("organizer_try_mailbox", args=[booking.volunteer_id]), follow=True))
    assert "We’ll send the next e-mail to this address." in shown
    made.deliver(NOW)
    assert Message.objects.get(kind="moved").state == "delivered"
    assert "rejected our last" not in donor.text(ben.get(reverse("organizer_person", args=[booking.volunteer_id])))


def test_mail_about_an_earlier_time_is_not_sent_any_more() -> None:
    booking = refusing()
    slot = builders.slot(booking.drive, 4).pk
    changes.move_bookings(booking_id=booking.pk, slot_id=slot, actor="user:1", now=NOW)
    made.deliver(NOW)
    ben = coordinator.signed_in(builders.member(booking.drive.organization))
    ben.post(reverse("organizer_try_mailbox", args=[booking.volunteer_id]))
    made.deliver(NOW)
    moved = Message.objects.filter(kind="moved").order_by("revision")
    assert list(moved.values_list("state", flat=True)) == ["blocked", "delivered"]


def test_a_corrected_mailbox_gets_the_blocked_mail() -> None:
    booking = refusing()
    ben = coordinator.signed_in(builders.member(booking.drive.organization))
    page = reverse("organizer_correct_email", args=[booking.volunteer_id])
    refused = ben.post(page, {"email": "ana@"})
    assert (refused.status_code, "Enter an e-mail address" in donor.text(refused)) == (422, True)
    assert 'value="ana@"' in refused.content.decode()
    shown = donor.text(ben.post(page, {"email": "Ana.Alder@example.org"}, follow=True))
    assert "E-mail address corrected." in shown
    assert Message.objects.get(kind="moved").address == "ana.alder@example.org"
    changed = AuditEntry.objects.get(verb="changed", about=f"volunteer:{booking.volunteer_id}")
    assert changed.fields == ["email"]
    taken = builders.booked(booking.drive, number=43, email="dan@example.org", n=1)
    Contact.objects.filter(address="dan@example.org").update(owner=taken.volunteer)
    assert "someone else under this" in donor.text(ben.post(page, {"email": "dan@example.org"}))


def correct(booking: Booking, email: str) -> None:
    ben = coordinator.signed_in(builders.member(booking.drive.organization))
    ben.post(reverse("organizer_correct_email", args=[booking.volunteer_id]), {"email": email})


@pytest.mark.parametrize(("is_corrected", "count"), [(False, 2), (True, 5)])
def test_a_corrected_mailbox_gets_an_email_for_each_move(*, is_corrected: bool, count: int) -> None:
    """Ana has not verified the mailbox, so it gets only two e-mails unless a coordinator corrects it."""
    booking = builders.booked(builders.drive(), email=MAIL)
    made.deliver(NOW)
    if is_corrected:
        correct(booking, "ana.alder@example.org")
    for n in (4, 5, 4, 5):
        slot = builders.slot(booking.drive, n).pk
        changes.move_bookings(booking_id=booking.pk, slot_id=slot, actor="user:1", now=NOW)
        made.deliver(NOW)
    assert Message.objects.filter(channel="email", state="delivered").exclude(kind="code").count() == count


def test_the_old_mailbox_opens_nothing_after_a_correction() -> None:
    booking = builders.booked(builders.drive(), phone="", email=MAIL)
    correct(booking, "ana.alder@example.org")
    old, new = Contact.objects.get(address=MAIL), Contact.objects.get(address="ana.alder@example.org")
    assert (old.owner, old.verified_at) == (None, None)
    assert (new.owner, new.verified_at) == (booking.volunteer, None)


def test_only_planners_may_act() -> None:
    booking = refusing()
    for role in (Role.VIEWER, Role.CHECK_IN):
        member = coordinator.signed_in(builders.member(booking.drive.organization, role, f"{role}@example.org"))
        for name in ("try_mailbox", "correct_email"):
            page = reverse(f"organizer_{name}", args=[booking.volunteer_id])
            assert member.post(page, {"email": "x@example.org"}).status_code == 403
