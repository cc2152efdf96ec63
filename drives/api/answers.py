"""What the API says, as plain dicts: serializers would cost more than the database. `shapes` documents them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Answer = dict[str, Any]
Maker = Callable[[Any], Answer]


def at(instant: datetime, zone: str) -> str:
    """ISO 8601 with the offset of the place where it happens."""
    return instant.astimezone(ZoneInfo(zone)).isoformat()
