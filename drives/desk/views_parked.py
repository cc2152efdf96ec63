from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from drives.desk import parked, rules
from drives.web import members, redirects, time_zones
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_safe
@accounts.role_required("plan")
def show_parked_tasks(request: MemberRequest) -> HttpResponse:
    organization = request.membership.organization
    pages = Paginator(parked.filter_parked_rows(organization), rules.PARKED_TASKS_PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "pages": page,
        "tasks": parked.load_parked_tasks(organization, list(page)),
        "zone": time_zones.find_zone(organization),
    }
    return members.render_member_page(request, "drives/desk/parked.html", context)


@require_POST
@accounts.role_required("plan")
def try_parked_task_again(request: MemberRequest, pk: int) -> HttpResponse:
    organization, actor = request.membership.organization, members.format_actor(request)
    if not parked.try_again(organization=organization, parked_id=pk, actor=actor, now=timezone.now()):
        raise Http404
    messages.success(request, _("The service will try this task again soon."))
    return redirects.redirect_after_post("organizer_parked", query=redirects.build_page_query(request))
