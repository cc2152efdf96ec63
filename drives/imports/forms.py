from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives.imports import columns as import_columns
from drives.imports import csv_reader, rules
from drives.imports.columns import CONSENT_FIELDS, Field
from drives.imports.csv_reader import Sheet
from drives.imports.uploads import ConsentProof
from drives.models import Import
from drives.web.fields import CheckboxField


class UploadForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("CSV file"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv,text/plain"}),
        error_messages={
            "required": gettext_lazy("Choose a file."),
            "empty": gettext_lazy("This file is empty. Choose another one."),
        },
    )

    def __init__(self, max_rows: int, *args: Any) -> None:
        super().__init__(*args)
        self.fields["file"].help_text = _("Up to %(count)s rows and 8 MB.") % {"count": f"{max_rows:,}"}

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size is None or file.size > rules.MAX_BYTES:
            raise csv_reader.build_too_large_error()
        return file


class ColumnsForm(forms.Form):
    """A form for the column of each field, and for the evidence of the consents in the file."""

    consent_wording = forms.CharField(
        label=Import._meta.get_field("consent_wording").verbose_name,
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Copy the sentence from your form. We keep it with each person’s agreement."),
    )
    consent_source = forms.CharField(
        label=Import._meta.get_field("consent_source").verbose_name,
        max_length=200,
        required=False,
        help_text=gettext_lazy("For example: paper form at the drive in May, or the sign-up page of our website."),
    )
    consented_on_all = forms.DateField(
        label=Import._meta.get_field("consented_on").verbose_name,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("For rows without their own date. Leave it empty if every row has one."),
        error_messages={"invalid": gettext_lazy("Enter a date.")},
    )

    def __init__(self, sheet: Sheet, data_import: Import, today: date, data: Any = None) -> None:
        initial = {
            **data_import.columns,
            "consent_wording": data_import.consent_wording,
            "consent_source": data_import.consent_source,
            "consented_on_all": data_import.consented_on,
        }
        super().__init__(data, initial=initial)
        self.today = today
        for name in ("consent_wording", "consent_source", "consented_on_all"):
            self.fields[name].needed = True  # type: ignore[attr-defined]  # the label does not say "optional"
        choices = [
            ("", _("Leave out")),
            *((number, label) for number, label in enumerate(import_columns.list_column_labels(sheet.headers))),
        ]
        self.import_fields = import_columns.list_fields(has_bookings=data_import.drive_id is not None)
        for field in self.import_fields:
            self.fields[field.value] = forms.TypedChoiceField(
                label=field.label, choices=choices, coerce=int, empty_value=None, required=False
            )

    @property
    def person_fields(self) -> list[forms.BoundField]:
        of_consent = (*CONSENT_FIELDS, Field.CONSENTED_ON)
        return [self[field.value] for field in self.import_fields if field not in of_consent]

    @property
    def consent_fields(self) -> list[forms.BoundField]:
        return [self[field.value] for field in (*CONSENT_FIELDS, Field.CONSENTED_ON)]

    @property
    def matched(self) -> dict[str, int]:
        columns = {field.value: self.cleaned_data.get(field.value) for field in self.import_fields}
        return {name: column for name, column in columns.items() if column is not None}

    @property
    def proof(self) -> ConsentProof:
        if not any(field in self.matched for field in CONSENT_FIELDS):
            return ConsentProof()
        typed = self.cleaned_data
        return ConsentProof(typed["consent_wording"], typed["consent_source"], typed["consented_on_all"])

    def clean(self) -> dict[str, Any]:
        self._check_columns()
        if any(field in self.matched for field in CONSENT_FIELDS):
            self._check_proof()
        return self.cleaned_data

    def _check_columns(self) -> None:
        matched = self.matched
        if not {Field.NAME, Field.FIRST_NAME, Field.LAST_NAME} & matched.keys():
            self.add_error(Field.NAME, ValidationError(_("Choose the column with the names."), code="name_unmatched"))
        if not {Field.PHONE, Field.EMAIL} & matched.keys():
            message = _("Choose the column with the phone numbers, or the one with the e-mail addresses.")
            self.add_error(Field.PHONE, ValidationError(message, code="contact_unmatched"))
        if Field.TIME in self.import_fields and Field.TIME not in matched:
            self.add_error(Field.TIME, ValidationError(_("Choose the column with the times."), code="time_unmatched"))
        seen: set[int] = set()
        for name, column in matched.items():
            if column in seen:
                message = _("You have chosen this column twice. Choose it for one field only.")
                self.add_error(name, ValidationError(message, code="column_twice"))
            seen.add(column)

    def _check_proof(self) -> None:
        typed = self.cleaned_data
        if not typed.get("consent_wording"):
            self.add_error("consent_wording", _("Enter what these people agreed to, in the words they saw."))
        if not typed.get("consent_source"):
            self.add_error("consent_source", _("Enter where these people agreed."))
        day = typed.get("consented_on_all")
        if day and day > self.today:
            self.add_error("consented_on_all", _("This day is in the future. Enter the day on which they agreed."))
        if not day and Field.CONSENTED_ON not in self.matched and "consented_on_all" not in self.errors:
            self.add_error("consented_on_all", _("Enter when they agreed, or choose the column with the dates."))


class StartForm(forms.Form):
    leaves_out = CheckboxField(required=False)
    error_count = forms.IntegerField(min_value=0, widget=forms.HiddenInput, required=False)

    @property
    def left_out_count(self) -> int:
        return (self.cleaned_data["error_count"] or 0) if self.cleaned_data["leaves_out"] else 0
