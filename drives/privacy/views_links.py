"""The page to revoke all links. Only the organization's owner may open it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from drives.privacy import link_renewal
from drives.privacy.forms import RevokeLinksForm
from drives.web import members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("manage")
def revoke_links(request: MemberRequest) -> HttpResponse:
    form = RevokeLinksForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        link_renewal.revoke_links(
            organization=request.membership.organization, actor=members.format_actor(request), now=timezone.now()
        )
        messages.success(request, _("We revoked all earlier links. The next messages will have new links."))
        return redirect("organizer_settings")
    return members.render_member_page(request, "drives/privacy/revoke_links.html", {"form": form})
