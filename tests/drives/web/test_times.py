"""Filters for times on pages."""

from datetime import UTC, datetime

import pytest

from drives.templatetags import times


@pytest.mark.parametrize("microsecond", [0, 123_456, 999_999])
def test_a_datetime_attribute_has_whole_seconds(microsecond: int) -> None:
    at = datetime(2027, 3, 14, 9, 59, 59, microsecond, tzinfo=UTC)
    assert times.iso_time(at) == "2027-03-14T09:59:59+00:00"
