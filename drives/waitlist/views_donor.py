"""The waiting list as donors see it: join a full drive, prove the phone, see one's place in line, change, leave."""

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

from drives.booking.forms import PersonForm
from drives.booking.views_links import DONOR
from drives.eligibility import self_check
from drives.models import WaitingEntry
from drives.public import queries as public_queries
from drives.public import times, views_donor
from drives.public.queries import DrivePage
from drives.refusals import OpenTime, Refusal
from drives.waitlist import entries, forms, queries
from drives.waitlist.forms import WishForm
from drives.waitlist.queries import WaitingPage
from drives.web import code_page, form_errors, keys, redirects, visitor
from drives.web.code_page import CodeForm
from notifications.models import Purpose
from volunteers import notices

_acts = redirects.posts_only("waiting")


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
        return form_errors.answered(_ask(request, page, form, form_errors.status_of(problem)), problem)
    response = _to_line(entry.token)
    visitor.remember(response, browser)
    return response


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


@never_cache
@_acts
def prove(request: HttpRequest, key: str) -> HttpResponse:
    """Join: with the code, or in a browser that verified the contact. A second tap answers as the first."""
    page = _page_or_404(request, key)

    def joined(entry: WaitingEntry) -> HttpResponse:
        return _to_line(key if entry == page.entry else entry.token)

    action = partial(entries.prove, entry_id=page.entry.pk, whose=code_page.whose(request))
    return code_page.verify(request, action, joined, partial(_still_asked, request, key))


@never_cache
@_acts
def send_code(request: HttpRequest, key: str) -> HttpResponse:
    """Another code, to the same contact or by e-mail."""
    action = partial(entries.send_code_again, entry_id=_page_or_404(request, key).entry.pk)
    done = partial(_to_line, key, "sent=1")
    return code_page.send_again(request, action, done, partial(_still_asked, request, key))


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
    return _to_line(key, "changed=1")


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


def _to_line(key: str, query: str = "") -> HttpResponse:
    return redirects.see_other("waiting", key, query=query)


def _still_asked(request: HttpRequest, key: str, form: CodeForm, problem: ValidationError) -> HttpResponse:
    """The check page again, with what stands against going on."""
    page = _page_or_404(request, key)
    if not page.held:  # another tap was quicker, or the time is over
        return _to_line(key)
    return _check(request, page, form, problem)


def _check(
    request: HttpRequest, page: WaitingPage, form: CodeForm, problem: ValidationError | None = None
) -> HttpResponse:
    context = {**entry_context(page.entry), "page": page, "typed": page.entry.registration}
    template, shown = "drives/waitlist/wait_check.html", code_page.page_of(request, page.entry)
    return code_page.render_page(request, template, shown, form, problem, context)


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
