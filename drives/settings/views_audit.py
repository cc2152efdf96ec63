from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from drives.settings import queries
from drives.settings.forms import AuditFilterForm
from drives.settings.queries import AuditFilter, AuditRow
from drives.web import csv_file, members, time_zones
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

MAX_ID_DIGITS = 18  # any such number fits into the id column
CSV_HEADERS = (
    gettext_lazy("When"),
    gettext_lazy("Who"),
    gettext_lazy("What"),
    gettext_lazy("About"),
    gettext_lazy("Fields"),
)


@require_safe
@accounts.role_required("manage")
def show_audit_log(request: MemberRequest) -> HttpResponse:
    return _render_log(request, _build_form(request))


@require_http_methods(["GET"])  # not HEAD, because the audit log records a download
@accounts.role_required("manage")
def download_audit_log(request: MemberRequest) -> HttpResponse:
    organization, form = request.membership.organization, _build_form(request)
    if not form.is_valid():
        return _render_log(request, form)
    conditions = _build_filter(request, form)
    zone = ZoneInfo(conditions.zone)
    fields = list(form.chosen)
    members.record_download(request, "audit_log", verb="audit_log.exported", fields=fields, now=timezone.now())
    rows = (_build_cells(row, zone) for row in queries.iterate_audit_rows(organization, conditions))
    return csv_file.build_csv_response(f"audit-log-{organization.slug}.csv", CSV_HEADERS, rows)


def _build_form(request: MemberRequest) -> AuditFilterForm:
    verbs = sorted(((code, str(label)) for code, label in queries.VERBS.items()), key=lambda choice: choice[1])
    actors = queries.list_audit_actors(request.membership.organization)
    return AuditFilterForm(request.GET, actors=actors, verbs=verbs)


def _build_filter(request: MemberRequest, form: AuditFilterForm) -> AuditFilter:
    return AuditFilter(zone=time_zones.find_zone(request.membership.organization), **form.chosen)


def _render_log(request: MemberRequest, form: AuditFilterForm) -> HttpResponse:
    """Show the matching entries. An invalid filter is not applied, and the page shows what is wrong with it."""
    form.is_valid()
    conditions = _build_filter(request, form)
    page = queries.load_audit_page(
        request.membership.organization, conditions, below=_parse_id(request.GET.get("below", ""))
    )
    chosen = {name: request.GET[name] for name in form.chosen}
    context = {
        "filters": form,  # not `form`, because `render_member_page` would respond with 422 for an invalid filter
        "page": page,
        "zone": conditions.zone,
        "query": urlencode(chosen),
        "older": urlencode({**chosen, "below": page.next_id}) if page.next_id else "",
    }
    return members.render_member_page(request, "drives/settings/audit_log.html", context)


def _build_cells(row: AuditRow, zone: ZoneInfo) -> list[str]:
    at = row.entry.at.astimezone(zone).isoformat(timespec="seconds")
    return [at, row.actor, str(row.verb), row.entry.about, ", ".join(row.entry.fields)]


def _parse_id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS else None
