"""Find my booking: a phone or mailbox, a code, and the donor's own page. The answer is the same whoever is known."""

import secrets
from typing import Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from drives.account import find as account_find
from drives.booking import forms as booking_forms
from drives.booking.forms import CodeForm, Typed
from drives.web import visitor
from drives.web.pending import Pending
from volunteers import queries as volunteers_queries

ASKED: Final = Pending("find", count=2)  # the identity to prove, and the contact as it was typed


class FindForm(forms.Form):
    """Under what somebody booked."""

    use_required_attribute = False

    contact = Typed(
        label=_("Phone number or e-mail address"),
        help_text=_("A number from another country begins with + and its code."),
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "autocapitalize": "none", "spellcheck": "false"}),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def find(request: HttpRequest) -> HttpResponse:
    """Ask for the contact; then send a code there, if anybody is known under it."""
    form = FindForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form, 200 if request.method != "POST" else 422)
    typed, fresh = form.cleaned_data["contact"], secrets.token_urlsafe(32)
    try:
        identity = account_find.ask(
            typed=typed,
            browser=visitor.browser_of(request),
            fresh=fresh,
            bound_to=visitor.bound_to(fresh),
            ip=visitor.ip_of(request),
            now=timezone.now(),
        )
    except ValidationError as problem:
        form.add_error(None, problem)
        return booking_forms.answered(_page(request, form, booking_forms.status_of(problem)), problem)
    response = redirect("find_code")
    response.status_code = 303
    ASKED.keep(response, request.path, identity, typed)
    visitor.remember(response, fresh)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Type the code: this browser then knows its user for 30 days."""
    said, browser = ASKED.texts(request), visitor.browser_of(request)
    if said is None or not browser:
        return redirect("find")
    identity, typed = said
    form = CodeForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _code_page(request, form, typed)
    try:
        account_find.prove(
            identity=identity,
            code=form.cleaned_data["code"],
            bound_to=visitor.bound_to(browser),
            browser=browser,
            now=timezone.now(),
        )
    except ValidationError as problem:
        form.add_error("code", problem)
        return _code_page(request, form, typed, 422)
    response = redirect("me")
    response.status_code = 303
    visitor.remember(response, browser)
    return response


def _page(request: HttpRequest, form: FindForm, status: int) -> HttpResponse:
    browser = visitor.browser_of(request)
    is_known = bool(browser) and volunteers_queries.proved_from(browser, timezone.now()).exists()
    return render(request, "drives/account/find.html", {"form": form, "is_known": is_known}, status=status)


def _code_page(request: HttpRequest, form: CodeForm, typed: str, status: int = 200) -> HttpResponse:
    context = {"form": form, "typed": typed, "is_demo": settings.DEMO}
    return render(request, "drives/account/find_code.html", context, status=status)
