"""The life of a drive: publish, close, cancel, copy."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from drives.messaging import reach
from drives.models import Drive
from drives.planning import drives
from drives.web import form_errors, members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


class CancelForm(forms.Form):
    """Why a drive does not take place; donors read it."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("One sentence that donors read in their e-mail, such as “The hall is closed.”"),
        max_length=Drive._meta.get_field("cancel_reason").max_length,
        error_messages={"required": gettext_lazy("Write why the drive is cancelled.")},
    )
    sure = forms.BooleanField(
        label=gettext_lazy("Yes, cancel the whole drive. This cannot be undone."),
        error_messages={"required": gettext_lazy("Tick the box if you are sure.")},
    )


class CopyForm(forms.Form):
    """The day of a copy."""

    on = forms.DateField(
        label=gettext_lazy("Day of the new drive"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Choose the day of the new drive."),
            "invalid": gettext_lazy("Write a day such as 2027-03-14."),
        },
    )


@require_POST
@accounts.role_required("plan")
def publish(request: MemberRequest, drive_id: int) -> HttpResponse:
    """Open a draft or a closed drive for booking."""
    return _to_state(request, drive_id, drives.publish, _("The drive is published. Its page takes bookings."))


@require_POST
@accounts.role_required("plan")
def close(request: MemberRequest, drive_id: int) -> HttpResponse:
    """Take no more bookings online."""
    text = _("Online booking is closed. Who is booked or waits keeps their place, and you can still add people.")
    return _to_state(request, drive_id, drives.close, text)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def cancel_drive(request: MemberRequest, drive_id: int) -> HttpResponse:
    """Say how many will be told and how, ask for the reason, then cancel."""
    drive = members.drive_of(request, pk=drive_id)
    form = CancelForm(request.POST or None)
    if form.is_valid():
        reason, now = form.cleaned_data["reason"], timezone.now()
        try:
            drives.cancel_drive(drive_id=drive.pk, reason=reason, actor=members.actor_of(request), now=now)
        except ValidationError as error:
            form_errors.refuse(form, error)
        else:
            messages.success(request, _("The drive is cancelled. Everybody who was booked is being told."))
            return redirect("organizer_drive", drive.pk)
    context = {"drive": drive, "form": form, "told": reach.people_to_tell(drive)}
    return members.page(request, "drives/planning/cancel_drive.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def copy_drive(request: MemberRequest, drive_id: int) -> HttpResponse:
    """The same plan on another day, as a draft."""
    drive = members.drive_of(request, pk=drive_id)
    form = CopyForm(request.POST or None)
    if form.is_valid():
        on, now = form.cleaned_data["on"], timezone.now()
        try:
            copy = drives.copy_drive(drive_id=drive.pk, on=on, actor=members.actor_of(request), now=now)
        except ValidationError as error:
            form_errors.refuse(form, error, dict.fromkeys(("opens", "closes", "breaks"), "on"))
        else:
            messages.success(request, _("This is the copy, a draft. Look at it, then publish it."))
            return redirect("organizer_drive", copy.pk)
    return members.page(request, "drives/planning/copy_drive.html", {"drive": drive, "form": form})


def _to_state(request: MemberRequest, drive_id: int, change: Callable[..., Drive], done: str) -> HttpResponse:
    drive = members.drive_of(request, pk=drive_id)
    try:
        change(drive_id=drive.pk, actor=members.actor_of(request), now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, done)
    return redirect("organizer_drive", drive.pk)
