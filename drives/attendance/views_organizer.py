"""The coordinator's turnout page."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from drives.attendance import close_out, turnout_report
from drives.booking import rules as booking_rules
from drives.web import form_errors, members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_safe
@accounts.role_required("view")
def show_turnout(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    context = {"drive": drive, "report": turnout_report.load_turnout_report(drive), "now": timezone.now()}
    return members.render_member_page(request, "drives/attendance/turnout.html", context)


@require_POST
@accounts.role_required(booking_rules.get_permission(booking_rules.Act.CLOSE_OUT))
def complete_turnout(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    try:
        close_out.complete_drive(drive_id=drive.pk, actor=members.format_actor(request), now=timezone.now())
    except ValidationError as error:
        messages.error(request, form_errors.format_for_member(error))
    else:
        messages.success(request, _("The turnout is final."))
    return redirect("organizer_turnout", drive.pk)
