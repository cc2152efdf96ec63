from collections.abc import Callable
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from drives.checklist import drive_tasks, queries
from drives.checklist.forms import OwnTaskForm
from drives.checklist.queries import Task
from drives.models import ChecklistCheck, ChecklistItem, Drive
from drives.refusals import Refusal
from drives.web import actors as web_actors
from drives.web import form_errors, members, redirects
from organizations import rules as organizations_rules
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@dataclass(frozen=True)
class TaskLink:
    check_kind: str
    url: str
    label: str


@require_safe
@accounts.role_required("see_plan")
def show_checklist(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    return _render_checklist(request, drive, OwnTaskForm(instance=_build_own_item(drive)))


@require_POST
@accounts.role_required("plan")
def add_own_task(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    form = OwnTaskForm(request.POST, instance=_build_own_item(drive))
    if form.is_valid():
        item, actor = form.save(commit=False), members.format_actor(request)
        try:
            drive_tasks.add_own_task(drive=drive, item=item, actor=actor, now=timezone.now())
        except Refusal as refusal:
            form_errors.add_refusal(form, refusal)
        else:
            return redirects.redirect_after_post("organizer_checklist", drive.pk, fragment=f"task-{item.code}")
    return _render_checklist(request, drive, form)


@require_POST
@accounts.role_required("plan")
def remove_own_task(request: MemberRequest, drive_id: int, code: str) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    try:
        drive_tasks.remove_own_task(drive=drive, code=code, actor=members.format_actor(request), now=timezone.now())
    except Refusal as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, _("Task removed."))
    return redirects.redirect_after_post("organizer_checklist", drive.pk)


@require_POST
@accounts.role_required("plan")
def check_off_task(request: MemberRequest, drive_id: int, code: str) -> HttpResponse:
    return _change_task(request, drive_id, code, drive_tasks.check_off_task)


@require_POST
@accounts.role_required("plan")
def reopen_task(request: MemberRequest, drive_id: int, code: str) -> HttpResponse:
    return _change_task(request, drive_id, code, drive_tasks.reopen_task)


def _change_task(request: MemberRequest, drive_id: int, code: str, change: Callable[..., Task]) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    try:
        change(drive=drive, code=code, actor=members.format_actor(request), now=timezone.now())
    except Refusal as refusal:
        messages.error(request, " ".join(refusal.messages))
        return redirects.redirect_after_post("organizer_checklist", drive.pk)
    return redirects.redirect_after_post("organizer_checklist", drive.pk, fragment=f"task-{code}")


def _build_own_item(drive: Drive) -> ChecklistItem:
    return ChecklistItem(organization=drive.organization, drive=drive)


def _render_checklist(request: MemberRequest, drive: Drive, form: OwnTaskForm) -> HttpResponse:
    checklist = queries.load_checklist(drive, timezone.now())
    actors = {task.tick.actor for task in checklist.tasks if task.tick}
    context = {
        "drive": drive,
        "checklist": checklist,
        "names": web_actors.describe_actors(actors, drive.organization_id),
        "links": _list_links(request, drive),
        "form": form,
    }
    return members.render_member_page(request, "drives/checklist/checklist.html", context)


def _list_links(request: MemberRequest, drive: Drive) -> list[TaskLink]:
    """For each automatic check, list a link to the page where the member can do the task."""
    pages = {
        ChecklistCheck.CENTER: ("organizer_edit_drive", _("Edit the plan")),
        ChecklistCheck.GOAL: ("organizer_edit_drive", _("Edit the plan")),
        ChecklistCheck.PUBLISHED: ("organizer_drive", _("Open the dashboard")),
        ChecklistCheck.RECRUITERS: ("organizer_share", _("Share")),
        ChecklistCheck.BOOKINGS: ("organizer_share", _("Share")),
        ChecklistCheck.REMINDERS: ("organizer_drive_message_schedule", _("When messages go out")),
    }
    links = [TaskLink(kind, reverse(page, args=[drive.pk]), label) for kind, (page, label) in pages.items()]
    if organizations_rules.is_allowed(request.membership.role, "manage"):
        links.append(TaskLink(ChecklistCheck.TEXTS, reverse("organizer_texting"), _("Text messages and e-mail")))
    return links
