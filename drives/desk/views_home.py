from functools import partial

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from drives.desk import queries, rules, todo
from drives.models import Drive
from drives.settings import setup
from drives.web import members
from organizations import rules as organizations_rules
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_safe
@accounts.role_required("view")
def show_organizer_home(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    home = queries.load_home(request.membership.organization, now)
    is_allowed = partial(organizations_rules.is_allowed, request.membership.role)
    steps = setup.list_steps(request.membership.organization) if is_allowed("manage") else []
    todos = todo.list_home_todos(
        home,
        sees_plan=is_allowed("see_plan"),
        may_plan=is_allowed("plan"),
        setup_steps_left=sum(state.is_open for state in steps),
    )
    context = {"home": home, "todos": todos, "replies_waiting": home.replies}
    return members.render_member_page(request, "drives/desk/home.html", context)


@require_safe
@accounts.role_required("view")
def show_organizer_drives(request: MemberRequest) -> HttpResponse:
    rows = Drive.objects.of(request.membership.organization).select_related("site", "turnout")
    pages = Paginator(rows.order_by("-starts_at", "-pk"), rules.DRIVES_PER_PAGE)
    return members.render_member_page(
        request, "drives/desk/drives.html", {"pages": pages.get_page(request.GET.get("page"))}
    )
