"""Pages that organizations show in a frame on their own website: upcoming drives, or one drive."""

from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from drives.models import Visit
from drives.public import queries, views_donor
from drives.web import shared_pages
from organizations.models import Organization


@require_safe
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["*"]})
@shared_pages.share_page
def show_embed(request: HttpRequest, slug: str) -> HttpResponse:
    organization = get_object_or_404(Organization, slug=slug)
    summaries = queries.list_public_drives(timezone.now(), organization)
    context = {"organization": organization, "summaries": summaries, "causes": queries.list_causes(summaries)}
    return render(request, "drives/public/embed.html", context)


@require_safe
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["*"]})
@shared_pages.share_page
def show_embedded_drive(request: HttpRequest, slug: str, drive_slug: str) -> HttpResponse:
    page = queries.load_drive_page(drive_slug, timezone.now())
    if page is None or page.drive.organization.slug != slug:
        raise Http404
    context = {
        **views_donor.build_drive_context(page),
        "summaries": queries.load_drive_summaries([page.drive], page.now),
        "causes": [page.drive.cause] if page.drive.cause else [],
        "is_past": views_donor.is_past(page),
        "is_closed": not views_donor.is_open(page),
        "visit": Visit.RETURN,
    }
    return render(request, "drives/public/embed.html", context)
