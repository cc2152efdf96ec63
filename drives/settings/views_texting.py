"""Pages for owners to set up texts and e-mail, with checks and test messages."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.settings import texting
from drives.settings.forms import OwnSenderForm, TestTextForm
from drives.web import form_errors, members
from notifications import queries as notifications_queries
from notifications import senders
from notifications.models import Channel
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

CHANNEL_NAMES = {Channel.SMS: gettext_lazy("Texts"), Channel.EMAIL: gettext_lazy("E-mail")}
PROBLEMS = {
    "account_unknown": gettext_lazy("The text provider doesn’t recognize this account. Check TWILIO_ACCOUNT_SID."),
    "number_unknown": gettext_lazy("This number isn’t in the account. Correct the number, or buy it first."),
    "credentials_refused": gettext_lazy("The provider rejected the password. Check the settings of this installation."),
    "unreachable": gettext_lazy("The provider isn’t responding. Try again in a minute."),
}


@require_safe
@accounts.role_required("manage")
def show_texting(request: MemberRequest) -> HttpResponse:
    return _page(request, TestTextForm(country=request.membership.organization.country))


@require_safe
@accounts.role_required("manage")
def show_registration(request: MemberRequest) -> HttpResponse:
    entries = texting.list_registration_entries(request.membership.organization, timezone.now())
    return members.render_member_page(request, "drives/settings/registration.html", {"entries": entries})


@require_safe
@accounts.role_required("manage")
def show_mail_domain(request: MemberRequest) -> HttpResponse:
    context = {"records": texting.list_dns_records(), "mailbox": settings.EMAIL_FROM}
    return members.render_member_page(request, "drives/settings/mail_domain.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("manage")
def edit_number(request: MemberRequest) -> HttpResponse:
    organization = request.membership.organization
    form = OwnSenderForm(request.POST if request.method == "POST" else None, country=organization.country)
    if form.is_valid():
        actor, now = members.format_actor(request), timezone.now()
        try:
            texting.set_own_sender(
                organization=organization, address=form.cleaned_data["address"], actor=actor, now=now
            )
        except texting.CheckFailed as error:
            form.add_error("address", _describe_problem(str(error)))
        except ValidationError as error:
            form.add_error("address", error)
        else:
            messages.success(request, _("Saved. Now text yourself a test."))
            return redirect("organizer_texting")
    sender = notifications_queries.find_sender(organization)
    context = {"form": form, "sender": sender, "has_own": sender is not None and not sender.is_default}
    return members.render_member_page(request, "drives/settings/texting_number.html", context)


@require_POST
@accounts.role_required("manage")
def use_default_number(request: MemberRequest) -> HttpResponse:
    actor = members.format_actor(request)
    try:
        senders.use_default_sender(organization=request.membership.organization, actor=actor, now=timezone.now())
    except ValidationError as error:
        messages.error(request, form_errors.format_for_member(error))
    else:
        messages.success(request, _("Your texts come from this installation’s number again."))
    return redirect("organizer_texting")


@require_POST
@accounts.role_required("manage")
def check_sending(request: MemberRequest) -> HttpResponse:
    try:
        problems = texting.check_accounts(organization=request.membership.organization, now=timezone.now())
    except ValidationError as error:
        messages.error(request, form_errors.format_for_member(error))
        return redirect("organizer_texting")
    for channel, problem in problems.items():
        name = CHANNEL_NAMES[channel]
        if problem:
            messages.error(request, f"{name}: {_describe_problem(problem)}")
        else:
            messages.success(request, _("%(channel)s: the account works.") % {"channel": name})
    return redirect("organizer_texting")


@require_POST
@accounts.role_required("manage")
def send_test_text(request: MemberRequest) -> HttpResponse:
    organization = request.membership.organization
    form = TestTextForm(request.POST, country=organization.country)
    if form.is_valid():
        phone = form.cleaned_data["phone"]
        try:
            texting.queue_test_text(organization=organization, phone=phone, now=timezone.now())
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            messages.success(request, _("We’re sending a test to %(address)s.") % {"address": phone})
            return redirect("organizer_texting")
    return _page(request, form)


@require_POST
@accounts.role_required("manage")
def send_test_mail(request: MemberRequest) -> HttpResponse:
    organization, email = request.membership.organization, request.user.email
    try:
        texting.queue_test_mail(organization=organization, email=email, now=timezone.now())
    except ValidationError as error:
        messages.error(request, form_errors.format_for_member(error))
    else:
        messages.success(request, _("We’re sending a test to %(address)s.") % {"address": email})
    return redirect("organizer_texting")


def _describe_problem(code: str) -> str:
    return str(PROBLEMS.get(code, _("The provider rejected the check (%(code)s).") % {"code": code}))


def _page(request: MemberRequest, form: forms.Form) -> HttpResponse:
    sender = notifications_queries.find_sender(request.membership.organization)
    context: dict[str, Any] = {
        "form": form,
        "sender": sender,
        "signals": sender and notifications_queries.load_sender_signals(sender),
        "webhooks": texting.list_webhooks(),
        "is_demo": settings.SMS_PROVIDER == "inbox",
    }
    return members.render_member_page(request, "drives/settings/texting.html", context)
