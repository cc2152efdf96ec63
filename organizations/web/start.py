"""The page of an invitation link. A founder sets up an organization, and an invited member creates an account.

The link's token moves into a signed cookie, so that the URL of the page does not contain it.
"""

import re
from typing import Any

from allauth.account.forms import LoginForm
from allauth.decorators import rate_limit
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from organizations import invitations
from organizations.invitations import InvitationRefused, NewUser
from organizations.models import Invitation, Membership, User
from organizations.web import accounts
from organizations.web.accounts import CHOSEN_ORGANIZATION_KEY
from organizations.web.forms import SetupLinkForm, StartForm

TOKEN_PATTERN = re.compile(r"[A-Za-z0-9_-]{22}")
COOKIE, COOKIE_PATH, COOKIE_SECONDS = "start", "/start/", 24 * 60 * 60
SETUP_URL, HOME_URL = "/organizer/setup/", "/organizer/"


@never_cache
@require_safe
def open_invitation_link(request: HttpRequest, token: str) -> HttpResponse:
    if not TOKEN_PATTERN.fullmatch(token):  # not every string fits in a cookie
        return _show_ended_link(request, InvitationRefused("invitation_unknown"))
    response = redirect("start")
    response.set_signed_cookie(
        COOKIE,
        token,
        max_age=COOKIE_SECONDS,
        path=COOKIE_PATH,
        httponly=True,
        samesite="Lax",
        secure=settings.SECURE,
    )
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def show_start(request: HttpRequest) -> HttpResponse:
    token = request.get_signed_cookie(COOKIE, "", max_age=COOKIE_SECONDS)
    if not token:
        return _ask_for_link(request)
    user = request.user if accounts.is_signed_in(request, timezone.now()) else None
    account = user if isinstance(user, User) else None
    try:
        invitation = invitations.find_invitation(token, timezone.now())
    except InvitationRefused as error:
        return _show_ended_link(request, error)
    if account is None and invitation.email and User.objects.filter(email=invitation.email).exists():
        return render(request, "organizations/start_sign_in.html", {"invitation": invitation})
    form = StartForm(
        request.POST if request.method == "POST" else None, invitation=invitation, has_account=account is not None
    )
    if form.is_valid():
        try:
            membership = _use_invitation(token, invitation, form, account)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return _welcome(request, membership, form, is_new=account is None, founds=invitation.organization is None)
    status = 422 if form.is_bound and form.errors else 200
    context = {"form": form, "invitation": invitation, "account": account}
    return render(request, "organizations/start.html", context, status=status)


def _use_invitation(token: str, invitation: Invitation, form: StartForm, account: User | None) -> Membership:
    typed, now = form.cleaned_data, timezone.now()
    user = account or NewUser(
        password=typed["password"], name=typed["name"], email=typed.get("email", invitation.email)
    )
    if invitation.organization:
        return invitations.accept_invitation(token=token, user=user, now=now)
    return invitations.found_organization(
        token=token,
        organization_name=typed["organization_name"],
        user=user,
        language=translation.get_language() or settings.LANGUAGE_CODE,
        now=now,
    )


def _welcome(
    request: HttpRequest, membership: Membership, form: StartForm, *, is_new: bool, founds: bool
) -> HttpResponse:
    next_url = SETUP_URL if founds else HOME_URL
    response: HttpResponse = redirect(next_url)
    if is_new:
        # Through allauth's form, so that this sign-in is listed among the member's sessions.
        login = LoginForm({"login": membership.user.email, "password": form.cleaned_data["password"]}, request=request)
        if login.is_valid():
            response = login.login(request, redirect_url=next_url)
    request.session[CHOSEN_ORGANIZATION_KEY] = membership.organization.slug
    return _end_visit(response)


def _show_ended_link(request: HttpRequest, problem: InvitationRefused) -> HttpResponse:
    return _end_visit(render(request, "organizations/start_ended.html", {"problem": problem}, status=410))


def _end_visit(response: HttpResponse) -> HttpResponse:
    response.delete_cookie(COOKIE, path=COOKIE_PATH, samesite="Lax")
    return response


def _ask_for_link(request: HttpRequest) -> HttpResponse:
    """Explain how to get a set-up link. If sign-up is open, mail a link."""
    if settings.SIGNUP != "open":
        return render(request, "organizations/start_closed.html", {"is_by_invitation": settings.SIGNUP == "invite"})
    if request.method == "POST":
        response: HttpResponse = _mail_link(request)
        return response
    return render(request, "organizations/start_open.html", {"form": SetupLinkForm()})


@rate_limit(action="found")  # type: ignore[untyped-decorator]
def _mail_link(request: HttpRequest) -> HttpResponse:
    form = SetupLinkForm(request.POST)
    context: dict[str, Any] = {"form": form}
    if form.is_valid():
        language = translation.get_language() or settings.LANGUAGE_CODE
        # The page does not reveal whether an e-mail was sent.
        invitations.mail_setup_link(email=form.cleaned_data["email"], language=language, now=timezone.now())
        context["sent_to"] = form.cleaned_data["email"]
    return render(request, "organizations/start_open.html", context, status=422 if form.errors else 200)
