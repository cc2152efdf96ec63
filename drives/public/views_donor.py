"""Pages about drives: all of them, an organization's, one."""

from collections.abc import Sequence
from dataclasses import replace

from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_cache_control
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from drives.eligibility import history, policies, self_check
from drives.models import DriveState, Visit
from drives.public import queries, times
from drives.public.queries import DrivePage, DriveSummary
from drives.public.times import Wanted
from drives.web import visitor
from organizations.models import Organization
from volunteers import queries as volunteers_queries


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """All coming drives, by city."""
    return _list(request, queries.public_drives(timezone.now()), None)


@require_safe
def organization(request: HttpRequest, slug: str) -> HttpResponse:
    """An organization's coming drives, by city."""
    found = get_object_or_404(Organization, slug=slug)
    return _list(request, queries.public_drives(timezone.now(), found), found)


def _list(request: HttpRequest, summaries: Sequence[DriveSummary], found: Organization | None) -> HttpResponse:
    city = request.GET.get("city", "")
    cities = sorted({summary.drive.site.city for summary in summaries})
    shown = [summary for summary in summaries if summary.drive.site.city == city] if city in cities else summaries
    context = {"organization": found, "summaries": shown, "cities": cities, "city": city}
    return render(request, "drives/public/drives.html", context)


@require_safe
@xframe_options_exempt
# Its types know only views without further arguments.
@csp_replace({"frame-ancestors": ["*"]})  # type: ignore[arg-type]
def embed(request: HttpRequest, slug: str) -> HttpResponse:
    """The organization's coming drives, to stand in a frame of its own website."""
    found = get_object_or_404(Organization, slug=slug)
    summaries = queries.public_drives(timezone.now(), found)
    return render(request, "drives/public/embed.html", {"organization": found, "summaries": summaries})


@require_safe
def drive(request: HttpRequest, slug: str) -> HttpResponse:
    """One drive: what, when, where, why, and the times that are still open."""
    now = timezone.now()
    page = queries.drive_page(slug, now)
    if page is None:
        raise Http404
    is_past = page.drive.ends_at <= now or page.drive.state == DriveState.COMPLETED
    browser = visitor.browser_of(request)
    earlier = None if "visit" in request.GET else history.earlier_visit(browser, page.drive, now)
    wanted = times.wanted(request.GET)
    if earlier:
        wanted = replace(wanted, visit=Visit.RETURN)
    context = {
        **drive_context(page),
        "wanted": wanted,
        "visit": wanted.visit,
        "earlier": earlier,
        "people": wanted.people,
        "first": wanted.first,
        "firsts": range(wanted.people + 1),
        "parts": times.parts_of_day(times.open_times(page, wanted, now), page.drive),
        "slot": times.slot_asked(request.GET.get("slot", "")),
        "choose": "choose" in request.GET,
        # The names of a party are typed.
        "is_known": wanted.people == 1 and bool(browser) and volunteers_queries.proved_from(browser, now).exists(),
        "result": result_asked(request),
        "confirms": self_check.asked_of(page.drive),
        "rule": policies.in_words(page.drive.rules),
        "is_open": page.drive.state == DriveState.PUBLISHED and not is_past,
        "is_past": is_past,
    }
    response = render(request, "drives/public/drive.html", context)
    if browser:  # what stands ready to be chosen may be this browser's own
        patch_cache_control(response, private=True)
    return response


@require_safe
def may_i_give(request: HttpRequest, slug: str) -> HttpResponse:
    """What the drive's policy asks, to be answered in the browser: only the result is in the address it leads to."""
    page = queries.drive_page(slug, timezone.now())
    if page is None:
        raise Http404
    context = {
        **drive_context(page),
        "confirms": self_check.asked_of(page.drive),
        "rule": policies.in_words(page.drive.rules),
        "visit": request.GET.get("visit") if request.GET.get("visit") in Visit else "",
    }
    return render(request, "drives/public/may_i_give.html", context)


def drive_context(page: DrivePage) -> dict[str, object]:
    """What every page around one drive shows."""
    drive = page.drive
    return {
        "page": page,
        "drive": drive,
        "site": drive.site,
        "zone": drive.site.timezone,
        "organization": drive.organization,
    }


def result_asked(request: HttpRequest) -> str:
    """What came of "May I give?" in this browser: yes, ask, or nothing."""
    result = request.GET.get("result", "")
    return result if result in ("yes", "ask") else ""


def to_drive(page: DrivePage, wanted: Wanted) -> HttpResponse:
    """Redirect to the drive's times, with the note that one has to be chosen."""
    address = reverse("drive", args=[page.drive.slug])
    return redirect(f"{address}?{wanted.query}&choose=1#times")
