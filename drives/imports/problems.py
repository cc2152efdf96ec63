"""The possible problems of a row, with sentences that tell the coordinator how to correct them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

T = TypeVar("T")

SENTENCES: "Mapping[str, StrOrPromise]" = MappingProxyType(
    {
        "name_missing": _("The name is missing. Enter it, or delete the row."),
        "name_too_long": _("The name is longer than 120 characters. Shorten it."),
        "name_has_link": _("The name contains a web address. Names are sent in texts, so remove it."),
        "contact_missing": _("There is no phone number and no e-mail address. Enter one of them, or delete the row."),
        "phone_scientific": _(
            "Your spreadsheet app has rounded this phone number, so its last digits are lost. Format the column as "
            "text, and enter the number again."
        ),
        "phone_invalid": _("This is not a phone number with its area code. Correct it, or clear the cell."),
        "email_invalid": _("This is not an e-mail address. Correct it, or clear the cell."),
        "language_unknown": _("We don’t send messages in this language. Write English or Spanish, or clear the cell."),
        "answer_unknown": _("We can’t tell if this means yes or no. Write “yes” or “no”."),
        "date_invalid": _("This is not a date that we can read. Write it as 2026-03-25."),
        "date_ambiguous": _("This could be two different days. Write it as 2026-03-25: the year, the month, the day."),
        "date_future": _("This day is in the future. Enter the day on which they agreed."),
        "date_missing": _("The day on which they agreed is missing. Enter it, or write “no” for their agreement."),
        "time_invalid": _("This is not a time that we can read. Write it as 9:30 AM or 13:30."),
        "time_unknown": _("The drive has no arrivals at this time. Enter one of the arrival times in the plan."),
        "visit_unknown": _("We can’t tell if this is a first or a return visit. Write “first” or “return”."),
        "cells_extra": _(
            "This row has more cells than there are columns. A comma inside a cell often causes this. Put quotation "
            "marks around the cell."
        ),
        "too_many_people": _(
            "Too many people have this phone number or e-mail address. Enter each person’s own, or clear the cell."
        ),
    }
)


@dataclass(frozen=True)
class Problem:
    field: str  # "" means the whole row
    code: str
    value: str = ""
    text: str = ""  # the sentence of a refusal, in the organization's language. If empty, SENTENCES has it.

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class Problems:
    """The problems of a row. All of them are collected, so that the coordinator sees them together."""

    found: list[Problem] = field(default_factory=list)

    def collect(self, name: str, text: str, rule: Callable[[str], T], default: T) -> T:
        try:
            return rule(text)
        except ValidationError as error:
            self.add(name, error.error_list[0].code or "", text)
            return default

    def add(self, name: str, code: str, text: str = "") -> None:
        self.found.append(Problem(name, code, text[:80]))
