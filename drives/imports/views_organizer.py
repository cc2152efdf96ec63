"""The coordinator's import pages: upload, columns, preview, progress and list."""

from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.imports import queries, rules, sample, uploads
from drives.imports.forms import ColumnsForm, StartForm, UploadForm
from drives.models import Drive, Import, ImportState
from drives.web import csv_file, form_errors, members, time_zones
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
@accounts.role_required("plan")
def show_imports(request: MemberRequest) -> HttpResponse:
    organization = request.membership.organization
    imports = (
        Import.objects.of(organization)
        .select_related("drive")
        .defer("content", "consent_wording")
        .order_by("-created_at", "-pk")
    )
    pages = Paginator(imports.order_by("-created_at", "-pk"), rules.IMPORTS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "pages": pages,
        "lines": queries.load_lines(list(pages), organization),
        "zone": time_zones.find_zone(organization),
    }
    return members.render_member_page(request, "drives/imports/imports.html", context)


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def upload_people(request: MemberRequest) -> HttpResponse:
    return _upload(request, None)


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def upload_bookings(request: MemberRequest, drive_id: int) -> HttpResponse:
    return _upload(request, members.get_drive_or_404(request, pk=drive_id))


def _upload(request: MemberRequest, drive: Drive | None) -> HttpResponse:
    max_rows = rules.MAX_BOOKING_ROWS if drive else rules.MAX_ROWS
    form = UploadForm(max_rows, *([request.POST, request.FILES] if request.method == "POST" else []))
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            data_import = uploads.upload_file(
                organization=request.membership.organization,
                content=file.read(),
                file_name=file.name,
                actor=members.format_actor(request),
                now=timezone.now(),
                drive=drive,
            )
        except ValidationError as error:
            form.add_error("file", error)
        else:
            return redirect("organizer_import", data_import.pk)
    context = {"form": form, "drive": drive, "columns": sample.list_column_help(has_bookings=drive is not None)}
    return members.render_member_page(request, "drives/imports/upload.html", context)


@require_safe
@accounts.role_required("plan")
def download_sample(request: MemberRequest) -> HttpResponse:
    headers, rows = sample.build_people_sample()
    return csv_file.build_csv_response("people-sample.csv", headers, rows)


@require_safe
@accounts.role_required("plan")
def download_bookings_sample(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    headers, rows = sample.build_bookings_sample()
    return csv_file.build_csv_response(f"bookings-sample-{drive.slug}.csv", headers, rows)


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def match_columns(request: MemberRequest, pk: int) -> HttpResponse:
    data_import = _get_import_or_404(request, pk, with_content=True)
    if not data_import.content:  # it has started, or its file is deleted
        return redirect("organizer_import", pk)
    sheet, now = uploads.read_sheet(data_import), timezone.now()
    zone = ZoneInfo(time_zones.find_zone(data_import.organization))
    form = ColumnsForm(sheet, data_import, now.astimezone(zone).date(), request.POST or None)
    if form.is_valid():
        try:
            uploads.match_columns(import_id=pk, matched=form.matched, proof=form.proof, now=now)
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            return redirect("organizer_import", pk)
    context = {"data_import": data_import, "form": form, "samples": queries.list_column_samples(sheet)}
    return members.render_member_page(request, "drives/imports/columns.html", context)


@require_safe
@accounts.role_required("plan")
def show_import(request: MemberRequest, pk: int) -> HttpResponse:
    data_import = _get_import_or_404(request, pk)
    if data_import.state == ImportState.UPLOADED:
        return redirect("organizer_import_columns", pk)
    return _render_import(request, data_import, StartForm(initial={"error_count": data_import.error_count}))


@require_POST
@accounts.role_required("plan")
def start_import(request: MemberRequest, pk: int) -> HttpResponse:
    data_import, form = _get_import_or_404(request, pk), StartForm(request.POST)
    if not form.is_valid():
        return _render_import(request, data_import, form)
    try:
        uploads.start_import(
            import_id=pk,
            left_out_count=form.left_out_count,
            actor=members.format_actor(request),
            now=timezone.now(),
        )
    except ValidationError as error:
        form_errors.add_refusal(form, error)
        return _render_import(request, data_import, form)
    return redirect("organizer_import", pk)


@require_POST
@accounts.role_required("plan")
def discard_import(request: MemberRequest, pk: int) -> HttpResponse:
    _get_import_or_404(request, pk)
    try:
        uploads.discard_import(import_id=pk)
    except ValidationError as error:
        messages.error(request, form_errors.format_for_member(error))
        return redirect("organizer_import", pk)
    messages.success(request, _("Discarded. We deleted the file, and nothing was imported."))
    return redirect("organizer_imports")


@require_http_methods(["GET"])  # not HEAD, because the audit log records a download
@accounts.role_required("plan")
def download_errors(request: MemberRequest, pk: int) -> HttpResponse:
    data_import = _get_import_or_404(request, pk)
    members.record_download(request, data_import.about, now=timezone.now())
    headers = (_("Row"), _("Column"), _("Cell"), _("What to do"))
    lines = queries.list_error_lines(queries.filter_error_rows(data_import))
    rows = ([str(line.number), str(line.field), line.value, str(line.sentence)] for line in lines)
    return csv_file.build_csv_response(f"import-{data_import.pk}-errors.csv", headers, rows)


def _render_import(request: MemberRequest, data_import: Import, form: StartForm) -> HttpResponse:
    errors = Paginator(queries.filter_error_rows(data_import), rules.ERRORS_PER_PAGE)
    pages = errors.get_page(request.GET.get("page"))
    context = {
        "data_import": data_import,
        "drive": data_import.drive,
        "line": queries.load_lines([data_import], data_import.organization)[0],
        "form": form,
        "pages": pages,
        "error_lines": list(queries.list_error_lines(list(pages))),
        "preview": queries.list_preview_rows(data_import) if data_import.state == ImportState.CHECKED else [],
        "zone": time_zones.find_zone(data_import.organization),
        "fragment": "#errors",
    }
    return members.render_member_page(request, "drives/imports/import.html", context)


def _get_import_or_404(request: MemberRequest, pk: int, *, with_content: bool = False) -> Import:
    rows = Import.objects.of(request.membership.organization).select_related("organization", "drive__site")
    data_import = (rows if with_content else rows.defer("content")).filter(pk=pk).first()
    if data_import is None:
        raise Http404
    return data_import
