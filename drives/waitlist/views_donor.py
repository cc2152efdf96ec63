"""The waiting list as donors see it: join a full drive, prove the phone, see one's place in line, change, leave."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from drives.booking import forms as booking_forms
from drives.booking.forms import CodeForm, PersonForm
from drives.booking.views_links import DONOR
from drives.eligibility import self_check
from drives.models import WaitingEntry
from drives.public import queries as public_queries
from drives.public import times, views_donor
from drives.public.queries import DrivePage
from drives.refusals import HoldLapsed, OpenTime, Refusal
from drives.waitlist import entries, forms, queries
from drives.waitlist.forms import WishForm
from drives.waitlist.queries import WaitingPage
from drives.web import keys, visitor
from notifications import kinds
from notifications import queries as notifications_queries
from notifications.models import Channel, Purpose
from volunteers import notices, verification

View = Callable[[HttpRequest, str], HttpResponse]


class JoinForm(WishForm, PersonForm):
    """Who waits, how they are reached, and what they wait for."""

    field_order = ("visit", "since", "until")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask who waits for what; whoever sends it proves the contact next."""
    page = public_queries.drive_page(slug, timezone.now())
    if page is None:
        raise Http404
    if request.method == "POST":
        return _join(request, page)
    visit = times.visit_asked(request.GET.get("visit", ""))
    return _ask(request, page, JoinForm(page.drive, initial={"visit": visit}))


def _join(request: HttpRequest, page: DrivePage) -> HttpResponse:
    form, browser = JoinForm(page.drive, request.POST), visitor.browser_or_new(request)
    if not form.is_valid():
        return _ask(request, page, form, 422)
    try:
        entry = entries.join(
            drive=page.drive,
            wish=form.wish,
            person=form.person(page.drive.policy),
            ip=visitor.ip_of(request),
            bound_to=visitor.bound_to(browser),
            browser_token=browser,
            now=timezone.now(),
        )
    except Refusal as refusal:
        form.add_error(None, refusal.messages)
        return _ask(request, page, form, 409, refusal.alternatives)
    except ValidationError as problem:
        form.refuse(problem)
        return booking_forms.answered(_ask(request, page, form, booking_forms.status_of(problem)), problem)
    return _to_line(entry.token, browser)


def _ask(
    request: HttpRequest, page: DrivePage, form: JoinForm, status: int = 200, openings: Sequence[OpenTime] = ()
) -> HttpResponse:
    language = translation.get_language() or "en"
    context = {
        **views_donor.drive_context(page),
        "form": form,
        "openings": openings,
        "visit": form["visit"].value(),
        "confirms": self_check.asked_of(page.drive),
        "reminders_wording": notices.consent_wording(Purpose.REMINDERS, language, page.drive.organization)[1],
    }
    return render(request, "drives/waitlist/wait.html", context, status=status)


@never_cache
@require_safe
def waiting(request: HttpRequest, key: str) -> HttpResponse:
    """The page behind the link of somebody who waits, whatever became of it; a browser gets a clean address."""
    page = _page_or_404(request, key)
    if keys.TOKEN.fullmatch(key):
        clean = keys.swap(keys.WAITING, request, key, reverse("waiting", args=[page.entry.pk]))
        if clean is not None:
            return clean
    return _check(request, page, CodeForm()) if page.held else _show(request, page)


def _acts(view: View) -> View:
    """For addresses that only act: whoever opens one is shown their place in line instead."""

    @wraps(view)
    def guarded(request: HttpRequest, key: str) -> HttpResponse:
        return view(request, key) if request.method == "POST" else _to_line(key)

    return guarded


@never_cache
@_acts
def prove(request: HttpRequest, key: str) -> HttpResponse:
    """Get in line: with the code, or in a browser that proved the contact. A second tap answers as the first."""
    page, form, browser = _page_or_404(request, key), CodeForm(request.POST), visitor.browser_or_new(request)
    form.full_clean()
    try:
        entry = entries.prove(
            entry_id=page.entry.pk,
            code=form.cleaned_data.get("code", ""),
            bound_to=visitor.bound_to(browser),
            browser=browser,
            now=timezone.now(),
            whose=form.whose,
        )
    except HoldLapsed:
        return _to_line(key)
    except ValidationError as problem:
        return _still_asked(request, key, form, problem)
    return _to_line(key if entry == page.entry else entry.token, browser)


