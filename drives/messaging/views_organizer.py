"""Pages for message schedules and sending settings."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.domain.reminder_times import MessageSchedule
from drives.messaging import message_samples as messaging_sample
from drives.messaging import schedule, schedule_settings, views_custom_texts
from drives.messaging.forms import MessageScheduleForm, SendingForm
from drives.messaging.message_samples import TimelineStep
from drives.models import Drive
from drives.web import form_errors, members
from notifications import queries as notifications_queries
from organizations.models import Organization
from organizations.web import accounts
from organizations.web.accounts import MemberRequest
from volunteers import codes

FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
@accounts.role_required("view")
def show_messages(request: MemberRequest) -> HttpResponse:
    organization, now = request.membership.organization, timezone.now()
    sample = messaging_sample.choose_sample_drive(organization, now)
    form = MessageScheduleForm(schedule.load_organization_schedule(organization), sample)
    context = {
        "sample": sample,
        "steps": build_schedule_steps(form.saved_schedule, form),
        "kinds": views_custom_texts.list_text_kinds(organization),
        "drives": schedule.list_drives_with_schedules(organization, now),
    }
    return members.render_member_page(request, "drives/messaging/messages.html", context)


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def edit_message_schedule(request: MemberRequest) -> HttpResponse:
    organization = request.membership.organization
    saved = schedule.load_organization_schedule(organization)
    form = MessageScheduleForm(
        saved, messaging_sample.choose_sample_drive(organization, timezone.now()), request.POST or None
    )
    if form.is_valid() and "save" in request.POST and _change(request, form, None):
        return redirect("organizer_messages")
    return _render_schedule_page(request, form, {})


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def edit_drive_message_schedule(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    form = MessageScheduleForm(schedule.load_drive_schedule(drive), drive, request.POST or None)
    if "drop" in request.POST:
        count = schedule_settings.reset_drive_message_schedule(
            drive=drive, actor=members.format_actor(request), now=timezone.now()
        )
        messages.success(request, _format_changed(count))
        return redirect("organizer_messages")
    if form.is_valid() and "save" in request.POST and _change(request, form, drive):
        return redirect("organizer_messages")
    return _render_schedule_page(
        request, form, {"drive": drive, "has_custom_schedule": drive.schedule_entries.exists()}
    )


@require_POST
@accounts.role_required("plan")
def preview_message_schedule(request: MemberRequest, drive_id: int | None = None) -> HttpResponse:
    organization = request.membership.organization
    drive = members.get_drive_or_404(request, pk=drive_id) if drive_id else None
    saved = schedule.load_drive_schedule(drive) if drive else schedule.load_organization_schedule(organization)
    form = MessageScheduleForm(
        saved, drive or messaging_sample.choose_sample_drive(organization, timezone.now()), request.POST
    )
    form.is_valid()
    return render(request, "drives/messaging/message_timeline.html", _build_preview_context(form))


@require_http_methods(FORM_METHODS)
@accounts.role_required("manage")
def edit_sending_settings(request: MemberRequest) -> HttpResponse:
    # Load a copy, because the form changes its instance.
    organization = Organization.objects.get(pk=request.membership.organization.pk)
    form = SendingForm(request.POST or None, instance=organization)
    if form.is_valid():
        count = schedule_settings.change_sending_settings(
            organization=Organization.objects.get(pk=organization.pk),
            **form.cleaned_data,
            actor=members.format_actor(request),
            now=timezone.now(),
        )
        messages.success(request, _format_changed(count))
        return redirect("organizer_settings")
    now = timezone.now()
    used = {
        "texts_today": notifications_queries.count_texts_of_today(request.membership.organization, now),
        "codes_today": codes.count_codes_of_today(organization=request.membership.organization, now=now),
    }
    return members.render_member_page(request, "drives/messaging/sending_settings.html", {"form": form, **used})


def build_schedule_steps(message_schedule: MessageSchedule, form: MessageScheduleForm) -> list[TimelineStep]:
    starts_at, booked_at = form.slot
    return messaging_sample.build_timeline(
        message_schedule, starts_at, booked_at, schedule.build_quiet_hours(form.sample)
    )


def _change(request: HttpRequest, form: MessageScheduleForm, drive: Drive | None) -> bool:
    member_request: Any = request
    change = {
        "message_schedule": form.message_schedule,
        "version": form.cleaned_data["version"],
        "actor": members.format_actor(member_request),
        "now": timezone.now(),
    }
    try:
        if drive:
            count = schedule_settings.change_drive_message_schedule(drive=drive, **change)
        else:
            count = schedule_settings.change_message_schedule(
                organization=member_request.membership.organization, **change
            )
    except ValidationError as error:
        form_errors.add_refusal(form, error)
        return False
    messages.success(request, _format_changed(count))
    return True


def _format_changed(count: int) -> str:
    if not count:
        return _("Saved. No reminders had to change.")
    text = ngettext(
        "Saved. Reminders for %(count)s person were rescheduled.",
        "Saved. Reminders for %(count)s people were rescheduled.",
        count,
    )
    return text % {"count": count}


def _build_preview_context(form: MessageScheduleForm) -> dict[str, Any]:
    typed = form.message_schedule if form.is_bound and not form.errors else form.saved_schedule
    starts_at, booked_at = form.slot
    zone = form.sample.site.timezone
    return {
        "form": form,
        "steps": build_schedule_steps(typed, form),
        "slot": starts_at,
        "booked_at": booked_at,
        "zone": zone,
    }


def _render_schedule_page(request: MemberRequest, form: MessageScheduleForm, context: dict[str, Any]) -> HttpResponse:
    return members.render_member_page(
        request, "drives/messaging/message_schedule.html", {**_build_preview_context(form), **context}
    )
