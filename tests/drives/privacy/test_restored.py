"""A database that was restored from a backup.

It sends no message that the lost database may already have sent, and people who were erased are erased again.
"""

import io
import logging
import uuid
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.test import Client

from config import client_address
from config import restored as start_checks
from config.logs import JsonFormatter
from drives.attendance import check_in
from drives.messaging import invitations
from drives.privacy import erase, erasure_list
from notifications import delivery, tasks
from notifications.models import Heartbeat, Message
from organizations import database_copy, key_fingerprints
from organizations.models import AuditEntry, DatabaseMarker
from tests import builders
from tests.builders import NOW
from tests.notifications import made
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False), pytest.mark.expects_errors]
DAY = timedelta(days=1)


@pytest.fixture
def copied() -> None:
    """Make the database look like a copy made a day ago."""
    delivery.record_heartbeat(now=NOW - DAY)
    DatabaseMarker.objects.update_or_create(pk=1, defaults={"marker": "another", "recorded_at": NOW - DAY})


def restored(*arguments: str) -> str:
    said = io.StringIO()
    call_command("restored", *(arguments or ("--no-erasures", "--yes")), stdout=said)
    return said.getvalue()


def queue(minutes: int, **fields: Any) -> Message:
    """Queue a message that is due `minutes` minutes from NOW."""
    due_at = NOW + timedelta(minutes=minutes)
    fields = {"created": NOW - 2 * DAY, "due_at": due_at, "expires_at": due_at + 9 * DAY, "zone": "UTC", **fields}
    created = fields.pop("created")
    message = made.queued(builders.organization(f"Hope {minutes}"), **fields)
    Message.objects.filter(pk=message.pk).update(created_at=created)
    return message


def find_state(message: Message) -> str:
    message.refresh_from_db()
    return message.state


def test_the_first_sweep_records_the_database_and_sweeps_run() -> None:
    message = queue(-1)
    assert tasks.deliver_due() == {"delivered": 1}
    assert DatabaseMarker.objects.get().marker == database_copy.read_marker()
    assert find_state(message) == "delivered"


def test_tables_that_were_created_again_have_another_marker() -> None:
    before = database_copy.read_marker()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE again (LIKE organizations_databasemarker INCLUDING ALL)")
        cursor.execute("ALTER TABLE organizations_databasemarker RENAME TO earlier")
        cursor.execute("ALTER TABLE again RENAME TO organizations_databasemarker")
    assert database_copy.read_marker() != before


@pytest.mark.usefixtures("copied")
def test_nothing_leaves_a_copy_until_a_person_opens_it(caplog: pytest.LogCaptureFixture) -> None:
    message = queue(-4 * 24 * 60)
    assert tasks.deliver_due() == {"restored_copy": 1}
    assert find_state(message) == "queued"
    assert "this database is a restored copy" in caplog.text
    assert "no message is sent" in Client().get("/readyz").json()["checks"]["restored"]


@pytest.mark.usefixtures("copied")
def test_the_age_of_a_copy_is_that_of_its_last_sweep() -> None:
    Heartbeat.objects.create(name=client_address.HEARTBEAT_NAME, seen_at=NOW)
    assert f"The copy was made at {NOW - DAY}." in restored()


@pytest.mark.usefixtures("copied")
def test_overdue_messages_are_withdrawn_and_later_ones_are_sent(time_machine: Any) -> None:
    late, coming = queue(-4 * 24 * 60), queue(5)
    said = restored()
    assert (find_state(late), late.reason, find_state(coming)) == ("withdrawn", "restored", "queued")
    assert "     1  moved\n" in said
    assert "1  moved, sms, 2027" in said
    assert "Messages withdrawn: 1." in said
    assert AuditEntry.objects.filter(verb="restored").count() == 2
    time_machine.move_to(NOW + timedelta(minutes=6), tick=False)
    assert tasks.deliver_due() == {"delivered": 1}


