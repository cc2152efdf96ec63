"""The counts and records that an erasure keeps."""

from datetime import timedelta
from typing import Any

import pytest

from drives import refusals
from drives.attendance import check_in, close_out, turnout, turnout_report
from drives.attendance.turnout import TurnoutNumbers
from drives.attendance.turnout_report import TurnoutReport
from drives.booking import verify
from drives.capacity import drift
from drives.models import Booking, BookingState, Conversation, Drive, Slot, Turnout
from drives.privacy import erase as privacy_erase
from drives.refusals import HoldLapsed
from notifications import contact_address, outbox
from notifications import queries as notifications_queries
from notifications.models import ConsentEntry, InboundMessage, Message, Sender, Suppression
from organizations import idempotency
from organizations.models import AuditEntry
from tests import builders
from tests.builders import NOW
from tests.drives.inbox.test_conversations import say
from tests.drives.privacy.planted import MAILBOX, PHONE, book_another_donor, dump_tables, plant
from tests.notifications import made
from volunteers import queries as volunteers_queries
from volunteers.models import Contact, VerifiedBrowser, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
LATER = NOW + timedelta(hours=3)


def erase(volunteer_id: int | None, because: str = "asked", actor: str = "donor") -> privacy_erase.ErasureResult:
    assert volunteer_id
    return privacy_erase.erase_volunteer(volunteer_id=volunteer_id, reason=because, actor=actor, now=LATER)


def a_month_later() -> Drive:
    return builders.drive(day=builders.DRIVE_DAY + timedelta(days=30))


def test_an_erasure_changes_no_count_of_past_visits() -> None:
    ana = plant()
    before, fates = _counted(ana.past), _fates()
    erase(ana.volunteer_id)
    assert _counted(ana.past) == before
    assert before[0].donated_count == 1
    assert _fates() - fates == {("withdrawn", "erased")} - fates
    assert fates - _fates() <= {("scheduled", ""), ("queued", "")}


def _counted(past: Drive) -> tuple[TurnoutNumbers, TurnoutReport, dict[str, Any]]:
    """Return the turnout numbers on the pages, the turnout report, and the newly computed counts."""
    close_out.update_turnout(drive=past, now=NOW)
    return (
        turnout.count_turnout(past),
        turnout_report.load_turnout_report(past),
        dict(Turnout.objects.filter(drive=past).values().get()),
    )


def _fates() -> set[tuple[str, str]]:
    return set(Message.objects.values_list("state", "reason"))


def test_upcoming_spots_are_freed_without_messages() -> None:
    ana = plant()
    assert erase(ana.volunteer_id).cancelled_count == 1
    assert not Message.objects.exclude(address="").exists()
    assert not Slot.objects.filter(drive=ana.drive, chairs_taken__gt=0).exists()
    assert drift.count_drifted_slots() == 0
    states = Booking.objects.filter(volunteer_id=ana.volunteer_id).order_by("starts_at").values_list("state", flat=True)
    assert list(states) == ["donated", "cancelled"]
    assert Booking.objects.get(drive=ana.drive, volunteer=None).state == BookingState.LAPSED


def test_a_second_time_changes_nothing() -> None:
    ana = plant()
    erase(ana.volunteer_id)
    before = dump_tables()
    assert erase(ana.volunteer_id).cancelled_count == 0
    assert dump_tables() == before


def test_the_ledger_keeps_a_hash_the_words_and_the_time() -> None:
    ana = plant()
    before = list(ConsentEntry.objects.order_by("pk").values("purpose", "wording_version", "wording", "at", "given"))
    erase(ana.volunteer_id)
    after = ConsentEntry.objects.order_by("pk").values("purpose", "wording_version", "wording", "at", "given")
    assert list(after) == before
    kept = ConsentEntry.objects.values_list("address", "ip").distinct()
    assert set(kept) == {
        (contact_address.compute_identity(PHONE), None),
        (contact_address.compute_identity(MAILBOX), None),
    }


