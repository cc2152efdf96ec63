"""Functions for coordinators' and helpers' pages: the organization's rows, the actor, and the page frame."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from drives.models import Booking, Conversation, Drive
from drives.web import setup_steps
from notifications import queries as notifications_queries
from organizations import audit
from organizations import rules as organizations_rules
from organizations.models import Organization
from organizations.web.accounts import MemberRequest


def get_drive_or_404(request: MemberRequest, **lookup: Any) -> Drive:
    organization = request.membership.organization
    drive = Drive.objects.of(organization).select_related("site", "policy", "cause", "center").filter(**lookup).first()
    if drive is None:
        raise Http404
    drive.organization = organization  # read with the membership
    return drive


def get_booking_or_404(request: MemberRequest, **lookup: Any) -> Booking:
    organization = request.membership.organization
    rows = Booking.objects.of(organization).filter(volunteer__isnull=False)
    related = ("drive__site", "drive__policy", "volunteer__phone", "volunteer__email", "arrival")
    booking = rows.select_related(*related).filter(**lookup).first()
    if booking is None or booking.volunteer is None:
        raise Http404
    # read with the membership
    booking.drive.organization = organization
    booking.volunteer.organization = organization
    return booking


def may_see_contacts(request: MemberRequest) -> bool:
    return organizations_rules.is_allowed(request.membership.role, "check_in")


def format_actor(request: MemberRequest) -> str:
    return f"user:{request.user.pk}"


def record_download(
    request: MemberRequest, about: str, *, verb: str = "exported", fields: Sequence[str] = (), now: datetime
) -> None:
    """Add a download to the audit log. For a file without personal data, pass the verb `report.exported`."""
    audit.add_audit_entry(
        organization=request.membership.organization,
        actor=format_actor(request),
        verb=verb,
        about=about,
        fields=fields,
        now=now,
    )


def render_member_page(request: MemberRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    membership, form = request.membership, context.get("form")
    frame = {
        "organization": membership.organization,
        "may_see_plan": organizations_rules.is_allowed(membership.role, "see_plan"),
        "may_plan": organizations_rules.is_allowed(membership.role, "plan"),
        "may_check_in": organizations_rules.is_allowed(membership.role, "check_in"),
        "may_manage": organizations_rules.is_allowed(membership.role, "manage"),
        # These values are callables, so that check-in pages skip the queries.
        "replies_waiting": partial(count_open_conversations, membership.organization),
        "troubles": lambda: notifications_queries.list_delivery_problems(timezone.now(), membership.organization),
    }
    if (step := setup_steps.BY_CODE.get(request.GET.get("setup", ""))) and frame["may_plan"]:
        frame["setup_step"] = step
    status = 422 if form is not None and form.is_bound and not form.is_valid() else 200
    response = render(request, template, {**frame, **context}, status=status)
    response["Cache-Control"] = "no-store"
    return response


def redirect_after_save(request: MemberRequest, name: str, *arguments: object) -> HttpResponse:
    """Redirect to the page `name`, or to the next step if the page was opened from the guided set-up."""
    step = setup_steps.BY_CODE.get(request.GET.get("setup", ""))
    return redirect(f"{reverse('organizer_next_setup_step')}?after={step.code}") if step else redirect(name, *arguments)


def count_open_conversations(organization: Organization) -> int:
    return Conversation.objects.of(organization).awaiting_reply().count()
