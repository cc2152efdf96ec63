from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from drives.messaging import call_list
from drives.messaging import calls as messaging_calls
from drives.web import actors as web_actors
from drives.web import members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_safe
@accounts.role_required("view")
def show_call_list(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive, now = members.get_drive_or_404(request, pk=drive_id), timezone.now()
    calls = call_list.load_call_list(drive, now)
    actors = {call.actor for row in [*calls.to_call, *calls.reached] for call in row.calls}
    context = {
        "drive": drive,
        "list": calls,
        "now": now,
        "names": web_actors.describe_actors(actors, drive.organization_id),
    }
    return members.render_member_page(request, "drives/messaging/call_list.html", context)


@require_POST
@accounts.role_required("check_in")
def mark_call_reached(request: MemberRequest, drive_id: int, booking_id: int) -> HttpResponse:
    """Record a call about the topics that the page showed. Newer topics stay on the list."""
    booking = members.get_booking_or_404(request, pk=booking_id, drive_id=drive_id)
    shown_topics = set(request.POST.getlist("topic"))
    rows = [
        row for row in call_list.load_call_list(booking.drive, timezone.now()).to_call if row.booking.pk == booking.pk
    ]
    topics = [topic.topic for row in rows for topic in row.topics if topic.topic in shown_topics]
    messaging_calls.record_calls(
        booking=booking, topics=topics, actor=members.format_actor(request), now=timezone.now()
    )
    messages.success(request, _("You marked %(name)s as reached.") % {"name": booking.volunteer})
    return redirect("organizer_call_list", drive_id)


@require_POST
@accounts.role_required("check_in")
def unmark_call_reached(request: MemberRequest, drive_id: int, booking_id: int) -> HttpResponse:
    booking = members.get_booking_or_404(request, pk=booking_id, drive_id=drive_id)
    messaging_calls.delete_calls(booking=booking, actor=members.format_actor(request), now=timezone.now())
    return redirect("organizer_call_list", drive_id)
