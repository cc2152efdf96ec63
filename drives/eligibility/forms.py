from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from drives.domain.intervals import SelfReported
from drives.models import DonationKind


class SelfReportedForm(forms.Form):
    """Optional fields for the kind and date of the last donation elsewhere. Both or neither must be filled in."""

    self_reported_kind = forms.ChoiceField(
        label=_("What did you give?"),
        required=False,
        choices=[("", _("No recent donation")), *DonationKind.choices],
        error_messages={"invalid_choice": _("Choose what you gave.")},
    )
    self_reported_on = forms.DateField(
        label=_("What day?"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Enter a date like 2027-03-14.")},
    )

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        kind, day = typed.get("self_reported_kind"), typed.get("self_reported_on")
        if kind and not day and "self_reported_on" not in self.errors:
            self.add_error("self_reported_on", ValidationError(_("Enter the date too."), code="required"))
        if day and not kind and "self_reported_kind" not in self.errors:
            self.add_error("self_reported_kind", ValidationError(_("Choose what you gave."), code="required"))
        return typed

    @property
    def self_reported(self) -> SelfReported | None:
        typed = self.cleaned_data
        return (
            SelfReported(typed["self_reported_kind"], typed["self_reported_on"])
            if typed["self_reported_kind"]
            else None
        )

    @property
    def has_self_reported(self) -> bool:
        names = ("self_reported_kind", "self_reported_on")
        return any(self[name].value() or self[name].errors for name in names)
