"""A donor's waitlist pages: join the waitlist, verify the contact, see the position, change or remove the entry."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from drives.booking import forms as booking_forms
from drives.booking import rules as booking_rules
from drives.booking.forms import PersonForm
from drives.booking.views_links import DONOR
from drives.eligibility import self_check
from drives.messaging import reach
from drives.models import WaitlistEntry
from drives.public import queries as public_queries
from drives.public import times, views_donor
from drives.public.queries import DrivePage
from drives.refusals import HoldLapsed, OpenTime, Refusal
from drives.waitlist import entries, forms, queries
from drives.waitlist.forms import WaitlistRequestForm
from drives.waitlist.queries import WaitlistPage
from drives.web import code_page, form_errors, link_cookies, redirects, visitor
from drives.web.code_page import CodeForm
from drives.web.link_cookies import LinkCookie
from notifications import kinds
from notifications.models import Purpose
from organizations.models import linked_model
from volunteers import consent_texts
from volunteers import queries as volunteers_queries

_require_post = redirects.require_post_or_redirect("waitlist_entry")


class JoinWaitlistForm(WaitlistRequestForm, PersonForm):
    field_order = ("visit", "since", "until")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def request_waitlist_entry(request: HttpRequest, slug: str) -> HttpResponse:
    page = public_queries.load_drive_page(slug, timezone.now())
    if page is None:
        raise Http404
    if request.method == "POST":
        return _submit_join(request, page)
    initial: dict[str, Any] = {"visit": times.parse_visit_type(request.GET.get("visit", ""))}
    if (held := _find_own_entry(request, page)) and held.registration:
        initial = {**forms.build_initial(held), **booking_forms.build_person_initial(held.registration)}
    return _render_join(request, page, JoinWaitlistForm(page.drive, initial=initial))


def _held_cookie(page: DrivePage) -> LinkCookie:
    return LinkCookie("held", reverse("waitlist_join", args=[page.drive.slug]))


def _find_own_entry(request: HttpRequest, page: DrivePage) -> WaitlistEntry | None:
    """Find this browser's newest unverified entry at the drive, unless its hold ended more than an hour ago."""
    tokens = _held_cookie(page).read_tokens(request)
    if not tokens:
        return None
    entries_of_browser = WaitlistEntry.objects.filter(
        link_hash__in=map(linked_model.hash_token, tokens),
        drive=page.drive,
        registration__isnull=False,
        held_until__gt=timezone.now() - booking_rules.TYPED_KEPT_FOR,
    )
    return entries_of_browser.select_related("drive__site", "registration").order_by("-pk").first()


def _submit_join(request: HttpRequest, page: DrivePage) -> HttpResponse:
    form, browser = JoinWaitlistForm(page.drive, request.POST), visitor.read_or_create_browser_token(request)
    if not form.is_valid():
        return _render_join(request, page, form, 422)
    try:
        entry = entries.join_waitlist(
            drive=page.drive,
            waitlist_request=form.waitlist_request,
            person=form.person(page.drive.policy),
            ip=visitor.find_ip_address(request),
            bound_to=visitor.compute_browser_digest(browser),
            browser_token=browser,
            now=timezone.now(),
        )
    except Refusal as refusal:
        form.add_error(None, refusal.messages)
        return _render_join(request, page, form, 409, refusal.alternatives)
    except ValidationError as problem:
        form.refuse(problem)
        return form_errors.add_retry_after(
            _render_join(request, page, form, form_errors.compute_http_status(problem)), problem
        )
    response = _redirect_to_entry(entry.token)
    _held_cookie(page).add_tokens(response, request, entry.token)
    visitor.set_browser_cookie(response, browser)
    return response


def _render_join(
    request: HttpRequest, page: DrivePage, form: JoinWaitlistForm, status: int = 200, openings: Sequence[OpenTime] = ()
) -> HttpResponse:
    language = translation.get_language() or "en"
    context = {
        **views_donor.build_drive_context(page),
        "form": form,
        "openings": openings,
        "visit": form["visit"].value(),
        "self_check": self_check.list_self_check_sentences(page.drive),
        "reminders_wording": consent_texts.render_consent_text(Purpose.REMINDERS, language, page.drive.organization)[1],
    }
    return render(request, "drives/waitlist/join.html", context, status=status)


@never_cache
@require_safe
def show_waitlist_entry(request: HttpRequest, key: str) -> HttpResponse:
    """Show the entry in any state. If the browser accepts cookies, redirect first to a URL without the token."""
    page = _get_page_or_404(request, key)
    if link_cookies.TOKEN_PATTERN.fullmatch(key):
        clean = link_cookies.exchange_token(
            link_cookies.WAITLIST, request, key, reverse("waitlist_entry", args=[page.entry.pk])
        )
        if clean is not None:
            return clean
    return _render_code_page(request, page, CodeForm()) if page.is_held else _render_entry(request, page)


