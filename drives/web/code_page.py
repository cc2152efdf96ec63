"""The form for a verification code, and the data of the page with this form."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from drives.models import Booking, WaitlistEntry
from drives.web import choices, form_errors, visitor
from drives.web.fields import RequiredByActionField
from volunteers import queries as volunteers_queries
from volunteers import verification
from volunteers.matching import BookingFor
from volunteers.models import Registration
from volunteers.verification import CodeWrong

T = TypeVar("T")


class CodeForm(forms.Form):
    """The form for the verification code.

    After the refusal `other_name`, the form also asks whether the contact's owner or another person is coming.
    """

    use_required_attribute = False

    code = RequiredByActionField(
        label=_("Code"),
        required=False,
        max_length=40,
        widget=forms.TextInput(
            attrs={"class": "code", "inputmode": "numeric", "autocomplete": "one-time-code", "spellcheck": "false"}
        ),
    )

    @property
    def asks_for_person(self) -> bool:
        return self.has_error(NON_FIELD_ERRORS, "other_name")

    def add_problem(self, problem: ValidationError) -> None:
        self.add_error("code" if isinstance(problem, CodeWrong) else None, problem)


@dataclass(frozen=True)
class CodePage:
    contact: str  # as typed
    is_email: bool
    is_verified: bool
    texting_number: str  # number for START after a STOP; empty if the organization has several numbers
    may_use_email: bool = False
    is_sent_again: bool = False
    is_demo: bool = False


def build_code_page(request: HttpRequest, held: Booking | WaitlistEntry) -> CodePage:
    assert held.registration is not None  # guaranteed for every hold
    return build_registration_code_page(request, held.registration)


def build_registration_code_page(request: HttpRequest, typed: Registration) -> CodePage:
    is_email = "@" in verification.get_address_to_verify(typed)
    return CodePage(
        contact=typed.email if is_email else typed.phone_as_typed,
        is_email=is_email,
        is_verified=typed.verified_at is not None or _is_verified(request, typed.identity),
        texting_number=volunteers_queries.get_texting_number(typed.organization),
        may_use_email=bool(typed.email) and not is_email,
        is_sent_again="sent" in request.GET,
        is_demo=settings.DEMO,
    )


def build_contact_code_page(request: HttpRequest, *, typed: str, identity: str, texting_number: str = "") -> CodePage:
    return CodePage(
        contact=typed,
        is_email="@" in typed,
        is_verified=_is_verified(request, identity),
        texting_number=texting_number,
        is_demo=settings.DEMO,
    )


def build_hold_context(request: HttpRequest, held: Booking | WaitlistEntry, warn_before: timedelta) -> dict[str, Any]:
    assert held.held_until is not None  # guaranteed by a constraint
    return {
        "extended": "extended" in request.GET,
        "not_extended": "not_extended" in request.GET,
        "seconds_left": max(0, math.ceil((held.held_until - timezone.now()).total_seconds())),
        "warn_seconds": int(warn_before.total_seconds()),
    }


def render_code_page(
    request: HttpRequest,
    template: str,
    page: CodePage,
    form: CodeForm,
    problem: ValidationError | None = None,
    context: Mapping[str, Any] | None = None,
) -> HttpResponse:
    if problem is not None:
        form.add_problem(problem)
    page_context = {**(context or {}), "code_page": page, "form": form}
    response = render(request, template, page_context, status=form_errors.compute_http_status(problem))
    return form_errors.add_retry_after(response, problem)


def parse_person_choice(request: HttpRequest) -> BookingFor:
    answers: dict[str, BookingFor] = {"": "", "me": "me", "other": "other"}
    return answers[choices.read_choice(request, "booking_for", answers, default="")]


def handle_code_form(
    request: HttpRequest,
    action: Callable[..., T],
    on_success: Callable[[T], HttpResponse],
    on_refusal: Callable[[CodeForm, ValidationError], HttpResponse],
) -> HttpResponse:
    """Call `action` with the typed code and this browser's token. Return the response of `on_success` or `on_refusal`.

    On success, also set the browser's cookie, so that this browser needs no code the next time.
    """
    form, browser = CodeForm(request.POST), visitor.read_or_create_browser_token(request)
    form.full_clean()
    code = form.cleaned_data.get("code", "")
    try:
        result = action(
            code=code, bound_to=visitor.compute_browser_digest(browser), browser=browser, now=timezone.now()
        )
    except ValidationError as problem:
        return on_refusal(form, problem)
    response = on_success(result)
    visitor.set_browser_cookie(response, browser)
    return response


def handle_resend_form(
    request: HttpRequest,
    action: Callable[..., None],
    on_success: Callable[[], HttpResponse],
    on_refusal: Callable[[CodeForm, ValidationError], HttpResponse],
) -> HttpResponse:
    by_email = choices.read_choice(request, "by", ("same", "email"), default="same") == "email"
    browser = visitor.read_or_create_browser_token(request)
    bound_to, ip = visitor.compute_browser_digest(browser), visitor.find_ip_address(request)
    try:
        action(bound_to=bound_to, ip=ip, by_email=by_email, now=timezone.now())
    except ValidationError as problem:
        return on_refusal(CodeForm(data={}), problem)
    response = on_success()
    visitor.set_browser_cookie(response, browser)
    return response


def _is_verified(request: HttpRequest, identity: str) -> bool:
    return volunteers_queries.is_browser_verified(visitor.read_browser_token(request), identity, timezone.now())
