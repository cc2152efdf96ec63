"""Show an action's refusal on a form or page."""

from collections.abc import Mapping
from math import ceil

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from drives.refusals import OpenTime, Refusal
from volunteers.limits import RateLimitExceeded


def add_refusal(form: forms.BaseForm, error: ValidationError, fields: Mapping[str, str] | None = None) -> None:
    """Add an error to the form fields that the error names, or above the form.

    `fields` maps the names in the error to form fields with other names.
    """
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    for name, problems in by_field.items():
        field = (fields or {}).get(name, name)
        form.add_error(field if field in form.fields else None, [_rephrase(problem) for problem in problems])


def format_for_member(error: ValidationError) -> str:
    """Join the sentences of an error for a coordinator or helper. Sentences to the donor are replaced."""
    return " ".join(_rephrase(problem).messages[0] for problem in error.error_list)


# The reasons with these codes address the donor. Members read these sentences instead.
MEMBER_SENTENCES = {
    "already_booked": _("This person already has a booking at this drive. Open that booking to change its time."),
    "too_many_holds": _(
        "This phone or e-mail already has too many unfinished bookings. They expire within 30 minutes."
    ),
    "visit_is_first": _(
        "The donor’s last donation was a while ago, so this counts as a first visit again. A first visit takes longer, "
        "so this time won’t work. Choose another one."
    ),
    "too_many_people": _("Too many people are already booked with this phone or e-mail. Enter another one."),
    "other_name": _("We have this phone or e-mail under another name. Check the name, or enter another contact."),
    "slots_open": _("There are open times in this range. Book one of them instead."),
    "offer_accepted": _("This spot has already been taken for this donor."),
    "offer_declined": _("The donor passed on this spot."),
    "offer_withdrawn": _("We’re no longer holding this spot for this donor."),
    "offer_expired": _("The time to reply has passed. The spot went to the next person."),
}


def _rephrase(problem: ValidationError) -> ValidationError:
    sentence = MEMBER_SENTENCES.get(problem.code or "")
    return ValidationError(sentence, code=problem.code) if sentence else problem


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
