"""What the API says, as plain dicts: serializers would cost more than the database. `shapes` documents them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from drives.refusals import Reason

Answer = dict[str, Any]
Maker = Callable[[Any], Answer]


def at(instant: datetime, zone: str) -> str:
    """ISO 8601 with the offset of the place where it happens."""
    return instant.astimezone(ZoneInfo(zone)).isoformat()


def reason(row: Reason, zone: str) -> Answer:
    """Why something may not happen, with the first time that it may if a rule of interval says so."""
    said: Answer = {"code": row.code, "detail": row.detail}
    if row.earliest_ok_at:
        said["earliest_ok_at"] = at(row.earliest_ok_at, zone)
    if row.person:
        said["person"] = row.person
    return said
