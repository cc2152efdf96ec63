from urllib.parse import urlencode

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from drives.settings import queries
from drives.settings.forms import AuditFilterForm
from drives.web import members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

MAX_ID_DIGITS = 18  # any such number fits into the id column


@require_safe
@accounts.role_required("manage")
def show_audit_log(request: MemberRequest) -> HttpResponse:
    organization = request.membership.organization
    verbs = sorted(((code, str(label)) for code, label in queries.VERBS.items()), key=lambda choice: choice[1])
    form = AuditFilterForm(request.GET, actors=queries.list_audit_actors(organization), verbs=verbs)
    form.is_valid()
    chosen = {name: value for name, value in form.cleaned_data.items() if value}
    page = queries.load_audit_page(organization, **chosen, below=_parse_id(request.GET.get("below", "")))
    older = urlencode({**{name: request.GET[name] for name in chosen}, "below": page.next_id}) if page.next_id else ""
    # Do not call it `form`, because `render_member_page` would respond with 422 for an invalid filter.
    return members.render_member_page(
        request, "drives/settings/audit_log.html", {"filters": form, "page": page, "older": older}
    )


def _parse_id(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_ID_DIGITS else None
