"""How forms and pages show what an action refused."""

from collections.abc import Mapping
from math import ceil

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpResponse

from drives.refusals import OpenTime, Refusal
from volunteers.limits import RateLimitExceeded


def add_refusal(form: forms.BaseForm, error: ValidationError, fields: Mapping[str, str] | None = None) -> None:
    """Put an action's refusal beside the fields it is about; `fields` says where names differ. Nothing is lost."""
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for name, problems in by_field.items():
        shown = (fields or {}).get(name, name)
        form.add_error(shown if shown in form.fields else None, problems)


def list_alternatives(error: ValidationError) -> list[OpenTime]:
    """The times that a refusal proposes."""
    return error.alternatives if isinstance(error, Refusal) else []


def compute_http_status(problem: ValidationError | None) -> int:
    """The HTTP status of a page that shows a problem: a conflict, a limit, or something to correct."""
    if problem is None:
        return 200
    if isinstance(problem, Refusal):
        return 409
    return 429 if isinstance(problem, RateLimitExceeded) else 422


def add_retry_after(page: HttpResponse, problem: ValidationError | None) -> HttpResponse:
    """The page that shows a problem; where it is a limit, programs too are told when to come back."""
    if isinstance(problem, RateLimitExceeded):
        page["Retry-After"] = str(max(1, ceil(problem.retry_after.total_seconds())))
    return page
