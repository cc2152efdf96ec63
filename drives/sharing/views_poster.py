"""Posters and flyers for printing, and QR codes to download."""

from collections.abc import Mapping

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from drives.models import Drive
from drives.sharing import qr, queries
from drives.web import links as web_links
from drives.web import members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

SHEETS = {"poster": _("Poster"), "flyer": _("Flyer")}
COPIES = {"poster": 1, "flyer": 2}  # for each sheet of paper
PAPERS = {"letter": "Letter", "a4": "A4"}


@require_safe
@accounts.role_required("plan")
def show_poster(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    address = _find_address(request, drive)
    language = _choose(request, "language", dict(settings.LANGUAGES), translation.get_language() or "en")
    sheet, paper = _choose(request, "sheet", SHEETS, "poster"), _choose(request, "paper", PAPERS, "letter")
    context = {
        "drive": drive,
        "site": drive.site,
        "zone": drive.site.timezone,
        "address": address.partition("://")[2].rstrip("/"),
        "qr": qr.draw_inline_svg(address),
        "copies": range(COPIES[sheet]),
        "sheet": sheet,
        "paper": paper,
        "sheet_language": language,
        "link_id": request.GET.get("link", ""),
        "sheets": SHEETS,
        "papers": PAPERS,
        "languages": [(code, translation.get_language_info(code)["name_local"]) for code, _name in settings.LANGUAGES],
    }
    return members.render_member_page(request, "drives/sharing/poster.html", context)


@require_safe
@accounts.role_required("plan")
def download_qr(request: MemberRequest, drive_id: int, kind: str) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    address = _find_address(request, drive)
    if kind == "svg":
        response = HttpResponse(qr.build_svg_file(address), content_type="image/svg+xml")
    else:
        response = HttpResponse(qr.build_png_file(address), content_type="image/png")
    response["Content-Disposition"] = f'attachment; filename="{drive.slug}-qr.{kind}"'
    return response


def _find_address(request: MemberRequest, drive: Drive) -> str:
    """Return the URL of the recruiter's link in the query, or else the drive's short URL."""
    link = queries.find_link(drive, request.GET.get("link", ""))
    path = reverse("share_link", args=[link.code]) if link else reverse("short_drive", args=[drive.pk])
    return web_links.build_absolute_url(path)


def _choose(request: MemberRequest, name: str, choices: Mapping[str, object], default: str) -> str:
    value = request.GET.get(name, "")
    return value if value in choices else default
