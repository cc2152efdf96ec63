"""The API reads the clock: in these tests it stands still, two weeks before the drive."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.core.cache import cache

NOW = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)  # as in builders, which cannot be imported before the servers are up


@pytest.fixture(autouse=True)
def _at_now() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(NOW, tick=False):
        yield
