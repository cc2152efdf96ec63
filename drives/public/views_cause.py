"""The page of a cause, with its story, the disease, the reasons for plasma, and ways to help."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from drives.public import queries
from drives.web import links, shared_pages
from organizations.models import Cause, CausePicture

SHOWN_DRIVES = 3


@require_safe
@shared_pages.share_page
def show_cause(request: HttpRequest, slug: str) -> HttpResponse:
    now = timezone.now()
    causes = Cause.objects.select_related("organization", "picture").defer("picture__content")
    cause = get_object_or_404(causes.prefetch_related("facts"), slug=slug)
    address = links.build_absolute_url(reverse("cause", args=[cause.slug]))
    picture = getattr(cause, "picture", None)
    message = _("Read about %(title)s, and how you can help: %(link)s") % {"title": cause.title, "link": address}
    drives = queries.filter_next_drives(now).filter(cause=cause)[:SHOWN_DRIVES]
    context = {
        "cause": cause,
        "organization": cause.organization,
        "picture": picture,
        "picture_address": links.build_absolute_url(reverse("cause_picture", args=[cause.slug, picture.digest]))
        if picture
        else "",
        "address": address,
        "whatsapp_link": links.build_whatsapp_link(message),
        "mail_link": links.build_mail_link(str(cause.title), message),
        "summaries": queries.load_drive_summaries(drives, now),
    }
    return render(request, "drives/public/cause.html", context)


@require_safe
@cache_control(public=True, max_age=365 * 24 * 60 * 60, immutable=True)
def show_cause_picture(request: HttpRequest, slug: str, digest: str) -> HttpResponse:
    picture = CausePicture.objects.filter(cause__slug=slug, digest=digest).first()
    if picture is None:
        raise Http404
    return HttpResponse(bytes(picture.content), content_type="image/jpeg")
