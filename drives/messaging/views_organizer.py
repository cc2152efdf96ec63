"""Messages: which go out and when, for the organization and for a drive; the hours and the price of sending."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.domain.reminder_times import Plan
from drives.messaging import sample as messaging_sample
from drives.messaging import schedule, schedule_settings, views_texts
from drives.messaging.forms import PlanForm, SendingForm
from drives.messaging.sample import Step
from drives.models import Drive
from drives.web import form_errors, members
from organizations.models import Organization
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
@accounts.role_required("view")
def overview(request: MemberRequest) -> HttpResponse:
    """What goes out and when, in which words, for which drives."""
    organization, now = request.membership.organization, timezone.now()
    sample = messaging_sample.sample_drive(organization, now)
    form = PlanForm(schedule.organization_plan(organization), sample)
    context = {
        "sample": sample,
        "steps": steps_of(form.before, form),
        "kinds": views_texts.kinds(organization),
        "drives": schedule.drives_with_messages(organization, now),
    }
    return members.page(request, "drives/messaging/messages.html", context)


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def plan(request: MemberRequest) -> HttpResponse:
    """Change the organization's plan; every coming drive without a plan of its own follows."""
    organization = request.membership.organization
    before = schedule.organization_plan(organization)
    form = PlanForm(before, messaging_sample.sample_drive(organization, timezone.now()), request.POST or None)
    if form.is_valid() and "save" in request.POST and _change(request, form, None):
        return redirect("organizer_messages")
    return _plan_page(request, form, {})


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def drive_plan(request: MemberRequest, drive_id: int) -> HttpResponse:
    """Give one drive a plan of its own, or let it follow the organization's again."""
    drive = members.drive_of(request, pk=drive_id)
    form = PlanForm(schedule.drive_plan(drive), drive, request.POST or None)
    if "drop" in request.POST:
        people = schedule_settings.drop_drive_plan(drive=drive, actor=members.actor_of(request), now=timezone.now())
        messages.success(request, _changed(people))
        return redirect("organizer_messages")
    if form.is_valid() and "save" in request.POST and _change(request, form, drive):
        return redirect("organizer_messages")
    return _plan_page(request, form, {"drive": drive, "has_own_plan": drive.plan_lines.exists()})


@require_POST
@accounts.role_required("plan")
def preview_plan(request: MemberRequest, drive_id: int | None = None) -> HttpResponse:
    """The part of the plan's page that says what goes out when, for what is typed. Changes nothing."""
    organization = request.membership.organization
    drive = members.drive_of(request, pk=drive_id) if drive_id else None
    before = schedule.drive_plan(drive) if drive else schedule.organization_plan(organization)
    form = PlanForm(before, drive or messaging_sample.sample_drive(organization, timezone.now()), request.POST)
    form.is_valid()
    return render(request, "drives/messaging/messages_timeline.html", _shown(form))


@require_http_methods(FORM_METHODS)
@accounts.role_required("manage")
def sending(request: MemberRequest) -> HttpResponse:
    """The hours in which messages leave, and the price of a text."""
    organization = Organization.objects.get(pk=request.membership.organization.pk)
    form = SendingForm(request.POST or None, instance=organization)
    if form.is_valid():
        people = schedule_settings.change_sending(
            organization=Organization.objects.get(pk=organization.pk),
            **form.cleaned_data,
            actor=members.actor_of(request),
            now=timezone.now(),
        )
        messages.success(request, _changed(people))
        return redirect("organizer_messages")
    return members.page(request, "drives/messaging/messages_sending.html", {"form": form})


def steps_of(plan: Plan, form: PlanForm) -> list[Step]:
    """When the messages of a plan go out for the slot in the form."""
    starts_at, booked_at = form.slot
    return messaging_sample.timeline(plan, starts_at, booked_at, schedule.quiet_hours(form.sample))


def _change(request: HttpRequest, form: PlanForm, drive: Drive | None) -> bool:
    who: Any = request
    wanted = {
        "plan": form.plan,
        "version": form.cleaned_data["version"],
        "actor": members.actor_of(who),
        "now": timezone.now(),
    }
    try:
        if drive:
            people = schedule_settings.change_drive_plan(drive=drive, **wanted)
        else:
            people = schedule_settings.change_plan(organization=who.membership.organization, **wanted)
    except ValidationError as error:
        form_errors.refuse(form, error)
        return False
    messages.success(request, _changed(people))
    return True


def _changed(people: int) -> str:
    if not people:
        return _("Saved. Nobody’s reminders had to change.")
    text = ngettext(
        "Saved. The reminders of %(count)s person are planned anew.",
        "Saved. The reminders of %(count)s people are planned anew.",
        people,
    )
    return text % {"count": people}


def _shown(form: PlanForm) -> dict[str, Any]:
    """The slot and what goes out for it, as typed; while something is wrong, as it is kept."""
    typed = form.plan if form.is_bound and not form.errors else form.before
    starts_at, booked_at = form.slot
    zone = form.sample.site.timezone
    return {"form": form, "steps": steps_of(typed, form), "slot": starts_at, "booked_at": booked_at, "zone": zone}


def _plan_page(request: MemberRequest, form: PlanForm, context: dict[str, Any]) -> HttpResponse:
    return members.page(request, "drives/messaging/messages_plan.html", {**_shown(form), **context})
