"""Filters for the report on several drives."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives.desk import rules
from drives.desk.forms import DayField
from drives.desk.reports import ReportFilter
from drives.models import Site
from organizations.models import Organization


@dataclass(frozen=True)
class Preset:
    label: str
    query: str
    is_chosen: bool


class ReportFilterForm(forms.Form):
    """Filters from the URL's query string. The default is the last twelve months and all upcoming drives."""

    use_required_attribute = False
    first_day = DayField(gettext_lazy("From"))
    last_day = DayField(gettext_lazy("Until"))
    site = forms.ModelChoiceField(
        label=gettext_lazy("Location"), required=False, queryset=Site.objects.none(), empty_label=gettext_lazy("All")
    )

    def __init__(self, data: Any, *, organization: Organization, today: date) -> None:
        self.periods = _list_periods(today)
        typed = {name: data.get(name, "") for name in ("first_day", "last_day", "site")}
        if "first_day" not in data and "last_day" not in data:
            _label, first_day, last_day = self.periods[0]
            typed |= _format_days(first_day, last_day)
        super().__init__(typed)
        self.fields["site"].queryset = Site.objects.filter(organization=organization).order_by("name", "pk")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("first_day"), self.cleaned_data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", _("Enter a date on or after the first one."))
        return self.cleaned_data

    def refuse_too_many(self) -> None:
        sentence = _("This period has more than %(most)s drives. Choose a shorter period or one location.")
        self.add_error("first_day", sentence % {"most": rules.MAX_REPORT_DRIVES})

    @property
    def presets(self) -> list[Preset]:
        site = {"site": self["site"].value()} if self["site"].value() else {}
        typed = {name: self[name].value() for name in ("first_day", "last_day")}
        periods = [(label, _format_days(first, last)) for label, first, last in self.periods]
        return [Preset(label, urlencode({**days, **site}), days == typed) for label, days in periods]

    @property
    def query(self) -> str:
        return urlencode({field.name: field.value() for field in self})

    @property
    def chosen_names(self) -> list[str]:
        return [name for name, value in self.cleaned_data.items() if value]

    def build_filter(self) -> ReportFilter:
        return ReportFilter(**self.cleaned_data)


def _list_periods(today: date) -> list[tuple[str, date | None, date | None]]:
    return [
        (_("Last 12 months and coming drives"), compute_year_before(today), None),
        (_("This year"), date(today.year, 1, 1), date(today.year, 12, 31)),
        (_("All drives"), None, None),
    ]


def compute_year_before(today: date) -> date:
    """Return the first day of the twelve months that end today.

    For example, return March 2 of last year for March 1.
    """
    tomorrow = today + timedelta(days=1)
    is_leap_day = (tomorrow.month, tomorrow.day) == (2, 29)
    return date(tomorrow.year - 1, 3, 1) if is_leap_day else tomorrow.replace(year=tomorrow.year - 1)


def _format_days(first: date | None, last: date | None) -> dict[str, str]:
    return {"first_day": first.isoformat() if first else "", "last_day": last.isoformat() if last else ""}
