"""Pages for owners to invite and remove members, change roles and end sessions."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.settings import queries
from drives.settings.forms import FounderInvitationForm, InvitationForm, RoleForm
from drives.settings.queries import MemberRow
from drives.web import form_errors, members, time_zones
from organizations import invitations, memberships, sessions
from organizations.models import Invitation
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

FORM_METHODS = ["GET", "HEAD", "POST"]


@require_safe
@accounts.role_required("manage")
def show_members(request: MemberRequest) -> HttpResponse:
    organization, now = request.membership.organization, timezone.now()
    context = {
        "members": queries.list_members(organization, now),
        "invitations": queries.list_open_invitations(organization),
        "now": now,
        "may_invite_founders": settings.SIGNUP == "invite",
        "is_second_step_required": settings.SECOND_STEP_REQUIRED,
    }
    return members.render_member_page(request, "drives/settings/members.html", context)


@require_http_methods(FORM_METHODS)
@accounts.role_required("manage")
def invite_member(request: MemberRequest) -> HttpResponse:
    form = InvitationForm(request.POST if request.method == "POST" else None)
    return _invite(request, form, invitations.invite_member, "drives/settings/invite_member.html")


@require_http_methods(FORM_METHODS)
@accounts.role_required("manage")
def invite_founder(request: MemberRequest) -> HttpResponse:
    """Mail a link with which another foundation can set up its own organization.

    Responds with 404 unless SIGNUP is "invite".
    """
    if settings.SIGNUP != "invite":
        raise Http404
    form = FounderInvitationForm(request.POST if request.method == "POST" else None)
    return _invite(request, form, invitations.invite_founder, "drives/settings/invite_founder.html")


def _invite(request: MemberRequest, form: forms.Form, invite: Callable[..., Invitation], template: str) -> HttpResponse:
    if form.is_valid():
        organization, now = request.membership.organization, timezone.now()
        try:
            invitation = invite(organization=organization, invited_by=request.user, now=now, **form.cleaned_data)
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            messages.success(request, _("We’re sending an invitation to %(email)s.") % {"email": invitation.email})
            return members.redirect_after_save(request, "organizer_members")
    return members.render_member_page(request, template, {"form": form})


@require_POST
@accounts.role_required("manage")
def resend_invitation(request: MemberRequest, pk: int) -> HttpResponse:
    invitation = _get_invitation_or_404(request, pk)
    return _act(
        request,
        lambda: invitations.resend_invitation(
            invitation=invitation, actor=members.format_actor(request), now=timezone.now()
        ),
        _("We’re sending an invitation to %(email)s.") % {"email": invitation.email},
    )


@require_POST
@accounts.role_required("manage")
def withdraw_invitation(request: MemberRequest, pk: int) -> HttpResponse:
    invitation = _get_invitation_or_404(request, pk)
    return _act(
        request,
        lambda: invitations.withdraw_invitation(
            invitation=invitation, actor=members.format_actor(request), now=timezone.now()
        ),
        _("The invitation to %(email)s was withdrawn.") % {"email": invitation.email},
    )


@require_http_methods(FORM_METHODS)
@accounts.role_required("manage")
def edit_member(request: MemberRequest, pk: int) -> HttpResponse:
    row = _get_member_or_404(request, pk)
    form = RoleForm(request.POST if request.method == "POST" else None, initial={"role": row.membership.role})
    if form.is_valid():
        try:
            memberships.change_role(
                membership=row.membership,
                role=form.cleaned_data["role"],
                actor=members.format_actor(request),
                now=timezone.now(),
            )
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("organizer_members")
    context = {"form": form, "row": row, "zone": time_zones.find_zone(request.membership.organization)}
    return members.render_member_page(request, "drives/settings/member.html", context)


@require_POST
@accounts.role_required("manage")
def remove_member(request: MemberRequest, pk: int) -> HttpResponse:
    row = _get_member_or_404(request, pk)
    return _act(
        request,
        lambda: memberships.remove_member(
            membership=row.membership, actor=members.format_actor(request), now=timezone.now()
        ),
        _("%(email)s is no longer a member.") % {"email": row.membership.user.email},
    )


@require_POST
@accounts.role_required("manage")
def end_member_sessions(request: MemberRequest, pk: int) -> HttpResponse:
    row = _get_member_or_404(request, pk)
    own_key = request.session.session_key if row.membership.user_id == request.user.pk else None
    sessions.end_sessions(
        membership=row.membership,
        except_key=own_key or "",
        actor=members.format_actor(request),
        now=timezone.now(),
    )
    messages.success(request, _("The sessions have ended."))
    return redirect("organizer_member", pk)


def _get_member_or_404(request: MemberRequest, pk: int) -> MemberRow:
    rows = queries.list_members(request.membership.organization, timezone.now(), pk)
    if not rows:
        raise Http404
    return rows[0]


def _get_invitation_or_404(request: MemberRequest, pk: int) -> Invitation:
    invitation = Invitation.objects.filter(organization=request.membership.organization, pk=pk).first()
    if invitation is None:
        raise Http404
    return invitation


def _act(request: MemberRequest, action: Any, done: str) -> HttpResponse:
    try:
        action()
    except ValidationError as error:
        messages.error(request, form_errors.format_for_member(error))
    else:
        messages.success(request, done)
    return redirect("organizer_members")
