"""Pages to write, preview, send and stop broadcasts."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.messaging import broadcast_queries
from drives.messaging import broadcasts as messaging_broadcasts
from drives.messaging.forms_broadcast import BroadcastForm
from drives.messaging.texts import broadcast_texts as texts_broadcasts
from drives.models import Broadcast, Drive
from drives.web import actors as web_actors
from drives.web import form_errors, members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_safe
@accounts.role_required("view")
def show_broadcasts(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    return members.render_member_page(
        request, "drives/messaging/broadcasts.html", {"drive": drive, "rows": broadcast_queries.list_broadcasts(drive)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def write_broadcast(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive, now = members.get_drive_or_404(request, pk=drive_id), timezone.now()
    form = BroadcastForm(drive, request.POST or None, initial={"request_key": uuid.uuid4().hex})
    if form.is_valid() and "send" in request.POST and (sent := _send_or_refuse(request, form, now)):
        messages.success(request, _("The message goes out in two minutes. You can stop it until then."))
        return redirect("organizer_broadcast", sent.pk)
    shown = _preview(form, now) if form.is_bound else None
    context = {"drive": drive, "form": form, "shown": shown, "known": _list_variables(), "now": now}
    return members.render_member_page(request, "drives/messaging/write_broadcast.html", context)


@require_safe
@accounts.role_required("view")
def show_broadcast(request: MemberRequest, pk: int) -> HttpResponse:
    row = broadcast_queries.load_broadcast_row(_get_broadcast_or_404(request, pk))
    actors = {row.broadcast.actor, row.broadcast.stopped_by} - {""}
    names = web_actors.describe_actors(actors, row.broadcast.drive.organization_id)
    drive = row.broadcast.drive
    return members.render_member_page(
        request, "drives/messaging/broadcast.html", {"row": row, "drive": drive, "names": names}
    )


@require_POST
@accounts.role_required("plan")
def stop_queued_broadcast(request: MemberRequest, pk: int) -> HttpResponse:
    sent = _get_broadcast_or_404(request, pk)
    add_stopped_message(
        request,
        messaging_broadcasts.stop_broadcast(broadcast=sent, actor=members.format_actor(request), now=timezone.now()),
    )
    return redirect("organizer_broadcast", sent.pk)


def add_stopped_message(request: MemberRequest, count: int) -> None:
    if not count:
        messages.error(request, _("It’s too late to stop this. All messages have gone out."))
        return
    text = ngettext("Stopped. %(count)s message won’t go out.", "Stopped. %(count)s messages won’t go out.", count)
    messages.success(request, text % {"count": count})


def _send_or_refuse(request: MemberRequest, form: BroadcastForm, now: datetime) -> Broadcast | None:
    typed = form.cleaned_data
    if typed["seen"] != form.fingerprint():
        form.add_error(
            None,
            ValidationError(_("The message or its recipients have changed. Review everything again, then send it.")),
        )
        return None
    try:
        return messaging_broadcasts.send_broadcast(
            drive=form.drive,
            draft=form.draft(),
            # -1 never equals the number of donors.
            typed_count=typed["typed_count"] if typed["typed_count"] is not None else -1,
            request_key=typed["request_key"],
            actor=members.format_actor(request),
            now=now,
        )
    except ValidationError as error:
        form_errors.add_refusal(form, error)
        return None


def _preview(form: BroadcastForm, now: datetime) -> dict[str, Any] | None:
    # The typed number may still be missing, because the coordinator first sees it in the preview.
    draft_fields = {"states", "from_time", "until_time", "purpose", *(f"text_{code}" for code in form.languages)}
    if draft_fields & set(form.errors):
        return None
    draft = form.draft()
    if problems := messaging_broadcasts.reasons_not_to_send_broadcast(drive=form.drive, draft=draft, now=now):
        form_errors.add_refusal(form, ValidationError(problems))
        return None
    preview = messaging_broadcasts.preview_broadcast(drive=form.drive, draft=draft)
    samples: dict[str, str] = {}
    for recipient, content in preview.messages:
        if not recipient.reason and recipient.booking.volunteer:
            samples.setdefault(recipient.booking.volunteer.language, content.text)
    return {
        "preview": preview,
        "samples": samples,
        "seen": form.fingerprint(),
        "waits_until": _quiet_until_hour(form.drive, now),
    }


def _quiet_until_hour(drive: Drive, now: datetime) -> int | None:
    hour, organization = now.astimezone(drive.site.zone).hour, drive.organization
    awake = organization.quiet_until_hour <= hour < organization.quiet_from_hour
    return None if awake else organization.quiet_until_hour


def _list_variables() -> list[str]:
    return [f"{{{name}}}" for name in texts_broadcasts.BROADCAST_VARIABLES if name != "org"]


def _get_broadcast_or_404(request: MemberRequest, pk: int) -> Broadcast:
    rows = Broadcast.objects.of(request.membership.organization)
    sent = rows.select_related("drive__organization", "drive__site").filter(pk=pk).first()
    if sent is None:
        raise Http404
    return sent
