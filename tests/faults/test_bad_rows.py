"""If one row of a sweep fails, the sweep logs it, skips it for an hour ("parks" it), and processes the others."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import InternalError, connection

from drives.account import booking_search
from drives.attendance import close_out
from drives.booking import cancellation_digests, hold
from drives.inbox import replies
from drives.messaging import email_fallback, invitations
from drives.messaging.texts import next_visit_texts
from drives.models import Booking, Drive, Import, Offer, Site, WaitlistEntry
from drives.planning import under_filled_alerts
from drives.privacy import retention
from drives.waitlist import messages as waitlist_messages
from drives.waitlist import offers
from notifications import opt_outs
from notifications.message_content import MessageContent
from notifications.models import InboundMessage, Message, Suppression
from organizations.models import ParkedRow
from tests import builders
from tests.architecture.sources import APPS, project_sources
from tests.builders import DRIVE_DAY, NOW
from tests.drives.imports import made as imports_made
from volunteers.models import Contact, VerificationCode, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.expects_errors]
DAY = timedelta(days=1)
Sweep = Callable[[], object]
Case = tuple[Sweep, list[int], Callable[[], set[int]]]
"""The sweep, its three rows, and a query for the rows that are done."""


def poison(table: str, event: str, condition: str) -> None:
    """Make the database refuse to write the rows that meet the condition."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'a bad row' USING ERRCODE = 'XX000'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER bad_row BEFORE {event} ON {table} FOR EACH ROW WHEN ({condition})"
            " EXECUTE FUNCTION refuse_row()"
        )


