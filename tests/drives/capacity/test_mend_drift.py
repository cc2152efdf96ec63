"""`manage.py mend_drift` reports slot counters that are wrong, and corrects them."""

import io

import pytest
from django.core.management import call_command

from drives.capacity import drift
from drives.models import Slot
from organizations.models import AuditEntry
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.expects_errors]


def mend(*arguments: str) -> str:
    said = io.StringIO()
    call_command("mend_drift", *arguments, stdout=said)
    return said.getvalue()


def test_without_drift_there_is_nothing_to_mend() -> None:
    builders.booked(builders.drive())
    assert mend("--yes") == "All counters agree with the bookings.\n"
    assert not AuditEntry.objects.filter(verb="mended_counters").exists()


def test_drift_is_explained_and_only_a_yes_mends_it() -> None:
    booking = builders.booked(builders.drive())
    other = builders.booked(builders.drive(), number=43)
    taken = Slot.objects.get(pk=booking.arrival_id).chairs_taken
    last = Slot.objects.filter(drive=booking.drive).order_by("-n")[0]
    Slot.objects.filter(pk=last.pk).update(chairs_taken=2)
    said = mend()
    assert f"drive {booking.drive_id}, {last.starts_at:%Y-%m-%d %H:%M} UTC" in said
    assert "chairs 2 counted, 0 taken" in said
    assert drift.count_drifted_slots() == 1
    assert f"drive {booking.drive_id}: 1 slots corrected." in mend("--yes")
    assert drift.count_drifted_slots() == 0
    assert Slot.objects.get(pk=booking.arrival_id).chairs_taken == taken
    [entry] = AuditEntry.objects.filter(verb="mended_counters")
    assert (entry.about, entry.actor, entry.fields) == (f"drive:{booking.drive_id}", "command", [f"slot {last.n}"])
    assert other.drive_id != booking.drive_id


@pytest.mark.parametrize("wrong", [0, 1])
def test_counters_that_are_too_low_or_too_high_are_mended(wrong: int) -> None:
    booking = builders.booked(builders.drive())
    step = Slot.objects.get(drive=booking.drive, n=booking.chair_from)
    Slot.objects.filter(pk=step.pk).update(chairs_taken=step.chairs_taken + 1 if wrong else 0)
    assert drift.count_drifted_slots() == 1
    mend("--yes")
    assert Slot.objects.get(pk=step.pk).chairs_taken == step.chairs_taken
