"""Sign members in, and check their role in the organization that they have chosen."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from organizations import queries, rules
from organizations.models import Membership, User
from organizations.rules import Permission
from organizations.web import unsaved_form

CHOSEN_ORGANIZATION_KEY = (
    "organization"  # session key; its value is the slug of the organization that the user acts for
)
SEEN_AT_KEY = "seen_at"
_SEEN_UPDATE_INTERVAL = timedelta(minutes=1)

P = ParamSpec("P")


class ClosedSignupAdapter(DefaultAccountAdapter):
    """Turns off allauth's sign-up page, because owners invite members."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def format_email_subject(self, subject: str) -> str:
        return subject

    def send_notification_mail(
        self,
        template_prefix: str,
        user: AbstractBaseUser,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Send to the address with which the member signs in, because we do not use allauth's table of addresses."""
        shown = {**(context or {}), "new_password_url": f"{settings.BASE_URL}{reverse('account_reset_password')}"}
        super().send_notification_mail(template_prefix, user, shown, email or cast(User, user).email)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Use the configured site URL, so that a forged Host header cannot send a reset key to another site."""
        return f"{settings.BASE_URL}{urlsplit(super().get_reset_password_from_key_url(key)).path}"


class MemberRequest(HttpRequest):
    user: User
    membership: Membership


def role_required(
    permission: Permission,
) -> Callable[
    [Callable[Concatenate[MemberRequest, P], HttpResponseBase]], Callable[Concatenate[HttpRequest, P], HttpResponseBase]
]:
    """Allow only members with this permission, and set `request.membership`.

    - not signed in: shows the sign-in page, and afterward the form with the fields that the member had typed
    - no membership: 403 with a page that explains it
    - role without this permission: 403
    - owner or coordinator without a second step: shows the page to set one up

    The membership is read on each request, so that a change of role takes effect at once.
    """

    def decorate(
        view: Callable[Concatenate[MemberRequest, P], HttpResponseBase],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponseBase]:
        @wraps(view)
        def checked_view(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            user_id = request.user.pk  # None if the session is gone
            if not is_signed_in(request, timezone.now()):
                is_kept = unsaved_form.keep_unsaved_form(request, user_id)
                return redirect_to_login(reverse("unsaved_form") if is_kept else request.get_full_path())
            membership = find_current_membership(request)
            if membership is None:
                return render(request, "organizations/no_membership.html", status=403)
            if not rules.is_allowed(membership.role, permission):
                raise PermissionDenied
            if queries.lacks_second_step(membership):
                messages.info(request, _("First set up two-step sign-in with an app or a passkey."))
                return redirect("mfa_index")
            member = cast("MemberRequest", request)
            member.membership = membership
            return view(member, *args, **kwargs)

        return checked_view

    return decorate


def find_current_membership(request: HttpRequest) -> Membership | None:
    """Return the membership that the user chose in this session, or else their first one."""
    user = cast("User", request.user)
    slug = request.session.get(CHOSEN_ORGANIZATION_KEY)
    return (queries.find_membership(user, slug) if slug else None) or queries.find_membership(user)


def is_signed_in(request: HttpRequest, now: datetime) -> bool:
    """Return whether the user is signed in and was active in the last two hours. Log out an idle user."""
    if not request.user.is_authenticated:
        return False
    stamp = now.timestamp()
    seen_at: Any = request.session.get(SEEN_AT_KEY)
    if seen_at is not None and stamp - seen_at > rules.MAX_IDLE_TIME.total_seconds():
        logout(request)
        return False
    # Save at most once a minute, because sessions are database rows and some pages refresh often.
    if seen_at is None or abs(stamp - seen_at) >= _SEEN_UPDATE_INTERVAL.total_seconds():
        request.session[SEEN_AT_KEY] = stamp
    return True
