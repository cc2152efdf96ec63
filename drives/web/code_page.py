"""The page on which a donor types a code, asks for another one, or chooses e-mail: one for every subject."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from django import forms
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from drives.models import Booking, WaitingEntry
from drives.web import form_errors, visitor
from drives.web.fields import Typed
from volunteers import queries as volunteers_queries
from volunteers import verification
from volunteers.matching import Whose
from volunteers.verification import CodeWrong

T = TypeVar("T")


class CodeForm(forms.Form):
    """The code that was sent; and for whom it is, where the contact is known under another name."""

    use_required_attribute = False

    code = Typed(
        label=_("Code"),
        required=False,
        max_length=40,
        widget=forms.TextInput(
            attrs={"class": "code", "inputmode": "numeric", "autocomplete": "one-time-code", "spellcheck": "false"}
        ),
    )

    @property
    def asks_whose(self) -> bool:
        """Whether it was refused until this is said."""
        return self.has_error(NON_FIELD_ERRORS, "other_name")

    def refuse(self, problem: ValidationError) -> None:
        """Show a problem: beside the code if the code is wrong, else above the form."""
        self.add_error("code" if isinstance(problem, CodeWrong) else None, problem)


@dataclass(frozen=True)
class CodePage:
    """Where the code went, and what the donor may do."""

    contact: str  # as it was typed
    to_mailbox: bool
    is_verified: bool
    texting_number: str  # to which a donor who texted STOP sends START; empty if there are several
    may_use_email: bool = False
    is_sent_again: bool = False
    is_demo: bool = False


def page_of(request: HttpRequest, held: Booking | WaitingEntry) -> CodePage:
    """The code page of a hold or of a request to join a waitlist."""
    typed = held.registration
    assert typed is not None  # what is held has one
    to_mailbox = "@" in verification.address_of(typed)
    return CodePage(
        contact=typed.email if to_mailbox else typed.phone_as_typed,
        to_mailbox=to_mailbox,
        is_verified=typed.proved_at is not None or _is_verified(request, typed.identity),
        texting_number=volunteers_queries.texting_number(held.drive.organization),
        may_use_email=bool(typed.email) and not to_mailbox,
        is_sent_again="sent" in request.GET,
        is_demo=settings.DEMO,
    )


def page_of_contact(request: HttpRequest, *, typed: str, identity: str, texting_number: str = "") -> CodePage:
    """The code page of a search, or of a new phone or mailbox."""
    return CodePage(
        contact=typed,
        to_mailbox="@" in typed,
        is_verified=_is_verified(request, identity),
        texting_number=texting_number,
        is_demo=settings.DEMO,
    )


def render_page(
    request: HttpRequest,
    template: str,
    page: CodePage,
    form: CodeForm,
    problem: ValidationError | None = None,
    context: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The page of a subject that extends `code_page.html`, with what stands against going on."""
    if problem is not None:
        form.refuse(problem)
    shown = {**(context or {}), "code_page": page, "form": form}
    response = render(request, template, shown, status=form_errors.status_of(problem))
    return form_errors.answered(response, problem)


def whose(request: HttpRequest) -> Whose:
    """The donor's answer, if the page asked for the person (`CodeForm.asks_whose`)."""
    answers: dict[str, Whose] = {"me": "me", "other": "other"}
    return answers.get(request.POST.get("whose", ""), "")


def verify(
    request: HttpRequest,
    action: Callable[..., T],
    done: Callable[[T], HttpResponse],
    again: Callable[[CodeForm, ValidationError], HttpResponse],
) -> HttpResponse:
    """Verify by the code that was typed, or by what this browser verified before, and remember the browser."""
    form, browser = CodeForm(request.POST), visitor.browser_or_new(request)
    form.full_clean()
    code = form.cleaned_data.get("code", "")
    try:
        result = action(code=code, bound_to=visitor.bound_to(browser), browser=browser, now=timezone.now())
    except ValidationError as problem:
        return again(form, problem)
    response = done(result)
    visitor.remember(response, browser)
    return response


def send_again(
    request: HttpRequest,
    action: Callable[..., None],
    done: Callable[[], HttpResponse],
    again: Callable[[CodeForm, ValidationError], HttpResponse],
) -> HttpResponse:
    """Send another code, to the same contact or by e-mail; from here on it counts in this browser."""
    browser, by_email = visitor.browser_or_new(request), request.POST.get("by") == "email"
    bound_to, ip = visitor.bound_to(browser), visitor.ip_of(request)
    try:
        action(bound_to=bound_to, ip=ip, by_email=by_email, now=timezone.now())
    except ValidationError as problem:
        return again(CodeForm(data={}), problem)
    response = done()
    visitor.remember(response, browser)
    return response


def _is_verified(request: HttpRequest, identity: str) -> bool:
    return volunteers_queries.browser_proved(visitor.browser_of(request), identity, timezone.now())
