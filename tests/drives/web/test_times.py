from datetime import UTC, datetime

import pytest

from drives.templatetags import times


@pytest.mark.parametrize("microsecond", [0, 123_456, 999_999])
def test_a_datetime_attribute_has_whole_seconds(microsecond: int) -> None:
    at = datetime(2027, 3, 14, 9, 59, 59, microsecond, tzinfo=UTC)
    assert times.iso_time(at) == "2027-03-14T09:59:59+00:00"


def test_a_reference_is_read_letter_by_letter() -> None:
    shown = times.spelled("K7<2")
    assert shown == '<span aria-hidden="true">K7&lt;2</span><span class="visually-hidden">K 7 &lt; 2</span>'


@pytest.mark.parametrize(
    ("address", "shown"), [("+12135550142", "(213) 555-0142"), ("ana@example.org", "ana@example.org")]
)
def test_a_phone_number_is_shown_in_groups(address: str, shown: str) -> None:
    assert times.contact(address) == shown
