from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from drives.domain.waitlist_matching import ArrivalWindow
from drives.waitlist import rules as waitlist_rules

NINE = datetime(2027, 3, 13, 17, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("since", "until"), [(None, None), (NINE, None), (None, NINE), (NINE, NINE + SECOND), (NINE, NINE + timedelta(1))]
)
def test_a_window_may_be_open_on_either_side(since: datetime | None, until: datetime | None) -> None:
    assert waitlist_rules.parse_arrival_window(since, until) == ArrivalWindow(since, until)


@pytest.mark.parametrize("until", [NINE, NINE - SECOND])
def test_a_window_without_a_time_is_refused(until: datetime) -> None:
    with pytest.raises(ValidationError) as refused:
        waitlist_rules.parse_arrival_window(NINE, until)
    assert [(name, error.code) for name, errors in refused.value.error_dict.items() for error in errors] == [
        ("to", "window_empty")
    ]
    assert refused.value.message_dict == {"to": ["Choose a time later than the first one."]}
