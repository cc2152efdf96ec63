"""Imported bookings follow the rules for coordinators. An import books every row that passed the check, or none.

Uploading the same file again books nothing twice.
"""

from datetime import time, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from drives.capacity import counters, drift
from drives.imports import cells, columns, csv_reader, rules, uploads
from drives.messaging import reminders
from drives.models import Booking, BookingState, Drive, Import, ImportState, Slot, Source
from notifications.models import Channel, ConsentEntry, InboxItem, Message
from organizations.models import Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from tests.drives.imports import made
from tests.drives.imports.made import PROOF, TYPED_PROOF, list_codes
from tests.notifications import made as notifications_made
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
HEADER = "Time,Visit,Name,Phone,E-mail,Agreed to reminders"
ANA, BO = builders.phone(42), builders.phone(43)


def file_of(*lines: str) -> bytes:
    return made.file_of(*lines, header=HEADER)


def checked(drive: Drive, *lines: str, now: Any = NOW) -> Import:
    upload = uploads.upload_file(
        organization=drive.organization,
        content=file_of(*lines),
        file_name="bookings.csv",
        actor="user:0",
        now=now,
        drive=drive,
    )
    uploads.match_columns(import_id=upload.pk, matched=upload.columns, proof=PROOF, now=now)
    made.work(now)
    return made.fresh(upload)


def start(ready: Import, now: Any = NOW) -> Import:
    uploads.start_import(import_id=ready.pk, left_out_count=ready.error_count, actor="user:0", now=now)
    made.work(now)
    return made.fresh(ready)


def list_bookings(drive: Drive) -> list[tuple[str, str, str]]:
    rows = Booking.objects.filter(drive=drive).active().order_by("starts_at", "pk").select_related("volunteer")
    zone = drive.site.zone
    return [
        (f"{one.starts_at.astimezone(zone):%H:%M}", one.volunteer.name if one.volunteer else "", one.source)
        for one in rows
    ]


def counted(drive: Drive) -> int:
    return sum(Slot.objects.filter(drive=drive).values_list("screening_taken", flat=True))


def test_a_file_becomes_bookings_at_their_times() -> None:
    drive = builders.drive()
    ready = checked(drive, f"9:30 AM,return,Test Ana,{ANA},,yes", f"13:00,first,Test Bo,{BO},,no")
    assert (ready.state, ready.new_count, ready.error_count) == (ImportState.CHECKED, 2, 0)
    assert list_bookings(drive) == []
    assert counted(drive) == 0
    done = start(ready)
    assert (done.state, done.added_count) == (ImportState.FINISHED, 2)
    assert list_bookings(drive) == [("09:30", "Test Ana", Source.IMPORT), ("13:00", "Test Bo", Source.IMPORT)]
    assert drift.count_drifted_slots() == 0


def test_no_text_leaves_and_reminders_need_the_consent_in_the_file() -> None:
    drive = builders.drive()
    start(checked(drive, f"9:30 AM,return,Test Ana,{ANA},,yes", f"9:45 AM,return,Test Bo,{BO},,no"))
    assert not Message.objects.filter(kind="booked").exists()
    assert not Message.objects.exclude(state="scheduled").exists()
    assert [(row.address, row.source) for row in ConsentEntry.objects.all()] == [(ANA, "import")]
    for days in (3, 1):
        at = drive.starts_at - timedelta(days=days) + timedelta(hours=1)
        reminders.render_due_reminders(now=at)
        notifications_made.deliver(at)
    assert set(InboxItem.objects.filter(channel=Channel.SMS).values_list("to", flat=True)) == {ANA}


@pytest.mark.parametrize(
    ("line", "codes"),
    [
        ("9:31 AM,return,Test Ana,{ana},,", ["time_unknown"]),
        ("noon,return,Test Ana,{ana},,", ["time_invalid"]),
        (",return,Test Ana,{ana},,", ["time_invalid"]),
        ("9:30 AM,third,Test Ana,{ana},,", ["visit_unknown"]),
        ("9:30 AM,return,Test Ana,12,,", ["phone_invalid"]),
        ("9:30 AM,return,Test Ida,{booked},,", ["already_booked"]),
        ("9:00 AM,return,Test Ana,{ana},,", ["slot_full"]),
    ],
)
def test_a_refusal_is_an_error_of_its_row(line: str, codes: list[str]) -> None:
    drive = builders.drive()
    builders.booked(drive, n=4, number=50, name="Test Ida")
    Slot.objects.filter(drive=drive, n=0).update(screening_limit=0)
    ready = checked(drive, line.format(ana=ANA, booked=builders.phone(50)))
    assert [code for _row, _field, code in list_codes(ready)] == codes
    assert ready.error_count == 1


