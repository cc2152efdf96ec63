"""The page to tell donors that the drive is running late."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from drives.messaging import broadcast_queries, broadcasts, views_broadcasts
from drives.messaging import rules as messaging_rules
from drives.models import Broadcast, BroadcastKind
from drives.web import form_errors, members
from notifications.models import Purpose
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("check_in")
def send_late_notice(request: MemberRequest, slug: str) -> HttpResponse:
    drive, now = members.get_drive_or_404(request, slug=slug), timezone.now()
    if request.method == "POST":
        minutes, key = request.POST.get("minutes", ""), request.POST.get("request_key", "")[:64]
        try:
            sent = broadcasts.send_late_notice(
                drive=drive,
                minutes=int(minutes) if minutes in map(str, messaging_rules.LATE_MINUTES) else 0,
                request_key=key or uuid.uuid4().hex,
                actor=members.format_actor(request),
                now=now,
            )
        except ValidationError as error:
            messages.error(request, form_errors.format_for_member(error))
        else:
            messages.success(request, _format_result(sent))
        return redirect("checkin_running_late", slug)
    context = {
        "drive": drive,
        "reach": broadcast_queries.load_broadcast_reach(
            drive, broadcast_queries.build_late_audience(now), Purpose.REMINDERS
        ),
        "choices": messaging_rules.LATE_MINUTES,
        "request_key": uuid.uuid4().hex,
        "rows": [row for row in broadcast_queries.list_broadcasts(drive) if row.broadcast.kind == BroadcastKind.LATE][
            :3
        ],
    }
    return members.render_member_page(request, "drives/attendance/running_late.html", context)


@require_POST
@accounts.role_required("check_in")
def stop_late_notice(request: MemberRequest, slug: str, pk: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, slug=slug)
    broadcast = Broadcast.objects.filter(drive=drive, kind=BroadcastKind.LATE, pk=pk).select_related("drive").first()
    if broadcast is None:
        raise Http404
    views_broadcasts.add_stopped_message(
        request, broadcasts.stop_broadcast(broadcast=broadcast, actor=members.format_actor(request), now=timezone.now())
    )
    return redirect("checkin_running_late", slug)


def _format_result(broadcast: Broadcast) -> str:
    count = broadcast.people_count
    text = ngettext("We’re letting %(count)s person know.", "We’re letting %(count)s people know.", count) % {
        "count": count
    }
    if broadcast.unreached_count:
        text += " " + _("We can’t reach %(count)s of them. See the call list.") % {"count": broadcast.unreached_count}
    return text
