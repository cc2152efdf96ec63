"""Settings pages of the organization. Each page is one form."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from drives.eligibility import policy_choices
from drives.settings import forms
from drives.settings.forms import OrganizationForm
from drives.web import members
from organizations import profile
from organizations.models import Organization
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@dataclass(frozen=True)
class SettingsPage:
    title: Any
    form: type[OrganizationForm]
    lede: Any = ""


PAGES = {
    "name": SettingsPage(gettext_lazy("Names"), forms.NamesForm),
    "contact": SettingsPage(gettext_lazy("Phone, e-mail and website"), forms.ContactForm),
    "region": SettingsPage(gettext_lazy("Language, country and time zone"), forms.RegionForm),
    "look": SettingsPage(gettext_lazy("Logo and color"), forms.LookForm),
    "program": SettingsPage(gettext_lazy("Donation program"), forms.ProgramForm),
    "calendar": SettingsPage(gettext_lazy("Calendar titles"), forms.CalendarTitleForm),
    "legal": SettingsPage(
        gettext_lazy("Terms and privacy"),
        forms.LegalTextsForm,
        gettext_lazy(
            "Donors see what you write here together with the rules that apply to every organization on this service."
        ),
    ),
}


@require_safe
@accounts.role_required("view")
def show_settings(request: MemberRequest) -> HttpResponse:
    organization = request.membership.organization
    policies = policy_choices.list_newest_policies(organization).filter(code=organization.program)
    program = policies.first() if organization.program else None
    return members.render_member_page(request, "drives/settings/hub.html", {"program": program})


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("manage")
def edit_settings_page(request: MemberRequest, page: str) -> HttpResponse:
    if page not in PAGES:
        raise Http404
    shown = PAGES[page]
    # Pass a copy, because the form changes its instance, and the page's frame must not show a refused color.
    instance = Organization.objects.get(pk=request.membership.organization_id)
    is_sent = request.method == "POST"
    form = shown.form(request.POST if is_sent else None, request.FILES if is_sent else None, instance=instance)
    if form.is_valid():
        profile.change_organization(
            organization=request.membership.organization,
            values=form.cleaned_data,
            logo=form.logo_content,
            step=page,
            actor=members.format_actor(request),
            now=timezone.now(),
        )
        messages.success(request, _("Saved."))
        return members.redirect_after_save(request, "organizer_settings")
    return members.render_member_page(request, "drives/settings/page.html", {"form": form, "page": shown, "slug": page})
