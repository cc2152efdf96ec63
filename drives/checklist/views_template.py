from typing import cast

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.checklist import default_template, queries, template_tasks
from drives.checklist.forms import TemplateTaskForm
from drives.checklist.template_tasks import Direction
from drives.models import ChecklistItem
from drives.refusals import Refusal
from drives.web import choices, form_errors, members, redirects
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

FORM_METHODS = ["GET", "HEAD", "POST"]
PAGE = "organizer_checklist_template"


@require_safe
@accounts.role_required("plan")
def show_template(request: MemberRequest) -> HttpResponse:
    items = queries.list_template(request.membership.organization, timezone.now())
    days = [item.days for item in items]
    rows = [
        {
            "item": item,
            "source": default_template.find_source(item),
            "may_move_up": item.days in days[:index],
            "may_move_down": item.days in days[index + 1 :],
        }
        for index, item in enumerate(items)
    ]
    return members.render_member_page(
        request, "drives/checklist/template.html", {"rows": rows, "is_default": queries.is_default(items)}
    )


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def add_template_task(request: MemberRequest) -> HttpResponse:
    return _edit(request, ChecklistItem(organization=request.membership.organization), is_new=True)


@require_http_methods(FORM_METHODS)
@accounts.role_required("plan")
def change_template_task(request: MemberRequest, code: str) -> HttpResponse:
    items = queries.list_template(request.membership.organization, timezone.now())
    item = next((item for item in items if item.code == code), None)
    if item is None:
        raise Http404
    return _edit(request, item, is_new=False)


@require_POST
@accounts.role_required("plan")
def move_template_task(request: MemberRequest, code: str) -> HttpResponse:
    direction = cast("Direction", choices.read_choice(request, "direction", ("up", "down")))
    try:
        template_tasks.move_task(
            organization=request.membership.organization,
            code=code,
            direction=direction,
            actor=members.format_actor(request),
            now=timezone.now(),
        )
    except Refusal as refusal:
        messages.error(request, " ".join(refusal.messages))
    return redirects.redirect_after_post(PAGE, fragment=f"task-{code}")


@require_POST
@accounts.role_required("plan")
def remove_template_task(request: MemberRequest, code: str) -> HttpResponse:
    organization, actor = request.membership.organization, members.format_actor(request)
    try:
        item = template_tasks.remove_task(organization=organization, code=code, actor=actor, now=timezone.now())
    except Refusal as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, _("“%(title)s” was removed from the checklist.") % {"title": item.title})
    return redirects.redirect_after_post(PAGE)


@require_POST
@accounts.role_required("plan")
def restore_default_template(request: MemberRequest) -> HttpResponse:
    organization, actor = request.membership.organization, members.format_actor(request)
    template_tasks.restore_default(organization=organization, actor=actor, now=timezone.now())
    messages.success(request, _("The checklist is the default one again."))
    return redirects.redirect_after_post(PAGE)


def _edit(request: MemberRequest, item: ChecklistItem, *, is_new: bool) -> HttpResponse:
    form = TemplateTaskForm(request.POST if request.method == "POST" else None, instance=item)
    if form.is_valid():
        save = template_tasks.add_task if is_new else template_tasks.change_task
        saved = form.save(commit=False)
        try:
            save(item=saved, actor=members.format_actor(request), now=timezone.now())
        except Refusal as refusal:
            form_errors.add_refusal(form, refusal)
        else:
            messages.success(request, _("“%(name)s” is saved.") % {"name": saved.title})
            return redirects.redirect_after_post(PAGE)
    return members.render_member_page(request, "drives/checklist/template_task.html", {"form": form, "is_new": is_new})