def heal(table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER bad_row ON {table}")


def three_drives() -> list[Drive]:
    owner = builders.organization()
    builders.member(owner)
    return [builders.drive(owner, policy_id=builders.lax().pk) for _drive in range(3)]


def ended_drives() -> Case:
    drives = three_drives()
    poison("drives_drive", "UPDATE", f"OLD.id = {drives[1].pk}")
    late = drives[0].ends_at + DAY
    done = Drive.objects.filter(closed_out_at__isnull=False).values_list("pk", flat=True)
    return lambda: close_out.close_out_due_drives(now=late), [drive.pk for drive in drives], lambda: set(done.all())


def empty_drives() -> Case:
    drives = three_drives()
    poison("drives_drive", "UPDATE", f"OLD.id = {drives[1].pk}")
    soon = drives[0].starts_at - DAY
    done = Drive.objects.filter(under_filled_alert_at__isnull=False).values_list("pk", flat=True)
    return (
        lambda: under_filled_alerts.alert_under_filled_drives(now=soon),
        [drive.pk for drive in drives],
        lambda: set(done.all()),
    )


def late_cancellations() -> Case:
    drives = three_drives()
    soon = drives[0].starts_at - DAY
    for number, drive in enumerate(drives):
        builders.cancelled(builders.booked(drive, number=number + 1), now=soon)
    poison("notifications_message", "INSERT", f"NEW.about = 'drive:{drives[1].pk}'")

    def find_done() -> set[int]:
        abouts = Message.objects.filter(kind="alert_cancellation").values_list("about", flat=True)
        return {int(about.removeprefix("drive:")) for about in abouts}

    late = soon + DAY / 24
    return lambda: cancellation_digests.queue_due_digests(now=late), [drive.pk for drive in drives], find_done


def overdue_holds() -> Case:
    drives = three_drives()
    for number, drive in enumerate(drives):
        builders.held(drive, number=number + 1)
    poison("drives_booking", "UPDATE", f"OLD.drive_id = {drives[1].pk}")
    done = Booking.objects.filter(state="lapsed").values_list("drive", flat=True)
    return lambda: hold.lapse_holds(now=NOW + DAY), [drive.pk for drive in drives], lambda: set(done.all())


def files_to_check() -> Case:
    uploads = [imports_made.upload(builders.organization(), imports_made.people_file(1)) for _upload in range(3)]
    Import.objects.update(state="checking")
    poison("drives_import", "UPDATE", f"OLD.id = {uploads[1].pk}")
    done = Import.objects.filter(state="checked").values_list("pk", flat=True)
    return imports_made.work, [upload.pk for upload in uploads], lambda: set(done.all())


def fail_texts(kind: str) -> list[Message]:
    Message.objects.filter(channel="email").delete()
    texts = Message.objects.filter(kind=kind, channel="sms").order_by("pk")
    texts.update(state="failed", settled_at=NOW)
    return list(texts)


def failed_texts() -> Case:
    drive = builders.drive()
    for number in (1, 2, 3):
        builders.booked(drive, n=number, number=number, email=f"test{number}@example.org")
    texts = fail_texts("booked")
    poison("notifications_message", "INSERT", f"NEW.about = '{texts[1].about}'")

    def find_done() -> set[int]:
        mailed = Message.objects.filter(channel="email").values_list("about", flat=True)
        return {text.pk for text in texts if text.about in mailed}

    return lambda: email_fallback.queue_fallback_emails(now=NOW), [text.pk for text in texts], find_done


def failed_waitlist_texts() -> Case:
    drive = builders.full_drive(policy_id=builders.lax().pk)[0].drive
    for number in (91, 92, 93):
        builders.waits(drive, number=number, email=f"test{number}@example.org", consents=("reminders",))
    texts = fail_texts("waitlist_joined")
    poison("notifications_message", "INSERT", f"NEW.about = '{texts[1].about}'")

    def find_done() -> set[int]:
        mailed = Message.objects.filter(channel="email").values_list("about", flat=True)
        return {text.pk for text in texts if text.about in mailed}

    return lambda: waitlist_messages.queue_fallback_emails(now=NOW), [text.pk for text in texts], find_done


def ended_waitlists() -> Case:
    waiting = [
        builders.waits(builders.full_drive(policy_id=builders.lax().pk)[0].drive, number=90 + number)
        for number in range(3)
    ]
    ids = [entry.drive_id for entry in waiting]
    poison("drives_waitlistentry", "UPDATE", f"OLD.drive_id = {ids[1]}")
    late = waiting[0].drive.ends_at + DAY
    done = WaitlistEntry.objects.exclude(state="waiting").values_list("drive", flat=True)
    return lambda: offers.sweep_waitlists(now=late), ids, lambda: set(done.all())


def freed_spots() -> list[WaitlistEntry]:
    waiting = []
    for number in range(3):
        full = builders.full_drive(policy_id=builders.lax().pk)
        waiting.append(builders.waits(full[0].drive, number=90 + number))
        builders.cancelled(full[0])
    return waiting


def spots_to_offer() -> Case:
    waiting = freed_spots()
    poison("drives_offer", "INSERT", f"NEW.entry_id = {waiting[1].pk}")
    done = Offer.objects.values_list("entry__drive", flat=True)
    return lambda: offers.sweep_waitlists(now=NOW), [entry.drive_id for entry in waiting], lambda: set(done.all())


def overdue_offers() -> Case:
    freed_spots()
    offers.sweep_waitlists(now=NOW)
    made = list(Offer.objects.order_by("pk"))
    poison("drives_offer", "UPDATE", f"OLD.id = {made[1].pk}")
    late = max(offer.deadline for offer in made)
    done = Offer.objects.filter(state="expired").values_list("pk", flat=True)
    return lambda: offers.sweep_waitlists(now=late), [offer.pk for offer in made], lambda: set(done.all())


def requested_codes() -> Case:
    drive = builders.drive()
    for number in (1, 2, 3):
        builders.booked(drive, n=number, number=number)
        booking_search.request_find_code(
            typed=builders.phone(number),
            browser="",
            new_browser=f"{number}" * 43,
            bound_to=f"{number}",
            ip=None,
            now=NOW,
        )
    codes = VerificationCode.objects.filter(code_hash="").order_by("pk")
    ids = list(codes.values_list("pk", flat=True))
    poison("volunteers_verificationcode", "UPDATE", f"OLD.id = {ids[1]}")
    return (
        lambda: booking_search.send_find_codes(now=NOW),
        ids,
        lambda: set(ids) - set(codes.all().values_list("pk", flat=True)),
    )


def inactive_people() -> Case:
    drive = builders.drive()
    ids = [builders.booked(drive, n=number, number=number).volunteer_id or 0 for number in (1, 2, 3)]
    poison("volunteers_volunteer", "UPDATE", f"OLD.id = {ids[1]}")
    late = drive.ends_at + 900 * DAY
    left = Contact.objects.exclude(owner=None).values_list("owner", flat=True)
    return lambda: retention.erase_inactive_volunteers(now=late), ids, lambda: set(ids) - set(left.all())


def organizations_to_invite() -> Case:
    drives = []
    for number in (1, 2, 3):
        owner = builders.organization(f"Foundation {number}")
        builders.gave(builders.drive(owner), number=number, consents=("reminders", "news"))
        drives.append(builders.drive(owner, day=DRIVE_DAY + 17 * DAY))
    Site.objects.filter(pk=drives[1].site_id).update(timezone="Nowhere/At All")
    late = drives[0].starts_at - 10 * DAY
    done = Message.objects.filter(kind="invitation").values_list("organization", flat=True)
    ids = [drive.organization_id for drive in drives]
    return lambda: invitations.invite_all_donors(now=late), ids, lambda: set(done.all())


def donors_to_invite() -> Case:
    owner = builders.organization()
    first = builders.drive(owner)
    ids = [
        builders.gave(first, n=number, number=number, consents=("reminders", "news")).volunteer_id or 0
        for number in (1, 2, 3)
    ]
    coming = builders.drive(owner, day=DRIVE_DAY + 17 * DAY)
    render = next_visit_texts.render_invitation

    def fail_for_one(person: Volunteer, *rest: Any) -> MessageContent:
        if person.pk == ids[1]:
            raise ValueError
        return render(person, *rest)

    def invite() -> object:
        # No stored value makes the text of one donor fail, so the failure is patched in.
        with mock.patch.object(next_visit_texts, "render_invitation", fail_for_one):
            return invitations.invite_all_donors(now=late)

    late = coming.starts_at - 10 * DAY
    done = Message.objects.filter(kind="invitation").values_list("recipient", flat=True)
    return invite, ids, lambda: {int(recipient.partition(":")[2]) for recipient in done.all()}


def unread_replies() -> Case:
    texts = [
        InboundMessage.objects.create(
            provider_id=f"SM{number}", address=builders.phone(number), text="Hello", received_at=NOW
        )
        for number in (1, 2, 3)
    ]
    poison("notifications_inboundmessage", "UPDATE", f"OLD.id = {texts[1].pk}")
    done = InboundMessage.objects.exclude(handled_at=None).values_list("pk", flat=True)
    return lambda: replies.handle_new_replies(now=NOW), [text.pk for text in texts], lambda: set(done.all())


def undecided_opt_outs() -> Case:
    sender = builders.organization().senders.get()
    for number in (1, 2, 3):
        opt_outs.pause_texts(sender=sender, address=builders.phone(number), now=NOW)
    ids = list(Suppression.objects.order_by("pk").values_list("pk", flat=True))
    poison("notifications_suppression", "UPDATE", f"OLD.id = {ids[1]}")
    done = Suppression.objects.in_force().values_list("pk", flat=True)
    return lambda: opt_outs.settle_undecided(now=NOW + 9 * DAY), ids, lambda: set(done.all())


CASES: dict[str, Callable[[], Case]] = {
    "close_out": ended_drives,
    "under_filled": empty_drives,
    "cancellation_digests": late_cancellations,
    "lapse_holds": overdue_holds,
    "imports": files_to_check,
    "fallback": failed_texts,
    "waitlist_fallback": failed_waitlist_texts,
    "close_waitlists": ended_waitlists,
    "offer_spots": spots_to_offer,
    "expire_offers": overdue_offers,
    "search_codes": requested_codes,
    "erase_inactive": inactive_people,
    "invitations": organizations_to_invite,
    "invite_donors": donors_to_invite,
    "replies": unread_replies,
    "settle_opt_outs": undecided_opt_outs,
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_row_in_the_middle_is_parked_and_the_others_are_done(name: str) -> None:
    sweep, ids, find_done = CASES[name]()
    sweep()
    assert find_done() == {ids[0], ids[2]}
    assert ParkedRow.objects.values_list("sweep", "row").get() == (name, ids[1])


def test_control_without_parking_the_bad_row_stops_the_sweep() -> None:
    _sweep, ids, _find_done = ended_drives()
    with pytest.raises(InternalError):
        sum(close_out.close_out_drive(drive_id=pk, now=NOW + 60 * DAY) is not None for pk in ids)


def test_a_parked_row_is_done_once_it_can_be() -> None:
    sweep, ids, find_done = ended_drives()
    sweep()
    heal("drives_drive")
    sweep()
    assert find_done() == {ids[0], ids[2]}  # still parked
    ParkedRow.objects.update(retry_at=NOW)
    sweep()
    assert find_done() == set(ids)
    assert not ParkedRow.objects.exists()


def test_every_sweep_that_goes_row_by_row_has_a_case() -> None:
    named = re.compile(r"sweeps\.run_each\(\s*\"(\w+)\"")
    assert {name for source in project_sources(*APPS) for name in named.findall(source.text)} == set(CASES)
