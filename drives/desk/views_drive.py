"""The desk of one drive: how full, will it reach the goal, what needs me; the roster on screen, on paper, as CSV."""

import csv
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from drives.attendance import queries as attendance_queries
from drives.desk import queries, todo
from drives.models import BookingState, Drive
from drives.web import members
from notifications import phone
from organizations import rules as organizations_rules
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

STATES = [state for state in BookingState if state not in (BookingState.HELD, BookingState.LAPSED)]
HEADS = (
    gettext_lazy("Date"),
    gettext_lazy("Time"),
    gettext_lazy("Time zone"),
    gettext_lazy("Name"),
    gettext_lazy("Visit"),
    gettext_lazy("State"),
    gettext_lazy("Phone"),
    gettext_lazy("E-mail"),
    gettext_lazy("Reference"),
    gettext_lazy("Source"),
    gettext_lazy("Language"),
    gettext_lazy("Booked at (UTC)"),
)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@require_safe
@accounts.role_required("view")
def desk(request: MemberRequest, drive_id: int) -> HttpResponse:
    """The three questions first, then hours, to-do and roster."""
    drive, now = members.drive_of(request, pk=drive_id), timezone.now()
    search, state = _asked(request)
    found = queries.desk(drive, now)
    context = {
        "drive": drive,
        "desk": found,
        "todos": todo.of_desk(drive, found) if organizations_rules.may(request.membership.role, "plan") else [],
        "rows": attendance_queries.roster(drive, search, state),
        "search": search,
        "state": state,
        "states": STATES,
        "query": urlencode({"q": search, "state": state}),
        "is_over": drive.ends_at <= now,
        "is_today": now.astimezone(drive.site.zone).date() == drive.on,
    }
    return members.page(request, "drives/desk/desk.html", context)


@require_safe
@accounts.role_required("view")
def roster_sheet(request: MemberRequest, drive_id: int) -> HttpResponse:
    """The roster for paper: who is expected, with a box to tick."""
    drive = members.drive_of(request, pk=drive_id)
    rows = [row for row in attendance_queries.roster(drive) if row.booking.state != BookingState.CANCELLED]
    return members.page(request, "drives/desk/roster.html", {"drive": drive, "rows": rows, "now": timezone.now()})


@require_safe
@accounts.role_required("view")
def roster_csv(request: MemberRequest, drive_id: int) -> HttpResponse:
    """The roster as a table, with the filter of the page. No cell starts a formula."""
    drive = members.drive_of(request, pk=drive_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="roster-{drive.slug}.csv"'
    response["Cache-Control"] = "no-store"
    response.write("\ufeff")  # spreadsheets then read it as UTF-8
    table = csv.writer(response)
    table.writerow(str(head) for head in HEADS)
    for row in attendance_queries.roster(drive, *_asked(request)):
        table.writerow([guarded(cell) for cell in _cells(drive, row)])
    return response


def guarded(cell: str) -> str:
    """The cell so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _cells(drive: Drive, row: attendance_queries.RosterRow) -> list[str]:
    booking, person = row.booking, row.booking.volunteer
    local: datetime = booking.starts_at.astimezone(drive.site.zone)
    return [
        f"{local:%Y-%m-%d}",
        f"{local:%H:%M}",
        drive.site.timezone,
        person.name if person else "",
        booking.get_visit_display(),
        booking.get_state_display(),
        phone.show(person.phone.address) if person and person.phone else "",
        person.email.address if person and person.email else "",
        booking.reference,
        booking.get_source_display(),
        person.language if person else "",
        f"{booking.created_at:%Y-%m-%d %H:%M}",
    ]


def _asked(request: MemberRequest) -> tuple[str, str]:
    state = request.GET.get("state", "")
    search = request.GET.get("q", "").replace("\x00", "").strip()[:80]
    return search, state if state in STATES else ""
