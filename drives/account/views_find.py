"""Find my booking: a phone or mailbox, a code, and the donor's own page. The answer is the same whoever is known."""

import secrets
from functools import partial
from typing import Final

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from drives.account import find as account_find
from drives.web import code_page, form_errors, redirects, visitor
from drives.web.code_page import CodeForm
from drives.web.fields import Typed
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
        return form_errors.answered(_page(request, form, form_errors.status_of(problem)), problem)
    response = redirects.see_other("find_code")
    ASKED.keep(response, request.path, identity, typed)
    visitor.remember(response, fresh)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """Type the code: this browser then knows its user for 30 days."""
    asked = ASKED.texts(request)
    if asked is None or not visitor.browser_of(request):
        return redirect("find")
    identity, typed = asked

    def show(form: CodeForm, problem: ValidationError | None = None) -> HttpResponse:
        page = code_page.page_of_contact(request, typed=typed, identity=identity)
        return code_page.render_page(request, "drives/account/find_code.html", page, form, problem)

    if request.method != "POST":
        return show(CodeForm())
    action = partial(account_find.prove, identity=identity)
    return code_page.verify(request, action, lambda _verified: redirects.see_other("me"), show)


def _page(request: HttpRequest, form: FindForm, status: int) -> HttpResponse:
    browser = visitor.browser_of(request)
    is_known = bool(browser) and volunteers_queries.proved_from(browser, timezone.now()).exists()
    return render(request, "drives/account/find.html", {"form": form, "is_known": is_known}, status=status)
