"""What the organizer's forms share."""

from collections.abc import Mapping

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from drives.refusals import OpenTime, Refusal


def refuse(form: forms.BaseForm, error: ValidationError, fields: Mapping[str, str] | None = None) -> None:
    """Put an action's refusal beside the fields it is about; `fields` says where names differ. Nothing is lost."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for name, problems in by_field.items():
        shown = (fields or {}).get(name, name)
        form.add_error(shown if shown in form.fields else None, problems)


def proposed_by(error: ValidationError) -> list[OpenTime]:
    """The times that a refusal proposes."""
    return error.alternatives if isinstance(error, Refusal) else []
