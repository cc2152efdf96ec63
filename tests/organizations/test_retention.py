"""Expired rows are deleted: sessions, used sign-in codes and parked rows."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from config import schedule
from drives import tasks
from organizations import retention, rules
from organizations.models import ParkedRow, SharedCacheEntry
from tests.builders import NOW

pytestmark = pytest.mark.django_db
MOMENT = timedelta(microseconds=1)


def test_a_session_is_deleted_when_it_has_expired() -> None:
    Session.objects.create(session_key="a" * 32, session_data="", expire_date=NOW)
    assert retention.purge_expired_rows(now=NOW - MOMENT)["sessions"] == 0
    assert retention.purge_expired_rows(now=NOW)["sessions"] == 1


def test_a_used_code_is_deleted_when_the_cache_forgets_it() -> None:
    SharedCacheEntry.objects.create(cache_key="a" * 64, value="", expires=NOW)
    assert retention.purge_expired_rows(now=NOW)["sign_in_limits"] == 0
    assert retention.purge_expired_rows(now=NOW + MOMENT)["sign_in_limits"] == 1


def test_a_parked_row_is_deleted_a_day_after_a_retry_that_no_sweep_made() -> None:
    ParkedRow.objects.create(sweep="close_out", row=7, error="InternalError", retry_at=NOW)
    kept_until = NOW + rules.PARKED_ROW_KEPT
    assert retention.purge_expired_rows(now=kept_until)["parked_rows"] == 0
    assert retention.purge_expired_rows(now=kept_until + MOMENT)["parked_rows"] == 1


def test_every_sweep_retries_its_parked_rows_before_they_are_deleted() -> None:
    assert max(schedule.SWEEPS.values()) + rules.RETRY_PARKED_ROW_AFTER < rules.PARKED_ROW_KEPT


@pytest.mark.time_machine(NOW)
def test_the_sweep_deletes_both() -> None:
    Session.objects.create(session_key="a" * 32, session_data="", expire_date=NOW - MOMENT)
    SharedCacheEntry.objects.create(cache_key="a" * 64, value="", expires=NOW - MOMENT)
    tasks.purge_expired_rows()
    assert not Session.objects.exists()
    assert not SharedCacheEntry.objects.exists()
