from collections.abc import Sequence

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.booking.forms_organizer import CallerForm
from drives.eligibility import self_check
from drives.messaging import reach
from drives.models import Drive, Offer, Visit, WaitlistEntry
from drives.waitlist import close as waitlist_close
from drives.waitlist import entries, offers, queries, rules
from drives.waitlist.forms import WaitlistRequestForm
from drives.web import form_errors, members, redirects
from notifications import kinds
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


class AddWaitlistEntryForm(WaitlistRequestForm, CallerForm):
    visit = forms.ChoiceField(label=gettext_lazy("Visit"), choices=Visit.choices, initial=Visit.RETURN)

    field_order = ("name", "phone", "email", "language", "visit", "since", "until")


@require_safe
@accounts.role_required("view")
def show_organizer_waitlist(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    pages = Paginator(queries.list_waitlist_entries(drive), rules.ENTRIES_PER_PAGE).get_page(request.GET.get("page"))
    rows = queries.load_waitlist_rows(list(pages), pages.start_index())
    context = {"drive": drive, "pages": pages, "rows": rows}
    return members.render_member_page(request, "drives/waitlist/organizer_waitlist.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def add_waitlist_entry(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    form = AddWaitlistEntryForm(drive, request.POST or None, country=drive.organization.country)
    if form.is_valid():
        try:
            entry = entries.add_entry(
                drive=drive,
                waitlist_request=form.waitlist_request,
                person=form.person(drive.policy),
                actor=members.format_actor(request),
                now=timezone.now(),
            )
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            on_list = _("%(name)s is on the waiting list.") % {"name": form.cleaned_data["name"]}
            unreached = reach.format_notified(drive.organization, [entry], kinds.OFFER, "")
            messages.success(request, f"{on_list} {unreached}".strip())
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
    return redirects.redirect_after_post("organizer_waitlist", drive.pk, query=redirects.build_page_query(request))


@require_POST
@accounts.role_required("plan")
def close_drive_waitlist(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive = members.get_drive_or_404(request, pk=drive_id)
    waiting = list(queries.list_waitlist_entries(drive))
    try:
        waitlist_close.close_waitlist(drive_id=drive.pk, actor=members.format_actor(request), now=timezone.now())
    except ValidationError as error:
        messages.error(request, form_errors.format_for_member(error))
    else:
        messages.success(request, f"{_('The waiting list is closed.')} {_format_closed(drive, waiting)}".strip())
    return redirect("organizer_waitlist", drive.pk)


def _format_closed(drive: Drive, waiting: Sequence[WaitlistEntry]) -> str:
    donor_reach = reach.load_reach(drive.organization, waiting)
    reached = len(waiting) - donor_reach.count_unreachable(waiting, kinds.WAITLIST_CLOSED)
    notified = ngettext("We’re letting %(count)s person know.", "We’re letting %(count)s people know.", reached)
    return reach.format_notified(drive.organization, waiting, kinds.WAITLIST_CLOSED, notified % {"count": reached})


@require_POST
@accounts.role_required("plan")
def answer_offer_for_donor(request: MemberRequest, drive_id: int, offer_id: int, answer: str) -> HttpResponse:
    """Accept or decline an offer for a donor who has answered by phone."""
    drive, actor = members.get_drive_or_404(request, pk=drive_id), members.format_actor(request)
    offer = Offer.objects.filter(pk=offer_id, entry__drive=drive).select_related("entry__volunteer").first()
    if offer is None or answer not in ("take", "pass"):
        raise Http404
    name = {"name": offer.entry.volunteer}
    try:
        if answer == "take":
            booking = offers.accept_offer(offer_id=offer.pk, actor=actor, now=timezone.now())
            notified = reach.format_notified(
                drive.organization, [booking], kinds.BOOKED, _("We’re sending a confirmation.")
            )
            messages.success(request, f"{_('%(name)s is booked.') % name} {notified}")
        else:
            offers.decline_offer(offer_id=offer.pk, actor=actor, now=timezone.now())
            messages.success(request, _("The spot goes to the next person. %(name)s stays on the waiting list.") % name)
    except ValidationError as error:
        messages.error(request, form_errors.format_for_member(error))
    return redirects.redirect_after_post("organizer_waitlist", drive.pk, query=redirects.build_page_query(request))
