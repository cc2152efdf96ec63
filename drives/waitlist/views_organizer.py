"""A coordinator's waitlist pages."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.booking.forms_organizer import CallerForm
from drives.eligibility import self_check
from drives.models import Visit, WaitlistEntry
from drives.waitlist import close as waitlist_close
from drives.waitlist import entries, queries
from drives.waitlist.forms import WaitlistRequestForm
from drives.web import form_errors, members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


class AddWaitlistEntryForm(WaitlistRequestForm, CallerForm):
    visit = forms.ChoiceField(label=gettext_lazy("Visit"), choices=Visit.choices, initial=Visit.RETURN)

    field_order = ("name", "phone", "email", "language", "visit", "since", "until")


@require_safe
@accounts.role_required("view")
def show_organizer_waitlist(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    return members.render_member_page(
        request, "drives/waitlist/organizer_waitlist.html", {"drive": drive, "rows": queries.list_waitlist_rows(drive)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def add_waitlist_entry(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    form = AddWaitlistEntryForm(drive, request.POST or None, country=drive.organization.country)
    if form.is_valid():
        try:
            entries.add_entry(
                drive=drive,
                waitlist_request=form.waitlist_request,
                person=form.person(drive.policy),
                actor=members.format_actor(request),
                now=timezone.now(),
            )
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            messages.success(request, _("%(name)s is on the waiting list.") % {"name": form.cleaned_data["name"]})
            return redirect("organizer_waitlist", drive.pk)
    return members.render_member_page(
        request,
        "drives/waitlist/organizer_new_entry.html",
        {"drive": drive, "form": form, "self_check": self_check.list_self_check_sentences(drive)},
    )


@require_POST
@accounts.role_required("plan")
def remove_waitlist_entry(request: MemberRequest, drive_id: int, entry_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    entry = WaitlistEntry.objects.of(drive.organization).waitlisted().filter(drive=drive, pk=entry_id).first()
    if entry is None:
        raise Http404
    entries.remove_entry(entry_id=entry.pk, actor=members.format_actor(request), now=timezone.now())
    messages.success(request, _("%(name)s is no longer on the waiting list.") % {"name": entry.volunteer})
    return redirect("organizer_waitlist", drive.pk)


@require_POST
@accounts.role_required("plan")
def close_drive_waitlist(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    try:
        count = waitlist_close.close_waitlist(
            drive_id=drive.pk, actor=members.format_actor(request), now=timezone.now()
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = ngettext(
            "The waiting list is closed. We’re letting %(count)s person know.",
            "The waiting list is closed. We’re letting %(count)s people know.",
            count,
        )
        messages.success(request, text % {"count": count})
    return redirect("organizer_waitlist", drive.pk)