@pytest.mark.usefixtures("copied")
def test_after_a_move_or_an_upgrade_nothing_is_withdrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    message = queue(-1)
    monkeypatch.setattr("builtins.input", lambda _prompt: "no")
    with pytest.raises(CommandError, match="Nothing was changed"):
        restored("--moved")
    assert tasks.deliver_due() == {"restored_copy": 1}
    assert "The service is open" in restored("--moved", "--yes")
    assert AuditEntry.objects.filter(verb="moved_database").count() == 1
    assert tasks.deliver_due() == {"delivered": 1}
    assert find_state(message) == "delivered"


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("other", [("--stopped-at", "2027-03-10T20:00Z"), ("--erasures", "-")])
def test_a_move_takes_no_other_option(other: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="Leave the other options out"):
        restored("--moved", *other, "--yes")


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("arguments", [("--no-erasures", "--yes"), ("--moved", "--yes")])
def test_a_wrong_key_keeps_the_copy_closed(settings: Any, arguments: tuple[str, ...]) -> None:
    key_fingerprints.record_keys()
    settings.IDENTITY_KEY = "another-identity-key-that-is-long-enough"
    with pytest.raises(CommandError, match="IDENTITY_KEY is not the key of this database"):
        restored(*arguments)
    assert tasks.deliver_due() == {"restored_copy": 1}


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("state", ["claimed", "sending", "in_doubt"])
def test_a_message_that_a_lost_worker_had_is_withdrawn(state: str) -> None:
    message = queue(-1)
    Message.objects.update(state=state, attempt_token="lost", lease_until=NOW, check_at=NOW)
    restored()
    assert find_state(message) == "withdrawn"
    assert tasks.reconcile_outbox() == {}


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("reason", ["sender_stopped", "mailbox_refuses"])
def test_a_blocked_message_that_may_leave_later_is_withdrawn(reason: str) -> None:
    message = queue(-1)
    Message.objects.update(state="blocked", reason=reason)
    restored()
    assert find_state(message) == "withdrawn"


@pytest.mark.usefixtures("copied")
def test_messages_due_after_the_failure_are_sent() -> None:
    left, waited = queue(-61), queue(-59)
    restored("--no-erasures", "--yes", "--stopped-at", (NOW - timedelta(hours=1)).isoformat())
    assert (find_state(left), find_state(waited)) == ("withdrawn", "queued")


def start_on_copy(at: datetime) -> None:
    """Start the web server on the copy, but do not run `manage.py restored`."""
    with time_machine.travel(at, tick=False):
        start_checks.check_at_start()


@pytest.mark.usefixtures("copied")
@pytest.mark.parametrize("sent_until", [(), ("--stopped-at", (NOW - timedelta(minutes=5)).isoformat())])
def test_messages_created_after_the_service_started_on_the_copy_are_sent(sent_until: tuple[str, ...]) -> None:
    start = NOW - timedelta(hours=1)
    before, after = queue(-10, created=start - timedelta.resolution), queue(-9, created=start)
    start_on_copy(start)
    start_on_copy(NOW - timedelta(minutes=1))  # a second start changes nothing
    assert tasks.deliver_due() == {"restored_copy": 1}
    said = restored("--no-erasures", "--yes", *sent_until)
    assert f"Messages created since {start} are kept." in said
    assert "Messages withdrawn: 1." in said
    assert tasks.deliver_due() == {"delivered": 1}
    assert (find_state(before), find_state(after)) == ("withdrawn", "delivered")


@pytest.mark.usefixtures("copied")
def test_control_without_a_start_on_the_copy_all_messages_of_the_past_are_withdrawn() -> None:
    message = queue(-9, created=NOW - timedelta(hours=1))
    said = restored()
    assert "are kept" not in said
    assert find_state(message) == "withdrawn"


@pytest.mark.usefixtures("copied")
def test_a_sweep_records_the_start_on_the_copy_like_the_web_server() -> None:
    message = queue(-9, created=NOW)
    assert tasks.deliver_due() == {"restored_copy": 1}
    message.created_at = NOW + timedelta(minutes=1)
    message.save(update_fields=["created_at"])
    with time_machine.travel(NOW + timedelta(minutes=2), tick=False):
        restored()
        assert find_state(message) == "queued"


@pytest.mark.usefixtures("copied")
def test_the_start_on_an_earlier_copy_does_not_count() -> None:
    """The backup is itself of a restored copy, on which the service had started before `manage.py restored`."""
    message = queue(-9, created=NOW - timedelta(hours=1))
    DatabaseMarker.objects.update(copy_marker="an earlier copy", copy_seen_at=NOW - timedelta(hours=2))
    assert database_copy.find_copy_start() is None
    start_on_copy(NOW - timedelta(minutes=30))
    assert database_copy.find_copy_start() == NOW - timedelta(minutes=30)
    restored()
    assert find_state(message) == "withdrawn"


