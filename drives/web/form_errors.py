"""Show an action's refusal on a form or page."""

from collections.abc import Mapping
from math import ceil

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpResponse

from drives.refusals import OpenTime, Refusal
from volunteers.limits import RateLimitExceeded


def add_refusal(form: forms.BaseForm, error: ValidationError, fields: Mapping[str, str] | None = None) -> None:
    """Add an error to the form fields that it names, or above the form.

    `fields` maps the error's names to form field names where they differ.
    """
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for name, problems in by_field.items():
        field = (fields or {}).get(name, name)
        form.add_error(field if field in form.fields else None, problems)


def list_alternatives(error: ValidationError) -> list[OpenTime]:
    return error.alternatives if isinstance(error, Refusal) else []


def compute_http_status(problem: ValidationError | None) -> int:
    if problem is None:
        return 200
    if isinstance(problem, Refusal):
        return 409
    return 429 if isinstance(problem, RateLimitExceeded) else 422


def add_retry_after(page: HttpResponse, problem: ValidationError | None) -> HttpResponse:
    if isinstance(problem, RateLimitExceeded):
        page["Retry-After"] = str(max(1, ceil(problem.retry_after.total_seconds())))
    return page
