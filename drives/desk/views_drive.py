"""The desk of one drive, and its roster as a page, as a print view and as CSV."""

from datetime import datetime
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from drives.attendance import queries as attendance_queries
from drives.desk import queries, rules, todo
from drives.models import Booking, BookingState, Drive, DriveState
from drives.web import csv_file, members
from notifications import contact_address
from organizations import rules as organizations_rules
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

ROSTER_STATES = [state for state in BookingState if state not in (BookingState.HELD, BookingState.LAPSED)]
CSV_HEADERS = (
    gettext_lazy("Date"),
    gettext_lazy("Time"),
    gettext_lazy("Time zone"),
    gettext_lazy("Name"),
    gettext_lazy("Visit"),
    gettext_lazy("Status"),
    gettext_lazy("Phone"),
    gettext_lazy("E-mail"),
    gettext_lazy("Reference"),
    gettext_lazy("Source"),
    gettext_lazy("Language"),
    gettext_lazy("Booked at (UTC)"),
)


@require_safe
@accounts.role_required("view")
def show_desk(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive, now = members.get_drive_or_404(request, pk=drive_id), timezone.now()
    search, state = _parse_filters(request)
    desk = queries.load_desk(drive, now)
    # Viewers cannot search by contact, because they could find out the masked digits of a number.
    bookings = attendance_queries.filter_roster(drive, search, state, by_contact=members.may_see_contacts(request))
    pages = Paginator(bookings, rules.ROSTER_ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "drive": drive,
        "desk": desk,
        "todos": todo.list_drive_todos(drive, desk)
        if organizations_rules.is_allowed(request.membership.role, "plan")
        else [],
        "pages": pages,
        "rows": attendance_queries.load_roster_rows(list(pages)),
        "search": search,
        "state": state,
        "states": ROSTER_STATES,
        "query": urlencode({"q": search, "state": state}),
        "now": now,
        "is_over": drive.ends_at <= now,
        "is_changing": drive.state in (DriveState.PUBLISHED, DriveState.CLOSED) and not drive.closed_out_at,
        "stage": _find_stage(drive, now),
        "is_planned": drive.state not in (DriveState.CANCELLED, DriveState.COMPLETED),
    }
    return members.render_member_page(request, "drives/desk/drive.html", context)


def _find_stage(drive: Drive, now: datetime) -> str:
    """Return the stage that decides what the page offers first: publishing, booking, check-in, turnout, or nothing."""
    if drive.state == DriveState.DRAFT:
        return "draft"
    if drive.closed_out_at and drive.ends_at <= now:
        return "turnout"
    if drive.state not in (DriveState.PUBLISHED, DriveState.CLOSED):
        return ""
    return "booking" if now.astimezone(drive.site.zone).date() < drive.day else "day"


@require_safe
@accounts.role_required("view")
def show_roster(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    context = {"drive": drive, "rows": attendance_queries.load_printed_roster(drive), "now": timezone.now()}
    return members.render_member_page(request, "drives/desk/roster.html", context)


@require_http_methods(["GET"])  # not HEAD, because the audit log records a download
@accounts.role_required("check_in")
def download_roster(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    members.record_download(request, f"drive:{drive.pk}", now=timezone.now())
    bookings = attendance_queries.filter_roster(drive, *_parse_filters(request))
    rows = (_build_cells(drive, booking) for booking in bookings)
    return csv_file.build_csv_response(f"roster-{drive.slug}.csv", CSV_HEADERS, rows)


def _build_cells(drive: Drive, booking: Booking) -> list[str]:
    person = booking.volunteer
    local: datetime = booking.starts_at.astimezone(drive.site.zone)
    return [
        f"{local:%Y-%m-%d}",
        f"{local:%H:%M}",
        drive.site.timezone,
        person.name if person else "",
        booking.get_visit_display(),
        booking.get_state_display(),
        contact_address.format_phone(person.phone.address) if person and person.phone else "",
        person.email.address if person and person.email else "",
        booking.reference,
        booking.get_source_display(),
        person.language if person else "",
        f"{booking.created_at:%Y-%m-%d %H:%M}",
    ]


def _parse_filters(request: MemberRequest) -> tuple[str, str]:
    state = request.GET.get("state", "")
    search = request.GET.get("q", "").strip()[:80]
    return search, state if state in ROSTER_STATES else ""
