"""Public pages: all drives, an organization's drives, and one drive."""

from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from drives.capacity import visit_length
from drives.domain import localtime
from drives.eligibility import history, policies, self_check
from drives.models import DriveState, Visit
from drives.public import queries, structured_data, times
from drives.public.queries import DrivePage, DriveSummary
from drives.public.times import PartyRequest
from drives.web import links, shared_pages, visitor
from organizations.models import Organization
from volunteers import queries as volunteers_queries


@require_safe
@shared_pages.share_page
def show_home(request: HttpRequest) -> HttpResponse:
    return _render_drive_list(request, queries.list_public_drives(timezone.now()), None)


@require_safe
@shared_pages.share_page
def show_organization(request: HttpRequest, slug: str) -> HttpResponse:
    organization = get_object_or_404(Organization, slug=slug)
    return _render_drive_list(request, queries.list_public_drives(timezone.now(), organization), organization)


def _render_drive_list(
    request: HttpRequest, summaries: Sequence[DriveSummary], organization: Organization | None
) -> HttpResponse:
    city = request.GET.get("city", "")
    cities = sorted({summary.drive.site.city for summary in summaries})
    shown = [summary for summary in summaries if summary.drive.site.city == city] if city in cities else summaries
    context = {
        "organization": organization,
        "summaries": shown,
        "cities": cities,
        "city": city,
        "causes": queries.list_causes(shown) if organization else (),
    }
    return render(request, "drives/public/drives.html", context)


@require_safe
@shared_pages.share_page
def show_drive(request: HttpRequest, slug: str) -> HttpResponse:
    now = timezone.now()
    page = queries.load_drive_page(slug, now, with_cause=True)
    if page is None:
        raise Http404
    browser = visitor.read_browser_token(request)
    earlier_visit = None if "visit" in request.GET else history.find_earlier_visit(browser, page.drive, now)
    party_request = times.parse_party_request(request.GET)
    if earlier_visit:
        party_request = replace(party_request, visit=Visit.RETURN)
    open_times = times.list_party_times(page, party_request, now)
    is_missing = bool(open_times) and "choose" in request.GET
    context = {
        **build_drive_context(page),
        **_build_link_preview(page),
        "own_bookings": [] if is_past(page) else queries.list_own_bookings(browser, page.drive, now),
        "wanted": party_request,
        "visit": party_request.visit,
        "earlier": earlier_visit,
        "people": party_request.people,
        "first": party_request.first,
        "firsts": range(party_request.people + 1),
        "parts": times.group_by_day_part(open_times, page.drive),
        "slot": times.parse_slot_id(request.GET.get("slot", "")),
        "open_times": times.describe_open_times(party_request, len(open_times)),
        "choose": is_missing,
        "problems": [times.format_choose_time()] if is_missing else (),
        # Booking in one tap works for one person only, because the names in a party must be typed.
        "is_known": party_request.people == 1
        and bool(browser)
        and volunteers_queries.filter_browser_verifications(browser, now).exists(),
        "first_minutes": visit_length.compute_visit_minutes(page.drive, Visit.FIRST),
        "return_minutes": visit_length.compute_visit_minutes(page.drive, Visit.RETURN),
        "result": parse_self_check_result(request),
        "self_check": self_check.list_self_check_sentences(page.drive),
        "rule": policies.describe_rules(page.drive.rules),
        "is_open": is_open(page),
        "is_past": is_past(page),
        "is_from_share_link": "via" in request.GET,
    }
    return render(request, "drives/public/drive.html", context)


@require_safe
@shared_pages.share_page
def show_self_check(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the self-check. The answers stay in the browser. Only the result is in the URL of the next page."""
    page = queries.load_drive_page(slug, timezone.now())
    if page is None:
        raise Http404
    context = {
        **build_drive_context(page),
        "self_check": self_check.list_self_check_sentences(page.drive),
        "rule": policies.describe_rules(page.drive.rules),
        "visit": request.GET.get("visit") if request.GET.get("visit") in Visit else "",
    }
    return render(request, "drives/public/self_check.html", context)


def _build_link_preview(page: DrivePage) -> dict[str, object]:
    """Return the data that other websites show for a drive's link: Open Graph and a schema.org event."""
    drive, language = page.drive, get_language() or settings.LANGUAGE_CODE
    description = _describe_drive(page)
    address = links.build_absolute_url(reverse("drive", args=[drive.slug]))
    picture = links.build_absolute_url(f"{reverse('drive_preview', args=[drive.slug])}?language={language}")
    return {
        "description": description,
        "address": address,
        "preview_picture": picture,
        "event": structured_data.render_event(page, address, picture, description),
    }


def _describe_drive(page: DrivePage) -> str:
    drive = page.drive
    facts = {
        "day": localtime.format_date_and_time(drive.starts_at, drive.site.timezone),
        "place": drive.site.name,
        "city": drive.site.city,
    }
    if drive.state == DriveState.CANCELLED:
        state = _("This drive is cancelled.")
    elif is_past(page):
        state = _("This drive is over.")
    elif drive.state == DriveState.CLOSED:
        state = _("Online booking is closed.")
    else:
        return _("Book a time to give plasma: %(day)s, %(place)s, %(city)s.") % facts
    return f"{state} {', '.join(facts.values())}."


def is_past(page: DrivePage) -> bool:
    return page.drive.ends_at <= page.now or page.drive.state == DriveState.COMPLETED


def is_open(page: DrivePage) -> bool:
    return page.drive.state == DriveState.PUBLISHED and not is_past(page)


def build_drive_context(page: DrivePage) -> dict[str, object]:
    drive = page.drive
    return {
        "page": page,
        "drive": drive,
        "site": drive.site,
        "zone": drive.site.timezone,
        "organization": drive.organization,
    }


def parse_self_check_result(request: HttpRequest) -> str:
    result = request.GET.get("result", "")
    return result if result in ("yes", "ask") else ""


def redirect_to_drive(page: DrivePage, party_request: PartyRequest) -> HttpResponse:
    address = reverse("drive", args=[page.drive.slug])
    return redirect(f"{address}?{party_request.query}&choose=1")
