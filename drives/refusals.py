"""What an action raises when it refuses: every reason with a code, and times that would be possible."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError


@dataclass(frozen=True)
class Reason:
    """Why something may not happen: a stable code, a sentence; for interval rules the first time that is allowed.

    `person` is whom of several it concerns, by the name that was typed.
    """

    code: str
    detail: str
    earliest_ok_at: datetime | None = None
    person: str = ""


@dataclass(frozen=True)
class Elsewhere:
    """The other drive to which a proposed time belongs."""

    drive_id: int
    slug: str
    title: str
    zone: str


@dataclass(frozen=True)
class OpenTime:
    """An arrival time that still has places for a kind of visit. `starts_at` is UTC."""

    slot_id: int
    starts_at: datetime
    places_left: int
    elsewhere: Elsewhere | None = None  # of the drive that was asked about, if not said


class Refusal(ValidationError):
    """An action was refused: every reason, and the nearest times that would have been possible."""

    def __init__(self, reasons: Sequence[Reason], alternatives: Sequence[OpenTime] = ()) -> None:
        super().__init__([ValidationError(reason.detail, code=reason.code) for reason in reasons])
        self.reasons = list(reasons)
        self.alternatives = list(alternatives)

    @property
    def codes(self) -> list[str]:
        return [reason.code for reason in self.reasons]
