"""The runbook has a section for each check and each alert, and a test provokes each of them."""

import re

import pytest

from config import health
from tests.architecture.sources import ROOT

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
ALERTS = re.findall(r'in \(("late".*?)\)', (ROOT / "config" / "metrics.py").read_text())[0]
CODES = [*health.CHECKS, *re.findall(r'"(\w+)"', ALERTS)]
# The test that provokes each alert, by the alert's code.
PROVOKED = {
    "database": "test_a_database_that_is_away_is_named_and_nothing_else_is_asked",
    "migrations": "test_a_migration_that_is_missing_is_named",
    "keys": "test_another_identity_key_keeps_the_service_from_starting_and_is_shown",
    "restored": "test_nothing_leaves_a_copy_until_a_person_opens_it",
    "messages": "test_a_stopped_sender_is_named_with_its_time_and_remedy",
    "drift": "test_drifted_counters_are_named_once_they_were_audited",
    "beat": "test_a_silent_beat_is_named",
    "late": "test_messages_that_should_have_left_two_minutes_ago_are_late",
    "no_sender": "test_without_any_sender_nothing_can_leave",
    "sender_stopped": "test_a_stopped_sender_is_a_problem_for_organizations_without_another",
    "undelivered": "test_more_than_a_fifth_of_the_last_fifty_that_did_not_arrive_is_trouble",
}


def test_the_sections_are_those_of_the_checks_and_alerts() -> None:
    assert re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE) == CODES


@pytest.mark.parametrize("code", CODES)
def test_a_test_provokes_each_of_them(code: str) -> None:
    found = [path for path in (ROOT / "tests").rglob("test_*.py") if f"def {PROVOKED[code]}(" in path.read_text()]
    assert len(found) == 1
    assert code in found[0].read_text()