def test_a_stop_outlives_the_erasure_until_start() -> None:
    ana = plant()
    sender = Sender.objects.get(organizations=ana.organization)
    say("STOP", LATER, sender)
    erase(ana.volunteer_id)
    assert Suppression.objects.get().address == contact_address.compute_identity(PHONE)
    back = book_another_donor(ana.drive, 12, phone=PHONE, consents=("reminders",))
    assert back.volunteer_id != ana.volunteer_id
    assert notifications_queries.is_suppressed(ana.organization, PHONE)
    made.deliver(LATER)
    told = Message.objects.filter(about=back.about, channel="sms", kind="booked").get()
    assert (told.state, told.reason) == ("blocked", "opted_out")
    say("START", LATER + timedelta(minutes=1), sender)
    assert not notifications_queries.is_suppressed(ana.organization, PHONE)
    assert not Suppression.objects.exists()


def test_an_erasure_ends_a_consent_and_keeps_an_opt_out() -> None:
    ana = plant()
    other = "reminders"
    assert notifications_queries.load_consents(ana.organization, [PHONE]) == {
        (PHONE, "reminders"): True,
        (PHONE, "news"): True,
    }
    erase(ana.volunteer_id)
    assert notifications_queries.load_consents(ana.organization, [PHONE]) == {}
    hashed = ConsentEntry.objects.filter(address=contact_address.compute_identity(MAILBOX), purpose=other)
    hashed.update(given=False)
    assert notifications_queries.load_consents(ana.organization, [MAILBOX]) == {(MAILBOX, other): False}
    made.queued(ana.organization, channel="email", address=MAILBOX, purpose=other, about="x", subject="s")
    made.deliver()
    assert Message.objects.get(address=MAILBOX).reason == "no_consent"
    builders.agreed(ana.organization, MAILBOX)
    assert notifications_queries.load_consents(ana.organization, [MAILBOX]) == {(MAILBOX, other): True}


def test_another_organization_that_knows_the_number_keeps_what_it_has() -> None:
    ana = plant()
    cleos = builders.booked(a_month_later(), number=42, name="Test Cleo Copper")
    erase(ana.volunteer_id)
    cleos.refresh_from_db()
    assert cleos.state == BookingState.BOOKED
    assert cleos.volunteer is not None
    assert cleos.volunteer.name == "Test Cleo Copper"
    assert Contact.objects.get(address=PHONE).owner == cleos.volunteer
    assert Message.objects.filter(about=cleos.about).exclude(address="").exists()
    assert ConsentEntry.objects.filter(address=PHONE, organization=cleos.drive.organization).exists()
    assert VerifiedBrowser.objects.filter(identity=contact_address.compute_identity(PHONE)).exists()


def test_all_organizations_that_know_the_contact_may_be_left_at_once() -> None:
    ana = plant()
    elsewhere = builders.booked(a_month_later(), number=42)
    assert elsewhere.volunteer_id
    count = privacy_erase.erase_volunteers(
        volunteer_ids=[ana.volunteer_id, elsewhere.volunteer_id], reason="asked", actor="donor", now=LATER
    )
    assert count == 2
    assert not Contact.objects.filter(address=PHONE).exists()
    assert not VerifiedBrowser.objects.exists()


def test_erasing_one_of_a_family_keeps_the_shared_mailbox() -> None:
    drive = builders.drive()
    ana = book_another_donor(drive, 0, name="Test Ana Alder", phone=builders.phone(1), email="family@example.org")
    dan = book_another_donor(drive, 4, name="Test Dan Alder", phone=builders.phone(2))
    mailbox = Contact.objects.get(kind="email")
    Volunteer.objects.filter(bookings=dan).update(email=mailbox)
    Contact.objects.filter(pk=mailbox.pk).update(verified_at=NOW)  # Ana verified it; Dan got no code there
    erase(ana.volunteer_id)
    mailbox.refresh_from_db()
    assert (mailbox.owner_id, mailbox.verified_at) == (dan.volunteer_id, None)
    assert [one.name for one in volunteers_queries.filter_volunteers(drive.organization)] == ["Test Dan Alder"]
    assert not Message.objects.filter(about=ana.about).exclude(address="").exists()
    assert Message.objects.filter(about=dan.about).exclude(address="").exists()
    assert not Contact.objects.filter(address=builders.phone(1)).exists()


def test_erasing_one_member_keeps_the_rest_of_the_party_together() -> None:
    drive = builders.drive()
    ana, bo, ida = builders.booked_together(drive)
    erase(bo.volunteer_id)
    parties = dict(Booking.objects.values_list("pk", "party"))
    assert parties == {ana.pk: ana.party, bo.pk: None, ida.pk: ana.party}


