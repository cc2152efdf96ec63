"""A restored backup contains people that were erased after the backup. `erase_again` erases them."""

import io
import logging
from typing import Any

import pytest
from django.core.management import call_command

from config.logs import JsonFormatter
from drives.privacy import erase
from tests import builders
from tests.builders import NOW
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def again(monkeypatch: pytest.MonkeyPatch, lines: str) -> str:
    said = io.StringIO()
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    call_command("erase_again", stdout=said)
    return said.getvalue()


def test_only_volunteers_in_the_log_are_erased_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    caplog.set_level(logging.INFO)
    drive = builders.drive()
    gone, kept = builders.booked(drive), builders.booked(drive, n=4, number=43)
    before = Volunteer.objects.filter(bookings=gone).values().get()
    with django_capture_on_commit_callbacks(execute=True):
        erase.erase_volunteer(volunteer_id=before["id"], reason="asked", actor="donor", now=NOW)
    lines = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    assert "0 people erased again" in again(monkeypatch, lines)
    Volunteer.objects.filter(pk=before["id"]).update(**before)  # as in the backup
    other = f'{{"message": "request", "number": "{Volunteer.objects.get(bookings=kept).uuid}"}}'
    assert again(monkeypatch, f"{lines}\n{other}") == "1 erasures in the log, 1 people erased again.\n"
    assert [one.pk for one in Volunteer.objects.known()] == [kept.volunteer_id]
