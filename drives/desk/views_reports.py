"""The report on an organization's drives, as a page and as CSV.

It contains no personal data, so viewers may see it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.template.defaultfilters import floatformat
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from drives.desk import queries, reports, rules
from drives.desk.forms_report import ReportFilterForm
from drives.desk.report_figures import Figures, LeadClass, Rate, Tally
from drives.desk.reports import DriveRow, Report, SourceTally
from drives.domain import localtime
from drives.models import Source, Visit
from drives.web import charts, csv_file, members
from drives.web.charts import Chart
from organizations.models import Organization
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

CSV_HEADERS = (
    gettext_lazy("Date"),
    gettext_lazy("Drive"),
    gettext_lazy("Location"),
    gettext_lazy("Status"),
    gettext_lazy("Finished"),
    gettext_lazy("Spots"),
    gettext_lazy("Booked"),
    gettext_lazy("Cancelled"),
    gettext_lazy("Came"),
    gettext_lazy("Walk-ins"),
    gettext_lazy("Donated"),
    gettext_lazy("Incomplete"),
    gettext_lazy("Deferred"),
    gettext_lazy("Left early"),
    gettext_lazy("No-show"),
    gettext_lazy("Fill rate (%)"),
    gettext_lazy("Show rate (%)"),
    gettext_lazy("Deferral rate (%)"),
    gettext_lazy("No-show rate (%)"),
    gettext_lazy("Came for a first visit"),
    gettext_lazy("Came for a return visit"),
    gettext_lazy("Texts"),
    gettext_lazy("Segments"),
    gettext_lazy("Cost of texts"),
    gettext_lazy("Currency"),
    gettext_lazy("E-mails"),
)


@dataclass(frozen=True)
class Series:
    """One series of the report. The page shows it as a chart and as a table."""

    code: str
    title: str
    column: str
    rows: list[tuple[str, Tally]]
    note: str = ""

    @property
    def chart(self) -> Chart:
        return charts.build_chart(
            (label, _format_part(tally.came, tally.expected_and_walk_ins), tally.came, tally.expected_and_walk_ins)
            for label, tally in self.rows
        )


@dataclass(frozen=True)
class RateRow:
    label: str
    rate: Rate
    meaning: str


@require_safe
@accounts.role_required("view")
def show_report(request: MemberRequest) -> HttpResponse:
    form = _build_form(request)
    return _render_report(request, form, _load_report(request, form))


@require_http_methods(["GET"])  # not HEAD, because the audit log records a download
@accounts.role_required("view")
def download_report(request: MemberRequest) -> HttpResponse:
    organization, form = request.membership.organization, _build_form(request)
    report = _load_report(request, form)
    if report is None:
        return _render_report(request, form, None)
    members.record_download(request, "reports", verb="report.exported", fields=form.chosen_names, now=timezone.now())
    rows = (_build_cells(organization, row) for row in report.rows)
    return csv_file.build_csv_response(f"report-{organization.slug}.csv", CSV_HEADERS, rows)


def _build_form(request: MemberRequest) -> ReportFilterForm:
    organization = request.membership.organization
    today = queries.compute_today(organization, timezone.now())
    return ReportFilterForm(request.GET, organization=organization, today=today)


def _load_report(request: MemberRequest, form: ReportFilterForm) -> Report | None:
    """Load the report. Return None if a filter is invalid, because figures would look like the result."""
    if not form.is_valid():
        return None
    organization = request.membership.organization
    drives = reports.list_drives(organization, form.build_filter())
    if len(drives) > rules.MAX_REPORT_DRIVES:
        form.refuse_too_many()
        return None
    return reports.load_report(organization, drives)


def _render_report(request: MemberRequest, form: ReportFilterForm, report: Report | None) -> HttpResponse:
    context: dict[str, object] = {"form": form, "report": report, "query": form.query}
    if report and report.rows:
        rates = _list_rates(report.total)
        context |= {
            "pages": Paginator(report.rows, rules.REPORT_DRIVES_PER_PAGE).get_page(request.GET.get("page")),
            "rates": rates,
            "rates_chart": charts.build_chart(
                (row.label, _format_percent(row.rate), row.rate.percent or 0, 100) for row in rates
            ),
            "series": list(_list_series(report)),
            "cost": reports.compute_cost(request.membership.organization, report.messages),
        }
    elif report:
        context["has_drives"] = reports.has_drives(request.membership.organization)
    return members.render_member_page(request, "drives/desk/reports.html", context)


def _list_rates(total: Figures) -> list[RateRow]:
    tally = total.tally
    return [
        RateRow(_("Fill rate"), total.fill, _("bookings out of all spots")),
        RateRow(_("Show rate"), tally.show, _("people who came, out of those booked")),
        RateRow(_("No-show rate"), tally.no_shows, _("people who didn’t come, out of those booked")),
        RateRow(_("Deferral rate"), tally.deferrals, _("people deferred, out of all who came")),
    ]


def _list_series(report: Report) -> Iterable[Series]:
    hours = [(localtime.format_hour(hour), tally) for hour, tally in report.hours]
    yield Series("hours", _("By hour of arrival"), _("Hour"), hours, _("In the local time of each location."))
    leads = [(_format_lead(one), one.tally) for one in report.lead_classes]
    yield Series("lead", _("Days from booking to drive"), _("Days before the drive"), leads, _format_median(report))
    sources = [(_format_source(one), one.tally) for one in report.sources]
    yield Series("sources", _("By source of the booking"), _("Source"), sources)
    visits = [(str(Visit.FIRST.label), report.total.first), (str(Visit.RETURN.label), report.total.returning)]
    yield Series("visits", _("First and return visits"), _("Visit"), visits)


def _format_part(part: int, whole: int) -> str:
    return _("%(part)s of %(whole)s") % {"part": part, "whole": whole}


def _format_percent(rate: Rate) -> str:
    return "–" if rate.percent is None else f"{rate.percent}%"


def _format_lead(one: LeadClass) -> str:
    if one.last is None:
        return _("%(days)s days or more") % {"days": one.first}
    if one.first < one.last:
        return _("%(first)s to %(last)s days") % {"first": one.first, "last": one.last}
    return ngettext("%(days)s day", "%(days)s days", one.first) % {"days": one.first} if one.first else _("Same day")


def _format_median(report: Report) -> str:
    if report.median_lead is None:
        return ""
    sentence = _("Half of the bookings were made %(days)s days or more before the drive. Walk-ins aren’t included.")
    return sentence % {"days": floatformat(report.median_lead)}


def _format_source(one: SourceTally) -> str:
    label = str(Source(one.source).label)
    return _("%(source)s, with a recruiter’s link") % {"source": label} if one.has_link else label


def _build_cells(organization: Organization, row: DriveRow) -> list[str]:
    figures, tally, messages = row.figures, row.figures.tally, row.messages
    counts = [figures.capacity, tally.booked, tally.cancelled, tally.came, tally.walk_ins, tally.donated]
    counts += [tally.incomplete, tally.deferred, tally.left]
    rates = [figures.fill, tally.show, tally.deferrals, tally.no_shows] if row.is_finished else []
    percents = ["" if rate.percent is None else str(rate.percent) for rate in rates] or [""] * 4
    cost = reports.compute_cost(organization, messages)
    return [
        row.drive.day.isoformat(),
        str(row.drive.title),
        str(row.drive.site),
        row.drive.get_state_display(),
        _("yes") if row.is_finished else _("no"),
        *map(str, counts),
        str(tally.no_show) if row.is_finished else "",  # not known before the close-out
        *percents,
        str(figures.first.came),
        str(figures.returning.came),
        str(messages.texts),
        str(messages.segments) if not messages.unmeasured else "",
        str(cost) if cost is not None and not messages.unmeasured else "",
        organization.sms_currency,
        str(messages.emails),
    ]
