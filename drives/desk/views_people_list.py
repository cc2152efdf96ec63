"""The list of an organization's people, as a page and as CSV."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from drives.desk import people_list, queries, rules
from drives.desk.forms import PeopleFilterForm
from drives.desk.people_list import CONSENT_LABELS, PersonRow
from drives.web import csv_file, members
from notifications import contact_address
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

CSV_HEADERS = (
    gettext_lazy("Name"),
    gettext_lazy("Phone"),
    gettext_lazy("E-mail"),
    gettext_lazy("Language"),
    gettext_lazy("Last visit"),
    gettext_lazy("Donations"),
    *CONSENT_LABELS.values(),
)


@require_safe
@accounts.role_required("view")
def show_people(request: MemberRequest) -> HttpResponse:
    return _render_people(request, _build_form(request))


@require_http_methods(["GET"])
@accounts.role_required("plan")
def download_people(request: MemberRequest) -> HttpResponse:
    organization, form = request.membership.organization, _build_form(request)
    if not form.is_valid():
        return _render_people(request, form)
    members.record_download(request, "people", fields=form.chosen_names, now=timezone.now())
    people = people_list.filter_people(organization, form.build_filter(), rules_drive=form.rules_drive, by_contact=True)
    rows = (_build_cells(row) for row in people_list.iterate_rows(organization, people))
    return csv_file.build_csv_response(f"people-{organization.slug}.csv", CSV_HEADERS, rows)


def _build_form(request: MemberRequest) -> PeopleFilterForm:
    organization = request.membership.organization
    today = queries.compute_today(organization, timezone.now())
    return PeopleFilterForm(
        request.GET, organization=organization, today=today, by_contact=members.may_see_contacts(request)
    )


def _render_people(request: MemberRequest, form: PeopleFilterForm) -> HttpResponse:
    """Show the matching people. If a filter is invalid, show no one, because a list would look like the result."""
    organization, pages, rows = request.membership.organization, None, []
    if form.is_valid():
        people = people_list.filter_people(
            organization,
            form.build_filter(),
            rules_drive=form.rules_drive,
            by_contact=members.may_see_contacts(request),
        )
        pages = Paginator(people.values_list("pk", flat=True), rules.PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
        rows = people_list.load_rows(organization, list(pages))
    query = request.GET.copy()
    query.pop("page", None)
    context = {"form": form, "pages": pages, "rows": rows, "query": query.urlencode()}
    return members.render_member_page(request, "drives/desk/people.html", context)


def _build_cells(row: PersonRow) -> list[str]:
    phone, email = row.person.phone, row.person.email
    return [
        row.person.name,
        contact_address.format_phone(phone.address) if phone else "",
        email.address if email else "",
        row.person.language,
        row.visited_on.isoformat() if row.visited_on else "",
        str(row.donation_count),
        *(gettext("yes") if purpose in row.consents else gettext("no") for purpose in CONSENT_LABELS),
    ]
