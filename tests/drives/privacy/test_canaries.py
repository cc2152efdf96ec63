"""After an erasure, no column, log line, task or feed identifies the donor."""

import inspect
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.db import models
from django.urls import reverse

from config import celery
from config.logs import JsonFormatter
from config.schedule import SWEEPS
from drives.imports import retention as imports_retention
from drives.privacy import erase as privacy_erase
from notifications import contact_address, erasure
from notifications.models import Sender
from notifications.reconciliation import BLANKED_TEXT
from organizations import idempotency
from tests.builders import NOW
from tests.drives.inbox.test_conversations import say
from tests.drives.privacy import planted
from tests.drives.privacy.planted import dump_tables, find_canaries, plant
from tests.drives.privacy.register import GONE
from volunteers import erasure as volunteers_erasure

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
LATER = NOW + timedelta(hours=3)


def erase(of: planted.Planted) -> privacy_erase.ErasureResult:
    return privacy_erase.erase_volunteer(volunteer_id=of.volunteer_id, reason="asked", actor="donor", now=LATER)


def test_the_search_finds_the_canaries_before_the_erasure() -> None:
    plant()
    found = find_canaries(dump_tables())
    assert set().union(*found.values()) >= {
        *("quokka", "2015550142", "(201) 555-0142", "quokka.canary", planted.IP),
        *("wombat", "numbat", "dingo", "kookaburra"),
    }
    assert set(found) >= {
        *("volunteers_volunteer", "volunteers_contact", "volunteers_registration"),
        *("notifications_message", "notifications_inboundmessage", "notifications_consententry"),
        *("drives_import", "drives_importrow"),
        *("notifications_inboxitem", "drives_conversation", "drives_booking", "drives_bookingchange"),
    }


def test_no_canary_is_left_after_the_erasure() -> None:
    ana = plant()
    erased = erase(ana)
    assert erased.cancelled_count == 1
    assert find_canaries(dump_tables()) == {}


def test_the_keyed_hash_stays_in_the_ledger_and_among_the_stops_alone() -> None:
    ana = plant()
    say("STOP", NOW + timedelta(hours=2), Sender.objects.get(organizations=ana.organization), planted.NUMBER)
    erase(ana)
    hashes = [contact_address.compute_identity(planted.PHONE), contact_address.compute_identity(planted.MAILBOX)]
    homes = {table for table, text in dump_tables().items() if any(known in text for known in hashes)}
    assert homes == {"notifications_consententry", "notifications_suppression"}


def test_no_value_that_identifies_the_donor_is_left() -> None:
    """Search for Ana's values that are not canaries, and for the ids that refer to her."""
    ana = plant()
    before = {where: _values(*where) for where in GONE}
    erase(ana)
    assert {where: left for where in GONE if (left := before[where] & _values(*where))} == {}


def _values(model: type[models.Model], column: str) -> set[str]:
    kept = model._default_manager.values_list(column, flat=True)
    return {str(value) for value in kept} - {"", "None", BLANKED_TEXT}


def test_no_link_that_the_donor_received_works() -> None:
    ana = plant()
    assert set(planted.open_links(ana).values()) == {200}
    erase(ana)
    assert set(planted.open_links(ana).values()) == {404}
    for name in ("drive", "drive_calendar"):
        page = ana.client.get(reverse(name, args=[ana.drive.slug]))
        assert find_canaries({name: page.content.decode().lower()}) == {}


def test_logs_and_task_arguments_contain_no_personal_data(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    erase(plant())
    lines = [record for record in caplog.records if record.name.startswith(("drives", "notifications", "volunteers"))]
    assert any(record.getMessage() == "erased" for record in lines)
    assert find_canaries({"logs": "\n".join(JsonFormatter().format(record) for record in lines).lower()}) == {}
    celery.app.loader.import_default_modules()
    kinds = {one.kind for name in SWEEPS for one in inspect.signature(celery.app.tasks[name].run).parameters.values()}
    assert kinds == {inspect.Parameter.VAR_KEYWORD}  # tasks take no ids of people


@pytest.mark.parametrize(
    ("home", "name"),
    [
        (erasure, "erase_messages"),
        (erasure, "hash_consents"),
        (erasure, "delete_replies"),
        (volunteers_erasure, "erase_personal_data"),
        (privacy_erase, "_anonymize_rows"),
        (imports_retention, "erase_from_imports"),
    ],
)
def test_control_a_skipped_erasure_step_is_detected(home: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = plant()
    monkeypatch.setattr(home, name, lambda *_args, **_kwargs: None)
    erase(ana)
    assert find_canaries(dump_tables())


def test_control_a_kept_response_is_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real stored responses contain links but no contact.

    As a control, this one contains a phone number, and the erasure does not delete it. The search must find the number.
    """
    ana = plant()
    text = f'{{"phone":"{planted.PHONE}"}}'
    idempotency.run_once(scope="key:1", key="a", body=b"", now=NOW, work=lambda keep: keep(text))
    monkeypatch.setattr(idempotency, "blank_answers", lambda **_kwargs: 0)
    erase(ana)
    assert set(find_canaries(dump_tables())) == {"organizations_idempotentanswer"}
