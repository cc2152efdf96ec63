"""Pages to publish, close, cancel and copy a drive."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST

from drives.booking import rules as booking_rules
from drives.messaging import reach
from drives.models import Drive
from drives.planning import lifecycle
from drives.web import form_errors, members
from drives.web.fields import CheckboxField
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


class CancelDriveForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("One sentence for the e-mail to donors, for example “The hall is closed.”"),
        max_length=Drive._meta.get_field("cancel_reason").max_length,
        error_messages={"required": gettext_lazy("Enter the reason for canceling the drive.")},
    )
    sure = CheckboxField(
        label=gettext_lazy("Yes, cancel the whole drive. This can’t be undone."),
        error_messages={"required": gettext_lazy("Check the box to confirm.")},
    )


class CopyDriveForm(forms.Form):
    day = forms.DateField(
        label=gettext_lazy("Day of the new drive"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Choose the day of the new drive."),
            "invalid": gettext_lazy("Enter a date like 2027-03-14."),
        },
    )


@require_POST
@accounts.role_required("plan")
def open_online_booking(request: MemberRequest, drive_id: int) -> HttpResponse:
    return _change_state(request, drive_id, lifecycle.publish_drive, _("The drive is published and open for booking."))


@require_POST
@accounts.role_required("plan")
def close_online_booking(request: MemberRequest, drive_id: int) -> HttpResponse:
    text = _(
        "Online booking is closed. People who "
        "are booked or on the waiting "
        "list keep their spots, and you can still add people."
    )
    return _change_state(request, drive_id, lifecycle.close_drive, text)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required(booking_rules.get_permission(booking_rules.Act.CANCEL_DRIVE))
def confirm_drive_cancellation(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    form = CancelDriveForm(request.POST or None)
    if form.is_valid():
        reason, now = form.cleaned_data["reason"], timezone.now()
        notified = reach.load_cancellation_reach(drive)
        try:
            lifecycle.cancel_drive(drive_id=drive.pk, reason=reason, actor=members.format_actor(request), now=now)
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            messages.success(request, f"{_('The drive is cancelled.')} {_format_notified(notified)}".strip())
            return redirect("organizer_drive", drive.pk)
    context = {"drive": drive, "form": form, "notified": reach.load_cancellation_reach(drive)}
    return members.render_member_page(request, "drives/planning/cancel_drive.html", context)


def _format_notified(notified: reach.CancellationReach) -> str:
    text = ngettext("We’re notifying %(count)s person.", "We’re notifying %(count)s people.", notified.reachable)
    sentences = [text % {"count": notified.reachable}] if notified.reachable else []
    return " ".join([*sentences, *([reach.format_unreachable(notified.unreachable)] if notified.unreachable else [])])


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def choose_copy_day(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    form = CopyDriveForm(request.POST or None)
    if form.is_valid():
        day, now = form.cleaned_data["day"], timezone.now()
        try:
            copy = lifecycle.copy_drive(drive_id=drive.pk, day=day, actor=members.format_actor(request), now=now)
        except ValidationError as error:
            form_errors.add_refusal(form, error, dict.fromkeys(("opens", "closes", "breaks"), "day"))
        else:
            messages.success(request, _("This is the copy, saved as a draft. Review it, then publish it."))
            return redirect("organizer_drive", copy.pk)
    return members.render_member_page(request, "drives/planning/copy_drive.html", {"drive": drive, "form": form})


def _change_state(request: MemberRequest, drive_id: int, change: Callable[..., Drive], done: str) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    try:
        change(drive_id=drive.pk, actor=members.format_actor(request), now=timezone.now())
    except ValidationError as error:
        messages.error(request, form_errors.format_for_member(error))
    else:
        messages.success(request, done)
    return redirect("organizer_drive", drive.pk)