def test_a_checked_in_donor_cannot_be_erased() -> None:
    drive = builders.drive()
    here = builders.booked(drive)
    at = drive.starts_at
    check_in.check_in_donor(booking_id=here.pk, actor="user:7", now=at)
    before = dump_tables()
    with pytest.raises(refusals.Refusal) as refusal:
        privacy_erase.erase_volunteer(volunteer_id=here.volunteer_id or 0, reason="asked", actor="user:7", now=at)
    assert refusal.value.codes == ["visit_under_way"]
    assert dump_tables() == before
    privacy_erase.erase_volunteer(
        volunteer_id=here.volunteer_id or 0, reason="asked", actor="user:7", now=drive.ends_at
    )


def test_a_visit_whose_time_has_passed_is_still_counted_by_the_close_out() -> None:
    drive = builders.drive()
    missed = builders.booked(drive)
    privacy_erase.erase_volunteer(
        volunteer_id=missed.volunteer_id or 0, reason="asked", actor="donor", now=drive.starts_at
    )
    missed.refresh_from_db()
    assert missed.state == BookingState.BOOKED
    check_in.mark_no_show(booking_id=missed.pk, actor="user:1", now=drive.starts_at + timedelta(hours=1))
    assert turnout.count_turnout(drive).no_show_count == 1


def test_an_erased_donor_who_books_again_is_a_new_volunteer() -> None:
    drive = builders.drive()
    first = builders.booked(drive)
    erase(first.volunteer_id)
    again = builders.booked(drive, n=4, now=LATER)
    assert again.volunteer_id != first.volunteer_id
    assert again.state == BookingState.BOOKED


def test_an_erased_hold_cannot_be_verified() -> None:
    drive = builders.drive()
    known = builders.booked(drive)
    held = builders.held(drive, n=8)
    code = builders.code_of(held)
    erase(known.volunteer_id)
    with pytest.raises(HoldLapsed):
        verify.verify_booking(booking_id=held.pk, code=code, bound_to="browser-42", now=NOW)


def test_a_claimed_message_stays_and_one_in_flight_is_still_noted() -> None:
    known = builders.booked(builders.drive())
    claimed, flying = Message.objects.filter(about=known.about, state="queued").order_by("pk")[:2]
    lease = {"lease_until": NOW, "attempt_token": "t"}
    Message.objects.filter(pk=claimed.pk).update(state="claimed", **lease)
    Message.objects.filter(pk=flying.pk).update(state="sending", **lease)
    erase(known.volunteer_id)
    claimed.refresh_from_db()
    flying.refresh_from_db()
    assert (claimed.state, claimed.address, claimed.text, claimed.attempt_token) == ("withdrawn", "", "-", "")
    assert (flying.state, flying.attempt_token, flying.address, flying.text) == ("sending", "t", "", "-")
    Message.objects.filter(pk=flying.pk).update(state="queued", lease_until=None, due_at=NOW)  # the provider was busy
    made.deliver(NOW)
    flying.refresh_from_db()
    assert (flying.state, flying.reason) == ("blocked", "erased")


def test_a_reply_that_waits_for_a_coordinator_goes_too() -> None:
    ana = plant()
    erase(ana.volunteer_id)
    assert not Conversation.objects.exists()
    assert not InboundMessage.objects.exists()


def test_the_audit_log_has_actor_volunteer_and_reason() -> None:
    known = builders.booked(builders.drive())
    erase(known.volunteer_id, because="mistake", actor="user:7")
    line = AuditEntry.objects.get(verb="erased")
    assert (line.actor, line.about, line.fields) == ("user:7", f"volunteer:{known.volunteer_id}", ["mistake"])


def test_the_same_request_again_does_not_bring_her_back() -> None:
    known = builders.booked(builders.drive())

    def ask() -> None:
        text = f'{{"reference":"{known.reference}"}}'
        idempotency.run_once(scope="key:1", key="a", body=b"x", now=NOW, work=lambda keep: keep(text))

    ask()
    erase(known.volunteer_id)
    with pytest.raises(idempotency.AnswerErased):
        ask()


def test_anonymous_rows_are_shown_as_erased_and_not_found_by_search() -> None:
    ana = plant()
    erase(ana.volunteer_id)
    assert ana.volunteer.name == "Erased"
    assert not volunteers_queries.filter_volunteers(ana.organization).exists()
    assert (
        outbox.readdress_messages(recipient=f"volunteer:{ana.volunteer_id}", channel="sms", address="x", now=LATER) == 0
    )
