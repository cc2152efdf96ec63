"""The sample file, and the descriptions of its columns."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from drives.imports.columns import Field

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

_SAMPLE_FIELDS = (
    *(Field.NAME, Field.PHONE, Field.EMAIL, Field.LANGUAGE, Field.REMINDERS, Field.NEWS, Field.CONSENTED_ON),
)
_BOOKING_SAMPLE_FIELDS = (Field.TIME, Field.VISIT, *_SAMPLE_FIELDS)
_SAMPLE_ROWS = (
    ("Test Ana Alder", "213 555 0142", "ana@example.org", "English", "yes", "yes", "2026-05-16"),
    ("Test Bo Birch", "", "bo@example.org", "Spanish", "yes", "no", "2026-05-16"),
    ("Test Ida Elm", "213 555 0143", "", "", "no", "no", ""),
)


@dataclass(frozen=True)
class ColumnHelp:
    label: "StrOrPromise"
    text: "StrOrPromise"


def list_column_help(*, has_bookings: bool = False) -> list[ColumnHelp]:
    of_booking = [
        ColumnHelp(Field.TIME.label, _("The arrival time, such as 9:30 AM or 13:30.")),
        ColumnHelp(
            Field.VISIT.label, _("“First” or “return”. Without this column, all visits count as return visits.")
        ),
    ]
    return [
        *(of_booking if has_bookings else []),
        ColumnHelp(Field.NAME.label, _("The whole name in one column, or the first and last name in two columns.")),
        ColumnHelp(
            Field.PHONE.label,
            _("With the area code, in any format. Each person needs a phone number or an e-mail address."),
        ),
        ColumnHelp(Field.EMAIL.label, _("One address for each person.")),
        ColumnHelp(Field.LANGUAGE.label, _("English or Spanish, for messages.")),
        ColumnHelp(
            Field.REMINDERS.label,
            _(
                "Yes or no. Without a yes, we don’t text this person. We’ll ask you what they agreed to, where and"
                " when."
            ),
        ),
        ColumnHelp(Field.NEWS.label, _("Yes or no. Without a yes, this person gets no news about upcoming drives.")),
        ColumnHelp(Field.CONSENTED_ON.label, _("The day on which they agreed, such as 2026-05-16.")),
    ]


def build_bookings_sample() -> tuple[list[str], list[tuple[str, ...]]]:
    times = ("9:30 AM", "10:15 AM", "1:00 PM")
    rows: list[tuple[str, ...]] = [(at, "return", *row) for at, row in zip(times, _SAMPLE_ROWS, strict=True)]
    return [str(field.label) for field in _BOOKING_SAMPLE_FIELDS], rows


def build_people_sample() -> tuple[list[str], list[tuple[str, ...]]]:
    return [str(field.label) for field in _SAMPLE_FIELDS], list(_SAMPLE_ROWS)