@pytest.mark.usefixtures("copied")
def test_the_start_on_a_copy_is_forgotten_when_the_copy_is_accepted() -> None:
    start_on_copy(NOW - timedelta(hours=1))
    restored()
    assert database_copy.find_copy_start() is None


def test_the_start_on_a_database_that_was_not_restored_is_not_recorded() -> None:
    start_on_copy(NOW - DAY)
    start_on_copy(NOW)
    assert DatabaseMarker.objects.get().marker == database_copy.read_marker()
    assert database_copy.find_copy_start() is None


def test_the_web_server_starts_without_a_database(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(**_arguments: object) -> bool:
        raise OperationalError

    monkeypatch.setattr(database_copy, "is_restored_copy", fail)
    start_checks.check_at_start()
    assert "no check for a restored copy" in caplog.text


@pytest.mark.usefixtures("copied")
def test_thanks_for_a_drive_that_ended_meanwhile_do_not_leave_again(time_machine: Any) -> None:
    booking = builders.booked(builders.drive())
    time_machine.move_to(booking.drive.ends_at + DAY, tick=False)
    restored()
    booking.refresh_from_db()
    assert booking.state == "no_show"
    assert {find_state(message) for message in Message.objects.all()} == {"withdrawn"}


@pytest.mark.usefixtures("copied")
def test_a_withdrawn_invitation_counts_as_sent() -> None:
    message = queue(-1, purpose="news")
    restored()
    message.refresh_from_db()
    assert (message.state, message.sending_at) == ("withdrawn", NOW)
    assert invitations.has_reached_invitation_limit([message], NOW)


@pytest.mark.usefixtures("copied")
def test_without_a_yes_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    message = queue(-1)
    monkeypatch.setattr("builtins.input", lambda _prompt: "no")
    with pytest.raises(CommandError, match="Nothing was changed"):
        restored("--no-erasures")
    assert find_state(message) == "queued"
    assert tasks.deliver_due() == {"restored_copy": 1}


@pytest.mark.usefixtures("copied")
def test_a_command_without_a_terminal_asks_for_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a list of erasures, read to its end"))
    with pytest.raises(CommandError, match="Run this again with --yes"):
        restored("--erasures", "-")
    assert tasks.deliver_due() == {"restored_copy": 1}


def test_a_copy_that_looks_like_the_lost_database_is_held_while_the_command_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue(-1)
    database_copy.accept_database(now=NOW)
    seen: list[dict[str, int]] = []

    def deliver_and_agree(_prompt: str) -> str:
        seen.append(tasks.deliver_due())
        return "yes"

    monkeypatch.setattr("builtins.input", deliver_and_agree)
    restored("--no-erasures")
    assert seen == [{"restored_copy": 1}]
    assert tasks.deliver_due() == {}


def test_a_person_who_was_erased_after_the_copy_is_erased_again(settings: Any, tmp_path: Path) -> None:
    settings.ERASURES_FILE = str(tmp_path / "erasures.jsonl")
    logging.getLogger("drives").setLevel(logging.ERROR)  # the list does not depend on the log
    drive = builders.drive()
    gone, kept = builders.booked(drive), builders.booked(drive, n=4, number=43)
    before = Volunteer.objects.filter(bookings=gone).values().get()
    erase.erase_volunteer(volunteer_id=before["id"], reason="asked", actor="donor", now=NOW)
    logging.getLogger("drives").setLevel(logging.NOTSET)
    Volunteer.objects.filter(pk=before["id"]).update(**before)  # as in the backup
    assert "People erased again: 1." in restored("--yes")
    assert [one.pk for one in Volunteer.objects.known()] == [kept.volunteer_id]
    assert "People erased again: 0." in restored("--yes")


def test_the_line_is_written_before_the_commit(settings: Any, tmp_path: Path) -> None:
    """The list of erasures gets its line before the commit.

    Otherwise a process that dies after the commit would leave no line, and a restore would bring the person back.
    """
    settings.ERASURES_FILE = str(tmp_path / "erasures.jsonl")
    volunteer = Volunteer.objects.get(bookings=builders.booked(builders.drive()))
    with transaction.atomic():
        erase.erase_volunteer(volunteer_id=volunteer.pk, reason="asked", actor="donor", now=NOW)
        assert erasure_list.read_erasures([Path(settings.ERASURES_FILE).read_text()]) == {str(volunteer.uuid)}


@pytest.mark.parametrize(("user", "given"), [(0, 1), (1000, 0)])
def test_a_list_that_root_begins_belongs_to_the_owner_of_its_folder(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: int, given: int
) -> None:
    settings.ERASURES_FILE = str(tmp_path / "erasures.jsonl")
    owners: list[int] = []
    monkeypatch.setattr("os.geteuid", lambda: user)
    monkeypatch.setattr("os.fchown", lambda _descriptor, owner, _group: owners.append(owner))
    for _line in range(2):
        erasure_list.record_erasure(volunteer=uuid.uuid4(), organization_id=1, now=NOW)
    assert owners == [tmp_path.stat().st_uid] * given


@pytest.mark.usefixtures("copied")
def test_erasing_people_on_the_list_adds_no_line(settings: Any, tmp_path: Path) -> None:
    settings.ERASURES_FILE = str(tmp_path / "erasures.jsonl")
    volunteer = Volunteer.objects.get(bookings=builders.booked(builders.drive()))
    erasure_list.record_erasure(volunteer=volunteer.uuid, organization_id=1, now=NOW)
    assert "People erased again: 1." in restored("--yes")
    assert len(Path(settings.ERASURES_FILE).read_text().splitlines()) == 1


@pytest.mark.usefixtures("copied")
def test_a_visit_under_way_in_the_copy_does_not_keep_it_closed(time_machine: Any, tmp_path: Path) -> None:
    """In the restored copy, the donor is still checked in. The command erases the donor again nevertheless.

    The visit had ended in the lost database. Otherwise the erasure would have been refused there.
    """
    booking = builders.booked(builders.drive())
    check_in.check_in_donor(booking_id=booking.pk, actor="user:1", now=booking.starts_at)
    time_machine.move_to(booking.starts_at + timedelta(minutes=30), tick=False)
    erasures = tmp_path / "erasures.jsonl"
    erasures.write_text(f'{{"message": "erased", "volunteer": "{Volunteer.objects.get(bookings=booking).uuid}"}}\n')
    assert "People erased again: 1." in restored("--erasures", str(erasures), "--yes")
    booking.refresh_from_db()
    assert (booking.state, Volunteer.objects.known().count()) == ("checked_in", 0)


def test_a_log_is_a_list_of_erasures_too(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    caplog.set_level(logging.INFO)
    drive = builders.drive()
    gone, kept = builders.booked(drive), builders.booked(drive, n=4, number=43)
    before = Volunteer.objects.filter(bookings=gone).values().get()
    erase.erase_volunteer(volunteer_id=before["id"], reason="asked", actor="donor", now=NOW)
    lines = [JsonFormatter().format(record) for record in caplog.records]
    lines.append(f'{{"message": "request", "number": "{Volunteer.objects.get(bookings=kept).uuid}"}}')
    Volunteer.objects.filter(pk=before["id"]).update(**before)
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    assert "People erased again: 1." in restored("--erasures", "-", "--yes")
    assert [one.pk for one in Volunteer.objects.known()] == [kept.volunteer_id]


def test_a_list_that_cannot_be_read_or_is_not_named_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="Give the list of erasures"):
        restored("--yes")
    with pytest.raises(CommandError, match="cannot be read"):
        restored("--erasures", str(tmp_path / "gone"), "--yes")


def test_a_service_that_never_erased_a_person_has_no_list_and_opens_without_one(settings: Any, tmp_path: Path) -> None:
    settings.ERASURES_FILE = str(tmp_path / "erasures.jsonl")
    with pytest.raises(CommandError, match="Continue with --no-erasures"):
        restored("--yes")
    assert "People erased again: 0." in restored("--no-erasures", "--yes")


def test_an_erasure_stays_when_its_line_cannot_be_written(
    settings: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ERASURES_FILE = str(tmp_path / "gone" / "erasures.jsonl")
    booking = builders.booked(builders.drive())
    erase.erase_volunteer(volunteer_id=booking.volunteer_id or 0, reason="asked", actor="donor", now=NOW)
    assert "ERASURES_FILE cannot be written" in caplog.text
    assert not Volunteer.objects.known().exists()
