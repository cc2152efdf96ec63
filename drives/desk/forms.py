"""Filters for the list of people."""

from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives.desk import rules
from drives.desk.people_list import CONSENT_LABELS, History, PeopleFilter, Sort
from drives.eligibility import eligible_days
from drives.models import Drive
from organizations.models import Organization

DATE_SENTENCE = gettext_lazy("Enter a date like 2027-03-14.")
ANY = [("", gettext_lazy("All"))]


class SearchField(forms.CharField):
    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "")[: rules.SEARCH_LENGTH]


class DayField(forms.DateField):
    def __init__(self, label: Any) -> None:
        limits = MinValueValidator(rules.FIRST_DAY, DATE_SENTENCE), MaxValueValidator(rules.LAST_DAY, DATE_SENTENCE)
        super().__init__(
            label=label,
            required=False,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            error_messages={"invalid": DATE_SENTENCE},
            validators=limits,
        )


class PeopleFilterForm(forms.Form):
    """Filters from the URL's query string. The interval rules of `rules_drive` apply to the filter `eligible_on`."""

    use_required_attribute = False
    q = SearchField(required=False, widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}))
    history = forms.ChoiceField(
        label=gettext_lazy("Visits"),
        required=False,
        choices=[
            *ANY,
            (History.FIRST_TIME.value, gettext_lazy("First-time donors (no donation yet)")),
            (History.RETURN.value, gettext_lazy("Return donors (have donated before)")),
            (History.NEVER_CAME.value, gettext_lazy("No visit yet")),
        ],
    )
    eligible_on = DayField(gettext_lazy("Can donate on"))
    visited_from = DayField(gettext_lazy("Last visit on or after"))
    visited_until = DayField(gettext_lazy("Last visit on or before"))
    consent = forms.ChoiceField(
        label=gettext_lazy("Agreed to"),
        required=False,
        choices=[*ANY, *((purpose.value, label) for purpose, label in CONSENT_LABELS.items())],
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"), required=False, choices=lambda: [*ANY, *settings.LANGUAGES]
    )
    sort = forms.ChoiceField(
        label=gettext_lazy("Sort by"),
        required=False,
        choices=[
            (Sort.NAME.value, gettext_lazy("Name")),
            (Sort.NEWEST_VISIT.value, gettext_lazy("Last visit, newest first")),
            (Sort.OLDEST_VISIT.value, gettext_lazy("Last visit, oldest first")),
            (Sort.DONATIONS.value, gettext_lazy("Number of donations")),
        ],
    )

    def __init__(self, data: Any, *, organization: Organization, today: date, by_contact: bool) -> None:
        super().__init__(data)
        self.organization, self.today = organization, today
        self.rules_drive: Drive | None = None
        self.fields["q"].label = _("Name, phone number or e-mail") if by_contact else _("Name")

    def clean_eligible_on(self) -> date | None:
        day: date | None = self.cleaned_data["eligible_on"]
        if day is None:
            return None
        if not self.today <= day <= self.today + rules.ELIGIBLE_DAYS_AHEAD:
            raise ValidationError(_("Enter a date from today to a year from now."), code="day_out_of_range")
        self.rules_drive = eligible_days.find_drive_for_day(self.organization, day)
        if self.rules_drive is None:
            raise ValidationError(
                _("Plan a drive first. Its donation program says how long donors must wait between donations."),
                code="no_drive",
            )
        return day

    def clean(self) -> dict[str, Any]:
        first, last = self.cleaned_data.get("visited_from"), self.cleaned_data.get("visited_until")
        if first and last and last < first:
            self.add_error("visited_until", _("Enter a date on or after the first one."))
        return self.cleaned_data

    @property
    def main_fields(self) -> list[BoundField]:
        return [self["q"], self["sort"]]

    @property
    def filters(self) -> list[BoundField]:
        return [field for field in self if field.name not in ("q", "sort")]

    @property
    def chosen_names(self) -> list[str]:
        return [name for name, value in self.cleaned_data.items() if value]

    @property
    def has_filters(self) -> bool:
        """Return whether the member has filled in any filter, valid or not."""
        return any(field.value() for field in self.filters)

    @property
    def shows_part(self) -> bool:
        return self.has_filters or bool(self["q"].value())

    def build_filter(self) -> PeopleFilter:
        typed = {name: value for name, value in self.cleaned_data.items() if value}
        return PeopleFilter(search=typed.pop("q", ""), **typed)
