"""Coordinators at the door: who signs in, and for which organization they act."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from organizations import queries, rules
from organizations.models import Membership, User
from organizations.rules import Permission

CHOSEN_ORGANIZATION_KEY = "organization"  # in the session: the slug of the organization somebody acts for
SEEN_AT_KEY = "seen_at"
MAX_IDLE_TIME = timedelta(hours=2)
_SEEN_UPDATE_INTERVAL = timedelta(minutes=1)

P = ParamSpec("P")


class ClosedSignupAdapter(DefaultAccountAdapter):
    """Nobody signs up by themselves: an owner adds the people of an organization."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        return subject

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link under the configured address: a forged Host header must not send somebody's key elsewhere."""
        return f"{settings.BASE_URL}{urlsplit(super().get_reset_password_from_key_url(key)).path}"


class MemberRequest(HttpRequest):
    """A request of somebody who acts for an organization."""

    user: User
    membership: Membership


def role_required(
    permission: Permission,
) -> Callable[
    [Callable[Concatenate[MemberRequest, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]
]:
    """Let only members whose role may `verb` through, with `request.membership` set.

    Strangers to every organization get a kind page, members without the role a 403, everybody else the sign-in page.
    Owners and coordinators set a second step up first. The membership is read on each request, so that a role that was
    taken ends at once.
    """

    def decorate(
        view: Callable[Concatenate[MemberRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not is_signed_in(request, timezone.now()):
                return redirect_to_login(request.get_full_path())
            membership = find_current_membership(request)
            if membership is None:
                return render(request, "organizations/no_membership.html", status=403)
            if not rules.is_allowed(membership.role, permission):
                raise PermissionDenied
            if queries.lacks_second_step(membership):
                messages.info(request, _("Set up a second step for signing in first: an app or a passkey."))
                return redirect("mfa_index")
            member = cast("MemberRequest", request)
            member.membership = membership
            return view(member, *args, **kwargs)

        return guarded

    return decorate


def find_current_membership(request: HttpRequest) -> Membership | None:
    """The membership for the organization chosen in this session, else for the user's first one."""
    user = cast("User", request.user)
    slug = request.session.get(CHOSEN_ORGANIZATION_KEY)
    return (queries.find_membership(user, slug) if slug else None) or queries.find_membership(user)


def is_signed_in(request: HttpRequest, now: datetime) -> bool:
    """Whether somebody is signed in and was here in the last two hours; a session left alone is ended."""
    if not request.user.is_authenticated:
        return False
    stamp = now.timestamp()
    seen: Any = request.session.get(SEEN_AT_KEY)
    if seen is not None and stamp - seen > MAX_IDLE_TIME.total_seconds():
        logout(request)
        return False
    # Written at most once a minute: a session is a row, and pages refresh themselves.
    if seen is None or abs(stamp - seen) >= _SEEN_UPDATE_INTERVAL.total_seconds():
        request.session[SEEN_AT_KEY] = stamp
    return True
