"""The errors that actions raise, with the coded reasons and alternative times."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Reason:
    """A reason for a refusal, with a stable code and a sentence.

    `earliest_ok_at` is set if the donor must wait until then. `person` is the typed name of the party member.
    """

    code: str
    detail: str
    earliest_ok_at: datetime | None = None
    person: str = ""


@dataclass(frozen=True)
class OtherDrive:
    drive_id: int
    slug: str
    title: str
    zone: str


@dataclass(frozen=True)
class OpenTime:
    """A time at which a visit or a party fits. Times are UTC. `slot_id` is the slot of the first arrival."""

    slot_id: int
    arrivals: tuple[datetime, ...]  # one for each person, in the order given
    spots_left: int = 1  # for one person: the number of such visits that can start then
    other_drive: OtherDrive | None = None  # None means the requested drive

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
    """The refusal of an action, with all reasons and the nearest possible times."""

    def __init__(self, reasons: Sequence[Reason], alternatives: Sequence[OpenTime] = ()) -> None:
        super().__init__([ValidationError(reason.detail, code=reason.code) for reason in reasons])
        self.reasons = list(reasons)
        self.alternatives = list(alternatives)

    @property
    def codes(self) -> list[str]:
        return [reason.code for reason in self.reasons]


class HoldLapsed(ValidationError):
    """The code for a held booking or waitlist entry was not entered in time, or the hold has ended otherwise."""

    def __init__(self) -> None:
        super().__init__(_("The code was not entered in time. Please start over."), "hold_lapsed")
