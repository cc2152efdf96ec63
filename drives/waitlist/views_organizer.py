"""Who waits for a place at a drive, and what was offered to whom; somebody put in line by phone, or taken out."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.booking.forms_organizer import ReachedForm
from drives.eligibility import self_check
from drives.models import Visit, WaitingEntry
from drives.waitlist import close as waitlist_close
from drives.waitlist import entries, queries
from drives.waitlist.forms import WishForm
from drives.web import form_errors, members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


class EnterForm(WishForm, ReachedForm):
    """Somebody who called and wants to wait."""

    visit = forms.ChoiceField(label=gettext_lazy("Visit"), choices=Visit.choices, initial=Visit.RETURN)

    field_order = ("name", "phone", "email", "language", "visit", "since", "until")


@require_safe
@accounts.role_required("view")
def waiting(request: MemberRequest, drive_id: int) -> HttpResponse:
    """The line in order, with windows and offers."""
    drive = members.drive_of(request, pk=drive_id)
    return members.page(
        request, "drives/waitlist/organizer_waiting.html", {"drive": drive, "rows": queries.waiting_rows(drive)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def enter(request: MemberRequest, drive_id: int) -> HttpResponse:
    """Put somebody who called at the end of the line; they are told where they stand."""
    drive = members.drive_of(request, pk=drive_id)
    form = EnterForm(drive, request.POST or None, country=drive.organization.country)
    if form.is_valid():
        try:
            entries.enter(
                drive=drive,
                wish=form.wish,
                person=form.person(drive.policy),
                actor=members.actor_of(request),
                now=timezone.now(),
            )
        except ValidationError as error:
            form_errors.refuse(form, error)
        else:
            messages.success(request, _("%(name)s is on the waiting list.") % {"name": form.cleaned_data["name"]})
            return redirect("organizer_waiting", drive.pk)
    return members.page(
        request,
        "drives/waitlist/organizer_wait.html",
        {"drive": drive, "form": form, "confirms": self_check.asked_of(drive)},
    )


@require_POST
@accounts.role_required("plan")
def remove(request: MemberRequest, drive_id: int, entry_id: int) -> HttpResponse:
    """Take somebody out of the line; what was offered to them goes to the next."""
    drive = members.drive_of(request, pk=drive_id)
    entry = WaitingEntry.objects.of(drive.organization).in_line().filter(drive=drive, pk=entry_id).first()
    if entry is None:
        raise Http404
    entries.leave(entry_id=entry.pk, actor=members.actor_of(request), now=timezone.now())
    messages.success(request, _("%(name)s is not on the waiting list any more.") % {"name": entry.volunteer})
    return redirect("organizer_waiting", drive.pk)


@require_POST
@accounts.role_required("plan")
def close(request: MemberRequest, drive_id: int) -> HttpResponse:
    """Offer nobody in line anything any more, and tell them."""
    drive = members.drive_of(request, pk=drive_id)
    try:
        told = waitlist_close.close_line(drive_id=drive.pk, actor=members.actor_of(request), now=timezone.now())
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = ngettext(
            "The waiting list is closed. %(count)s person is being told.",
            "The waiting list is closed. %(count)s people are being told.",
            told,
        )
        messages.success(request, text % {"count": told})
    return redirect("organizer_waiting", drive.pk)
