"""Short links: redirect to the drive, and count the visitors of recruiters' links."""

from http import HTTPStatus

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from drives.models import Drive, ShareLink
from drives.sharing import links
from drives.web import origin, share_cookie, visitor


@require_safe
def redirect_to_drive(request: HttpRequest, drive_id: int) -> HttpResponse:
    drive = get_object_or_404(Drive.objects.public(), pk=drive_id)
    return redirect("drive", drive.slug)


@never_cache
@require_safe
def follow_share_link(request: HttpRequest, code: str) -> HttpResponse:
    """Redirect to the drive.

    A script on the drive's page counts the visit with a POST, because a GET must change nothing.
    """
    link = get_object_or_404(ShareLink.objects.select_related("drive"), code=code)
    if not Drive.objects.public().filter(pk=link.drive_id).exists():
        return redirect("home")
    response = redirect(f"{reverse('drive', args=[link.drive.slug])}?via={link.code}")
    share_cookie.set_share_cookie(response, link.drive.slug, link.code)
    return response


@csrf_exempt
@require_POST
def count_visit(request: HttpRequest, code: str) -> HttpResponse:
    """Count a visit. The request has no CSRF token, because all visitors share one copy of the drive's page."""
    if origin.is_from_another_website(request):
        raise PermissionDenied
    links.count_visit(code=code, ip=visitor.find_ip_address(request))
    return HttpResponse(status=HTTPStatus.NO_CONTENT)