@never_cache
@_require_post
def verify_waitlist_entry(request: HttpRequest, key: str) -> HttpResponse:
    page = _get_page_or_404(request, key)

    def redirect(entry: WaitlistEntry) -> HttpResponse:
        return _redirect_to_entry(key if entry == page.entry else entry.token)

    action = partial(entries.verify_entry, entry_id=page.entry.pk, booking_for=code_page.parse_person_choice(request))
    return code_page.handle_code_form(request, action, redirect, partial(_render_code_problem, request, key))


@never_cache
@_require_post
def resend_waitlist_code(request: HttpRequest, key: str) -> HttpResponse:
    action = partial(entries.resend_entry_code, entry_id=_get_page_or_404(request, key).entry.pk)
    done = partial(_redirect_to_entry, key, "sent=1")
    return code_page.handle_resend_form(request, action, done, partial(_render_code_problem, request, key))


@never_cache
@_require_post
def extend_own_entry(request: HttpRequest, key: str) -> HttpResponse:
    page = _get_page_or_404(request, key)
    try:
        entries.extend_entry(entry_id=page.entry.pk, now=timezone.now())
    except HoldLapsed:
        return _redirect_to_entry(key)
    return _redirect_to_entry(key, "extended=1")


@never_cache
@_require_post
def change_waitlist_entry(request: HttpRequest, key: str) -> HttpResponse:
    page = _get_page_or_404(request, key)
    form = WaitlistRequestForm(page.entry.drive, request.POST)
    if not form.is_valid():
        return _render_entry(request, page, form, 422)
    try:
        entries.change_entry(entry_id=page.entry.pk, waitlist_request=form.waitlist_request, now=timezone.now())
    except ValidationError as problem:
        form.add_error(None, problem.messages)
        openings, status = form_errors.list_alternatives(problem), form_errors.compute_http_status(problem)
        return form_errors.add_retry_after(_render_entry(request, page, form, status, openings), problem)
    return _redirect_to_entry(key, "changed=1")


@never_cache
@_require_post
def leave_waitlist(request: HttpRequest, key: str) -> HttpResponse:
    entries.remove_entry(entry_id=_get_page_or_404(request, key).entry.pk, actor=DONOR, now=timezone.now())
    return _redirect_to_entry(key)


def _get_page_or_404(request: HttpRequest, key: str) -> WaitlistPage:
    page = queries.load_waitlist_page(key, timezone.now(), link_cookies.WAITLIST.read_tokens(request))
    if page is None:
        raise Http404
    return page


def _redirect_to_entry(key: str, query: str = "") -> HttpResponse:
    return redirects.redirect_after_post("waitlist_entry", key, query=query)


def _render_code_problem(request: HttpRequest, key: str, form: CodeForm, problem: ValidationError) -> HttpResponse:
    page = _get_page_or_404(request, key)
    if not page.is_held:  # verified by another request, or lapsed
        return _redirect_to_entry(key)
    return _render_code_page(request, page, form, problem)


def _render_code_page(
    request: HttpRequest, page: WaitlistPage, form: CodeForm, problem: ValidationError | None = None
) -> HttpResponse:
    hold = code_page.build_hold_context(request, page.entry, booking_rules.WARN_BEFORE_LAPSE)
    context = {**build_entry_context(page.entry), "page": page, "typed": page.entry.registration, "hold": hold}
    template, shown = "drives/waitlist/verify.html", code_page.build_code_page(request, page.entry)
    return code_page.render_code_page(request, template, shown, form, problem, context)


def _render_entry(
    request: HttpRequest,
    page: WaitlistPage,
    form: WaitlistRequestForm | None = None,
    status: int = 200,
    openings: Sequence[OpenTime] = (),
) -> HttpResponse:
    context = {
        **build_entry_context(page.entry),
        "page": page,
        "form": form or WaitlistRequestForm(page.entry.drive, initial=forms.build_initial(page.entry)),
        "openings": openings,
        "changed": "changed" in request.GET,
        **build_reach_context(page.entry),
    }
    return render(request, "drives/waitlist/entry.html", context, status=status)


def build_reach_context(entry: WaitlistEntry) -> dict[str, Any]:
    organization = entry.drive.organization
    donor_reach = reach.load_reach(organization, [entry])
    return {
        "obstacle": donor_reach.find_obstacle(entry, kinds.OFFER),
        "texting_number": volunteers_queries.get_texting_number(organization),
    }


def build_entry_context(entry: WaitlistEntry) -> dict[str, Any]:
    drive = entry.drive
    return {
        "entry": entry,
        "drive": drive,
        "site": drive.site,
        "zone": drive.site.timezone,
        "organization": drive.organization,
    }
