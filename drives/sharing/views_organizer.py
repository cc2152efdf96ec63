from csp.constants import SELF
from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from drives.models import DriveState, ShareLink
from drives.refusals import Refusal
from drives.sharing import embed_code, links, qr, queries, texts
from drives.sharing.forms import ShareLinkForm
from drives.web import form_errors, members
from drives.web import links as web_links
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@csp_update({"frame-src": [SELF]})  # type: ignore[arg-type]  # for the preview of the embed code
@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def show_share_page(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    form = ShareLinkForm(request.POST or None)
    if form.is_valid():
        try:
            links.create_link(
                drive=drive,
                name=form.cleaned_data["name"],
                actor=members.format_actor(request),
                now=timezone.now(),
            )
        except Refusal as refusal:
            form_errors.add_refusal(form, refusal)
        else:
            return redirect(f"{reverse('organizer_share', args=[drive.pk])}#links")
    short_address = web_links.build_absolute_url(reverse("short_drive", args=[drive.pk]))
    context = {
        "drive": drive,
        "form": form,
        "address": web_links.build_absolute_url(reverse("drive", args=[drive.slug])),
        "short_address": short_address,
        "base_address": settings.BASE_URL,
        "qr": qr.draw_inline_svg(short_address),
        "links": queries.list_link_counts(drive),
        "texts": list(texts.list_share_texts(drive, short_address)),
        "embeds": embed_code.list_embeds(drive),
        "is_public": drive.state != DriveState.DRAFT,
    }
    return members.render_member_page(request, "drives/sharing/share.html", context)


@require_POST
@accounts.role_required("plan")
def remove_share_link(request: MemberRequest, drive_id: int, link_id: int) -> HttpResponse:
    rows = ShareLink.objects.of(request.membership.organization).select_related("drive__organization")
    link = get_object_or_404(rows, pk=link_id, drive=drive_id)
    try:
        links.remove_link(link=link, actor=members.format_actor(request), now=timezone.now())
    except Refusal as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, _("Link removed."))
    return redirect(f"{reverse('organizer_share', args=[drive_id])}#links")
