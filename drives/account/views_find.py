"""Pages to find bookings by contact and code. Known and unknown contacts get the same responses."""

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

from drives.account import booking_search
from drives.web import code_page, form_errors, redirects, visitor
from drives.web.code_page import CodeForm
from drives.web.fields import RequiredByActionField
from drives.web.pending_input import PendingInput
from volunteers import queries as volunteers_queries

PENDING_FIND: Final = PendingInput("find", count=2)  # the identity to verify, and the contact as typed


class FindForm(forms.Form):
    use_required_attribute = False

    contact = RequiredByActionField(
        label=_("Phone number or e-mail address"),
        help_text=_("Numbers from other countries start with + and the country code."),
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "tel", "autocapitalize": "none", "spellcheck": "false"}),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def find_bookings(request: HttpRequest) -> HttpResponse:
    form = FindForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _render_find_page(request, form, 200 if request.method != "POST" else 422)
    typed, new_browser = form.cleaned_data["contact"], secrets.token_urlsafe(32)
    try:
        identity = booking_search.request_find_code(
            typed=typed,
            browser=visitor.read_browser_token(request),
            new_browser=new_browser,
            bound_to=visitor.compute_browser_digest(new_browser),
            ip=visitor.find_ip_address(request),
            now=timezone.now(),
        )
    except ValidationError as problem:
        form.add_error(None, problem)
        return form_errors.add_retry_after(
            _render_find_page(request, form, form_errors.compute_http_status(problem)), problem
        )
    response = redirects.redirect_after_post("find_booking_code")
    PENDING_FIND.save(response, request.path, identity, typed)
    visitor.set_browser_cookie(response, new_browser)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def enter_find_code(request: HttpRequest) -> HttpResponse:
    pending = PENDING_FIND.read(request)
    if pending is None or not visitor.read_browser_token(request):
        return redirect("find_booking")
    identity, typed = pending

    def show(form: CodeForm, problem: ValidationError | None = None) -> HttpResponse:
        page = code_page.build_contact_code_page(request, typed=typed, identity=identity)
        return code_page.render_code_page(request, "drives/account/find_booking_code.html", page, form, problem)

    if request.method != "POST":
        return show(CodeForm())
    action = partial(booking_search.verify_found_contact, identity=identity)
    return code_page.handle_code_form(
        request, action, lambda _verified: redirects.redirect_after_post("donor_bookings"), show
    )


def _render_find_page(request: HttpRequest, form: FindForm, status: int) -> HttpResponse:
    browser = visitor.read_browser_token(request)
    is_known = bool(browser) and volunteers_queries.filter_browser_verifications(browser, timezone.now()).exists()
    return render(request, "drives/account/find_booking.html", {"form": form, "is_known": is_known}, status=status)
