"""Export and erase a volunteer after a merge of two rows.

The export contains the data from both rows, and the erasure removes both.
"""

import json
from datetime import timedelta

import pytest

from drives.models import Booking
from drives.privacy import erase, export, merge
from notifications.models import Message
from tests import builders
from tests.builders import NOW
from tests.drives.privacy.planted import BEN, CANARIES, PHONE, Planted, dump_tables, find_canaries, plant
from volunteers.models import Contact, Registration, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
OTHER_PHONE = builders.phone(7)
OTHER_MAILBOX = "bilby.canary@example.net"
OF_THE_OTHER = ("bilby", OTHER_PHONE.removeprefix("+1"))  # in the name, the mailbox and the number


def one_of_two() -> tuple[Planted, Booking]:
    """Merge two rows of Ana.

    One row has all canaries. The other row has a verified phone and an unverified mailbox.
    """
    owner = builders.organization(messages_per_day=0)
    later = builders.drive(owner, day=builders.DRIVE_DAY + timedelta(weeks=8), policy_id=builders.lax().pk)
    other = builders.booked(later, number=7, name="Test Bilby Birch", email=OTHER_MAILBOX)
    ana = plant(owner)
    assert other.volunteer_id is not None
    kept = merge.merge_volunteers(
        organization=owner, one_id=ana.volunteer_id, other_id=other.volunteer_id, actor=BEN, now=NOW
    )
    ana.volunteer_id = kept.pk
    return ana, other


def find_other_values(text: str) -> set[str]:
    return {canary for canary in OF_THE_OTHER if canary in text}


def test_a_copy_holds_what_both_rows_had() -> None:
    ana, other = one_of_two()
    document = json.dumps(export.build_export(ana.volunteer, NOW), ensure_ascii=False).lower()
    assert find_canaries({"copy": document})["copy"] >= {
        *CANARIES["name"][:1],
        PHONE.removeprefix("+1"),
        "quokka.canary",
    }
    assert find_other_values(document) == set(OF_THE_OTHER)
    for booking in (*Booking.objects.filter(volunteer=ana.volunteer_id), other):
        assert booking.reference.lower() in document
    assert OTHER_MAILBOX in document


def test_erasing_a_merged_donor_leaves_no_trace_of_either_row() -> None:
    ana, _other = one_of_two()
    assert {table for table, text in dump_tables().items() if find_other_values(text)} >= {"volunteers_contact"}
    erase.erase_volunteer(volunteer_id=ana.volunteer_id, reason="asked", actor="donor", now=NOW + timedelta(hours=3))
    assert find_canaries(dump_tables()) == {}
    assert {table: found for table, text in dump_tables().items() if (found := find_other_values(text))} == {}
    assert not Contact.objects.exists()
    assert not Registration.objects.exists()
    assert not Message.objects.filter(state="queued").exists()


def test_a_mailbox_that_was_replaced_goes_too_and_one_that_another_has_named_stays() -> None:
    drive = builders.drive()
    first = builders.booked(drive, name="Test Ana Alder", email=OTHER_MAILBOX)
    later = builders.drive(drive.organization, day=builders.DRIVE_DAY + timedelta(weeks=4))
    builders.booked(later, name="Test Ana Alder", email="new@example.org", now=NOW + timedelta(hours=1))
    builders.booked(drive, n=8, number=9, name="Test Dan Dow", email="new@example.org", now=NOW + timedelta(hours=2))
    assert first.volunteer_id is not None
    erase.erase_volunteer(volunteer_id=first.volunteer_id, reason="asked", actor="donor", now=NOW + timedelta(hours=3))
    assert {table for table, text in dump_tables().items() if "bilby" in text} == set()
    dan = Volunteer.objects.select_related("email").get(name="Test Dan Dow")
    assert dan.email is not None
    assert dan.email.address == "new@example.org"