@never_cache
@_acts
def send_code(request: HttpRequest, key: str) -> HttpResponse:
    """Another code, to the same contact or by e-mail."""
    page, browser = _page_or_404(request, key), visitor.browser_or_new(request)
    try:
        entries.send_code_again(
            entry_id=page.entry.pk,
            bound_to=visitor.bound_to(browser),
            ip=visitor.ip_of(request),
            by_email=request.POST.get("by") == "email",
            now=timezone.now(),
        )
    except HoldLapsed:
        return _to_line(key)
    except ValidationError as problem:
        return _still_asked(request, key, CodeForm(data={}), problem)
    return _to_line(key, browser, "sent=1")


@never_cache
@_acts
def change(request: HttpRequest, key: str) -> HttpResponse:
    """Wait for other hours or another visit, at the same place in line."""
    page = _page_or_404(request, key)
    form = WishForm(page.entry.drive, request.POST)
    if not form.is_valid():
        return _show(request, page, form, 422)
    try:
        entries.change(entry_id=page.entry.pk, wish=form.wish, now=timezone.now())
    except Refusal as refusal:
        form.add_error(None, refusal.messages)
        return _show(request, page, form, 409, refusal.alternatives)
    return _to_line(key, query="changed=1")


@never_cache
@_acts
def leave(request: HttpRequest, key: str) -> HttpResponse:
    """Out of the line."""
    entries.leave(entry_id=_page_or_404(request, key).entry.pk, actor=DONOR, now=timezone.now())
    return _to_line(key)


def _page_or_404(request: HttpRequest, key: str) -> WaitingPage:
    page = queries.waiting_page(key, timezone.now(), keys.WAITING.tokens(request))
    if page is None:
        raise Http404
    return page


def _to_line(key: str, browser: str = "", query: str = "") -> HttpResponse:
    """See Other: a reload after it sends nothing twice."""
    response = redirect("waiting", key)
    response.status_code = 303
    if query:
        response["Location"] += f"?{query}"
    if browser:
        visitor.remember(response, browser)
    return response


def _still_asked(request: HttpRequest, key: str, form: CodeForm, problem: ValidationError) -> HttpResponse:
    page = _page_or_404(request, key)
    if not page.held:  # another tap was quicker
        return _to_line(key)
    is_refused = isinstance(problem, Refusal)
    status = 409 if is_refused else booking_forms.status_of(problem)
    form.add_error(None if is_refused or status != 422 else "code", problem)
    return booking_forms.answered(_check(request, page, form, status), problem)


def _check(request: HttpRequest, page: WaitingPage, form: CodeForm, status: int = 200) -> HttpResponse:
    entry, typed, browser = page.entry, page.entry.registration, visitor.browser_of(request)
    assert typed is not None  # a request that is not proved has one
    codes = [
        message
        for message in notifications_queries.messages_about([entry.about])[entry.about]
        if message.kind == kinds.CODE.name
    ]
    context = {
        **entry_context(entry),
        "page": page,
        "form": form,
        "typed": typed,
        "is_proved": verification.is_verified(typed.identity, browser, timezone.now(), [typed]),
        "to_mailbox": bool(codes) and codes[-1].channel == Channel.EMAIL,
        "sent": "sent" in request.GET,
        "is_demo": settings.DEMO,
    }
    return render(request, "drives/waitlist/wait_check.html", context, status=status)


def _show(
    request: HttpRequest,
    page: WaitingPage,
    form: WishForm | None = None,
    status: int = 200,
    openings: Sequence[OpenTime] = (),
) -> HttpResponse:
    context = {
        **entry_context(page.entry),
        "page": page,
        "form": form or WishForm(page.entry.drive, initial=forms.initial(page.entry)),
        "openings": openings,
        "changed": "changed" in request.GET,
        "is_heard": bool(page.entry.volunteer and (page.entry.volunteer.phone or page.entry.volunteer.email)),
    }
    return render(request, "drives/waitlist/wait_line.html", context, status=status)


def entry_context(entry: WaitingEntry) -> dict[str, Any]:
    """What every page around one place in line shows."""
    drive = entry.drive
    return {
        "entry": entry,
        "drive": drive,
        "site": drive.site,
        "zone": drive.site.timezone,
        "organization": drive.organization,
    }
