"""The page to set the retention period. Only the organization's owner may open it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from drives.privacy.forms import RetentionForm
from drives.web import members
from organizations import memberships
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("manage")
def edit_retention(request: MemberRequest) -> HttpResponse:
    organization = request.membership.organization
    form = RetentionForm(request.POST or None, initial={"months": organization.retention_months})
    if form.is_valid():
        memberships.set_retention_months(
            organization=organization,
            months=form.cleaned_data["months"],
            actor=members.format_actor(request),
            now=timezone.now(),
        )
        messages.success(request, _("Saved."))
        return redirect("organizer_settings")
    return members.render_member_page(request, "drives/privacy/retention.html", {"form": form})
