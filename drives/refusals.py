"""What an action raises when it refuses: every reason with a code, and times that would be possible."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


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
class OtherDrive:
    """The other drive to which a proposed time belongs."""

    drive_id: int
    slug: str
    title: str
    zone: str


@dataclass(frozen=True)
class OpenTime:
    """A time at which one visit, or several together, still fit into a drive. All times are UTC.

    `slot_id` and `starts_at` are those of the earliest arrival.
    """

    slot_id: int
    arrivals: tuple[datetime, ...]  # one for each person, in the order in which they were named
    spots_left: int = 1  # for one person: how many such visits may begin then
    elsewhere: OtherDrive | None = None  # None: the drive that was asked about

    @property
    def starts_at(self) -> datetime:
        return min(self.arrivals)

    @property
    def last_at(self) -> datetime:
        return max(self.arrivals)

    @property
    def is_simultaneous(self) -> bool:
        return self.starts_at == self.last_at


class Refusal(ValidationError):
    """An action was refused: every reason, and the nearest times that would have been possible."""

    def __init__(self, reasons: Sequence[Reason], alternatives: Sequence[OpenTime] = ()) -> None:
        super().__init__([ValidationError(reason.detail, code=reason.code) for reason in reasons])
        self.reasons = list(reasons)
        self.alternatives = list(alternatives)

    @property
    def codes(self) -> list[str]:
        return [reason.code for reason in self.reasons]


class HoldLapsed(ValidationError):
    """The code of a held slot, or of a request to join a waitlist, was not entered within fifteen minutes."""

    def __init__(self) -> None:
        super().__init__(_("The code was not entered within 15 minutes. Please start over."), "hold_lapsed")
