"""The coordinator's turnout page."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.attendance import close_out, turnout_picture, turnout_report
from drives.attendance.turnout_report import HourTurnout
from drives.booking import rules as booking_rules
from drives.models import Drive
from drives.web import csv_file, form_errors, members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

CSV_HEADERS = (
    gettext_lazy("Date"),
    gettext_lazy("Hour"),
    gettext_lazy("Hour (UTC)"),
    gettext_lazy("Time zone"),
    gettext_lazy("Booked"),
    gettext_lazy("Came"),
    gettext_lazy("Donated"),
    gettext_lazy("Incomplete"),
    gettext_lazy("Deferred"),
    gettext_lazy("Left early"),
    gettext_lazy("Without an outcome"),
    gettext_lazy("No-show"),
    gettext_lazy("Walk-ins"),
)


@require_safe
@accounts.role_required("view")
def show_turnout(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    report = turnout_report.load_turnout_report(drive)
    context = {
        "drive": drive,
        "report": report,
        "picture": turnout_picture.draw_hours(report.hours),
        "widths": turnout_picture.measure_counts(report.counts) if report.counts else {},
    }
    return members.render_member_page(request, "drives/attendance/turnout.html", context)


@require_http_methods(["GET"])  # not HEAD, because the audit log records a download
@accounts.role_required("view")
def download_turnout(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    members.record_download(request, f"turnout:{drive.pk}", verb="report.exported", now=timezone.now())
    rows = (_build_cells(drive, hour) for hour in turnout_report.load_hours(drive))
    return csv_file.build_csv_response(f"turnout-{drive.slug}.csv", CSV_HEADERS, rows)


def _build_cells(drive: Drive, hour: HourTurnout) -> list[str]:
    local = hour.starts_at.astimezone(drive.site.zone)
    counts = (
        *(hour.booked, hour.arrived, hour.donated, hour.incomplete, hour.deferred, hour.left),
        *(hour.unresolved, hour.no_show, hour.people - hour.booked),
    )
    return [
        f"{local:%Y-%m-%d}",
        f"{local:%H:%M}",
        f"{hour.starts_at:%Y-%m-%d %H:%M}",
        drive.site.timezone,
        *map(str, counts),
    ]


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
