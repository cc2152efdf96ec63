"""Pages to list, create and revoke API keys."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.settings import queries
from drives.settings.forms import ApiKeyForm
from drives.web import members, time_zones
from organizations import api_keys
from organizations.models import ApiKey
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_safe
@accounts.role_required("manage")
def show_keys(request: MemberRequest) -> HttpResponse:
    zone = time_zones.find_zone(request.membership.organization)
    context = {"rows": queries.list_keys(request.membership.organization, zone), "zone": zone, "now": timezone.now()}
    return members.render_member_page(request, "drives/settings/keys.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("manage")
def create_key(request: MemberRequest) -> HttpResponse:
    """Create a key. Only this response shows the token, because it is not stored."""
    organization, now = request.membership.organization, timezone.now()
    zone = ZoneInfo(time_zones.find_zone(organization))
    form = ApiKeyForm(request.POST if request.method == "POST" else None, today=now.astimezone(zone).date())
    if not form.is_valid():
        return members.render_member_page(request, "drives/settings/new_key.html", {"form": form})
    last_day = form.cleaned_data["expires_on"]
    key, token = api_keys.issue_api_key(
        organization=organization,
        name=form.cleaned_data["name"],
        role=form.cleaned_data["role"],
        expires_at=datetime.combine(last_day + timedelta(days=1), time(), zone) if last_day else None,
        actor=members.format_actor(request),
        now=now,
    )
    return members.render_member_page(request, "drives/settings/key_created.html", {"key": key, "token": token})


@require_POST
@accounts.role_required("manage")
def revoke_key(request: MemberRequest, pk: int) -> HttpResponse:
    key = ApiKey.objects.filter(organization=request.membership.organization, pk=pk).first()
    if key is None:
        raise Http404
    api_keys.revoke_api_key(key=key, now=timezone.now(), actor=members.format_actor(request))
    messages.success(request, _("The key “%(name)s” no longer works.") % {"name": key.name})
    return redirect("organizer_keys")