def test_a_refusal_suggests_open_times_to_the_coordinator() -> None:
    drive = builders.drive()
    Slot.objects.filter(drive=drive, n=0).update(screening_limit=0)
    ready = checked(drive, f"9:00 AM,return,Test Ana,{ANA},,")
    [row] = ready.rows.all()
    sentence = " ".join(row.problems[0]["text"].split())
    assert "Open times: 9:15 AM, 9:30 AM, 9:45 AM." in sentence


def test_rows_of_one_file_compete_for_the_same_spot() -> None:
    drive = builders.drive()
    Slot.objects.filter(drive=drive).update(screening_limit=1)
    ready = checked(drive, f"9:30 AM,return,Test Ana,{ANA},,", f"9:30 AM,return,Test Bo,{BO},,")
    assert [(row, code) for row, _field, code in list_codes(ready)] == [(3, "slot_full")]
    start(ready)
    assert list_bookings(drive) == [("09:30", "Test Ana", Source.IMPORT)]
    assert drift.count_drifted_slots() == 0


def test_a_spot_that_was_taken_since_the_check_stops_the_whole_import() -> None:
    drive = builders.drive()
    Slot.objects.filter(drive=drive).update(screening_limit=1)
    ready = checked(drive, f"9:30 AM,return,Test Ana,{ANA},,", f"11:00 AM,return,Test Bo,{BO},,")
    assert ready.error_count == 0
    builders.booked(drive, n=8, number=60)  # 11:00
    back = start(ready)
    assert (back.state, back.new_count, back.error_count) == (ImportState.CHECKED, 1, 1)
    assert [(row, code) for row, _field, code in list_codes(back)] == [(3, "slot_full")]
    assert [source for _at, _name, source in list_bookings(drive)] == [Source.ONLINE]
    assert not Volunteer.objects.filter(name__in=["Test Ana", "Test Bo"]).exists()
    done = start(back)
    assert (done.state, done.added_count) == (ImportState.FINISHED, 1)
    assert drift.count_drifted_slots() == 0


def test_the_same_file_again_books_nothing() -> None:
    drive = builders.drive()
    lines = f"9:30 AM,return,Test Ana,{ANA},,yes", f"13:00,first,Test Bo,{BO},,no"
    start(checked(drive, *lines))
    before = list_bookings(drive)
    again = checked(drive, *lines, now=NOW + timedelta(minutes=1))
    assert (again.new_count, again.known_count, again.error_count) == (0, 2, 0)
    done = start(again, NOW + timedelta(minutes=1))
    assert (done.state, done.added_count, done.consent_count) == (ImportState.FINISHED, 0, 0)
    assert list_bookings(drive) == before


def test_a_row_twice_in_a_file_is_one_booking() -> None:
    drive = builders.drive()
    ready = checked(drive, f"9:30 AM,return,Test Ana,{ANA},,", f"09:30,return,Test Ana,{ANA},,")
    assert (ready.new_count, ready.repeated_count) == (1, 1)
    assert start(ready).added_count == 1
    assert len(list_bookings(drive)) == 1


def test_a_closed_or_past_drive_is_judged_as_for_a_coordinator() -> None:
    drive = builders.drive()
    after = drive.ends_at + timedelta(hours=1)
    assert checked(drive, f"9:30 AM,return,Test Ana,{ANA},,", now=after).error_count == 1
    assert Booking.objects.count() == 0


def test_a_canceled_person_may_be_imported_again() -> None:
    drive = builders.drive()
    start(checked(drive, f"9:30 AM,return,Test Ana,{ANA},,"))
    Booking.objects.update(state=BookingState.CANCELLED, is_counted=False, cancelled_at=NOW)
    assert checked(drive, f"10:30 AM,return,Test Ana,{ANA},,").error_count == 0


