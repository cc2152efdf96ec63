from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from drives.messaging import call_list, phone_calls
from drives.messaging.reach import MessageSubject
from drives.models import Booking, Drive, WaitlistEntry
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
def mark_call_reached(request: MemberRequest, drive_id: int, about: str) -> HttpResponse:
    """Record a call to the donor about the topics on the page.

    Topics that were added since the page was loaded stay on the call list.
    """
    drive, now = members.get_drive_or_404(request, pk=drive_id), timezone.now()
    subject = _get_subject_or_404(drive, about)
    shown_topics = set(request.POST.getlist("topic"))
    rows = [row for row in call_list.load_call_list(drive, now).to_call if row.subject == subject]
    topics = [topic.topic for row in rows for topic in row.topics if topic.topic in shown_topics]
    phone_calls.record_calls(subject=subject, topics=topics, actor=members.format_actor(request), now=now)
    messages.success(request, _("You marked %(name)s as reached.") % {"name": subject.volunteer})
    return redirect("organizer_call_list", drive_id)


@require_POST
@accounts.role_required("check_in")
def unmark_call_reached(request: MemberRequest, drive_id: int, about: str) -> HttpResponse:
    subject = _get_subject_or_404(members.get_drive_or_404(request, pk=drive_id), about)
    phone_calls.delete_calls(subject=subject, actor=members.format_actor(request), now=timezone.now())
    return redirect("organizer_call_list", drive_id)


def _get_subject_or_404(drive: Drive, about: str) -> MessageSubject:
    """Return the drive's booking for "booking:7", or the waitlist entry for "waitlist:7"."""
    name, _separator, number = about.partition(":")
    rows: dict[str, QuerySet[Booking] | QuerySet[WaitlistEntry]] = {
        "booking": Booking.objects.filter(drive=drive),
        "waitlist": WaitlistEntry.objects.filter(drive=drive),
    }
    is_number = number.isascii() and number.isdecimal() and len(number) <= 18
    found = rows[name].filter(pk=int(number)).select_related("volunteer") if name in rows and is_number else None
    subject = found.first() if found is not None else None
    if subject is None:
        raise Http404
    subject.drive = drive
    return subject
