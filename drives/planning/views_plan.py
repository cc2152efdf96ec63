"""Pages to plan a drive, with a preview. A new drive is saved as a draft."""

from copy import copy
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from drives.eligibility import policy_choices
from drives.models import Drive
from drives.planning import goal_fit, lifecycle, plan_defaults, queries, sites
from drives.planning.forms import PROBLEM_FIELDS, DrivePlanForm
from drives.web import form_errors, members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def new_drive(request: MemberRequest) -> HttpResponse:
    default = plan_defaults.build_default_drive(request.membership.organization)
    form = DrivePlanForm(request.POST or None, instance=default, now=timezone.now())
    if form.is_valid() and "save" in request.POST:
        drive = _create(request, form)
        if drive:
            messages.success(request, _("The draft is saved. Review it, then publish it."))
            return redirect("organizer_drive", drive.pk)
    context = {"is_new": True, "is_copied": queries.has_drives(request.membership.organization)}
    return _page(request, form, "drives/planning/drive_form.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def edit_drive(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    booked = queries.has_bookings(drive)
    # Copy the drive, because the form changes its instance, and the page also shows the saved values.
    form = DrivePlanForm(request.POST or None, instance=copy(drive), now=timezone.now(), has_bookings=booked)
    if form.is_valid() and "save" in request.POST and _change(request, form):
        messages.success(request, _("Your changes are saved."))
        return redirect("organizer_drive", drive.pk)
    over = (
        queries.list_overbooked_steps(drive, [time.chairs for time in form.preview.times])
        if booked and form.preview
        else []
    )
    return _page(request, form, "drives/planning/drive_form.html", {"drive": drive, "booked": booked, "over": over})


def _create(request: MemberRequest, form: DrivePlanForm) -> Drive | None:
    try:
        return lifecycle.create_drive(
            drive=_save_new_site(request, form), actor=members.format_actor(request), now=timezone.now()
        )
    except ValidationError as error:
        form_errors.add_refusal(form, error, PROBLEM_FIELDS)
        return None


def _change(request: MemberRequest, form: DrivePlanForm) -> bool:
    version, now = form.cleaned_data["version"] or 0, timezone.now()
    try:
        lifecycle.change_drive(
            drive=_save_new_site(request, form), version=version, actor=members.format_actor(request), now=now
        )
    except ValidationError as error:
        form_errors.add_refusal(form, error, PROBLEM_FIELDS)
        return False
    return True


def _save_new_site(request: MemberRequest, form: DrivePlanForm) -> Drive:
    drive = form.instance
    if form.wants_new_site:
        site = form.new_site.save(commit=False)
        drive.site = sites.save_site(site=site, actor=members.format_actor(request), now=timezone.now())
    return drive


def _page(request: MemberRequest, form: DrivePlanForm, template: str, context: dict[str, Any]) -> HttpResponse:
    shown = form.preview if form.is_bound and not form.errors else None
    organization = request.membership.organization
    near, far = policy_choices.build_policy_choices(
        policy_choices.list_newest_policies(organization), str(form["policy"].value() or ""), organization.country
    )
    fit = goal_fit.load_goal_fit(organization, form.instance.goal, shown) if shown else None
    frame = {"form": form, "preview": shown, "goal_fit": fit, "policies": near, "other_policies": far}
    return members.render_member_page(request, template, {**frame, **context})