@pytest.mark.parametrize("count", [rules.MAX_BOOKING_ROWS, rules.MAX_BOOKING_ROWS + 1])
def test_a_file_has_at_most_two_hundred_bookings(count: int) -> None:
    content = file_of(*(f"9:30 AM,return,Test Person {n},{builders.phone(n)},," for n in range(count)))
    if count > rules.MAX_BOOKING_ROWS:
        with pytest.raises(ValidationError):
            csv_reader.read_sheet(content, columns.count_names, max_rows=rules.MAX_BOOKING_ROWS)
    else:
        assert len(csv_reader.read_sheet(content, columns.count_names, max_rows=rules.MAX_BOOKING_ROWS).rows) == count


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("9:30 AM", time(9, 30)),
        ("9:30am", time(9, 30)),
        ("9 a.m.", time(9)),
        ("12:00 PM", time(12)),
        ("12:15 a. m.", time(0, 15)),
        ("13:30", time(13, 30)),
        ("09:30:00", time(9, 30)),
        ("2027-03-13 09:30", time(9, 30)),
        ("9", None),
        ("24:00", None),
        ("13:30 PM", None),
        ("0:30 AM", None),
        ("9:60", None),
        ("soon", None),
    ],
)
def test_times_are_read_or_refused(typed: str, expected: time | None) -> None:
    if expected is not None:
        assert cells.parse_time(typed) == expected
        return
    with pytest.raises(ValidationError):
        cells.parse_time(typed)


def test_a_coordinator_imports_bookings_on_the_pages() -> None:
    member = builders.member(builders.organization(), Role.COORDINATOR)
    drive = builders.drive(member.organization)
    browser = coordinator.signed_in(member)
    address = f"/organizer/imports/drives/{drive.pk}/"
    assert f'href="{address}"' in browser.get(f"/organizer/drives/{drive.pk}/").content.decode()
    assert "Up to 200 rows and 8 MB." in text(browser.get(address))
    sample = browser.get(f"{address}sample.csv")
    sent = browser.post(address, {"file": SimpleUploadedFile("bookings.csv", sample.content)})
    one = Import.objects.get()
    assert one.drive == drive
    typed = {name: str(column) for name, column in one.columns.items()}
    refused = browser.post(f"{sent['Location']}columns/", {**typed, **TYPED_PROOF, "time": ""})
    assert "Choose the column with the times." in text(refused)
    browser.post(f"{sent['Location']}columns/", {**typed, **TYPED_PROOF})
    made.work()
    shown = text(browser.get(sent["Location"]))
    assert "Import of bookings" in shown
    assert "New bookings 3 Already booked 0 With errors 0 All rows 3" in shown
    assert "Test Ana Alder, 9:30 AM" in shown
    browser.post(f"{sent['Location']}start/", {"error_count": "0"})
    made.work()
    assert "3 bookings added" in text(browser.get(sent["Location"]))
    assert len(list_bookings(drive)) == 3


def test_another_organization_does_not_find_the_drive() -> None:
    drive = builders.drive()
    cleo = coordinator.signed_in(builders.member(builders.organization()))
    for address in (f"/organizer/imports/drives/{drive.pk}/", f"/organizer/imports/drives/{drive.pk}/sample.csv"):
        assert cleo.get(address).status_code == 404
    assert cleo.post(f"/organizer/imports/drives/{drive.pk}/").status_code == 404
    viewer = coordinator.signed_in(builders.member(drive.organization, Role.CHECK_IN))
    assert viewer.get(f"/organizer/imports/drives/{drive.pk}/").status_code == 403


def test_bookings_lock_their_slots_in_the_order_of_time() -> None:
    drive, changed = builders.drive(), []
    lines = [f"13:00,return,Test Ana,{ANA},,no", f"9:30 AM,return,Test Bo,{BO},,no"]
    change = counters.change_counters

    def note(**options: Any) -> bool:
        changed.append(min(options["deltas"]))
        return change(**options)

    with patch.object(counters, "change_counters", note):
        ready = checked(drive, *lines)
        start(ready)
    check, write = changed[:2], changed[2:]
    assert check == write == sorted(check)
    assert list_bookings(drive) == [("09:30", "Test Bo", Source.IMPORT), ("13:00", "Test Ana", Source.IMPORT)]
