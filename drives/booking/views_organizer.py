"""The coordinator's pages for one booking: add by phone, move, cancel, resend the confirmation."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from drives.booking import book_for_donor, changes, queries, resend, rules
from drives.booking import party as booking_party
from drives.booking.forms_organizer import BookForDonorForm, MoveForm, ReasonForm
from drives.capacity import availability, visit_length
from drives.eligibility import self_check
from drives.messaging import reach
from drives.models import Booking, CancelledBy, Drive, Visit
from drives.web import choices, form_errors, members
from notifications import kinds
from notifications.kinds import MessageKind
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def add_booking(request: MemberRequest, drive_id: int) -> HttpResponse:
    drive, now, visit = members.get_drive_or_404(request, pk=drive_id), timezone.now(), _parse_visit_type(request)
    times, slot_id = availability.list_open_times(drive, (visit,), now), request.GET.get("slot", "")
    form = BookForDonorForm(times, request.POST or None, initial={"slot": slot_id}, country=drive.organization.country)
    if form.is_valid():
        try:
            booking = book_for_donor.create_booking_for_donor(
                drive=drive,
                slot_id=form.cleaned_data["slot"],
                visit=visit,
                person=form.person(drive.policy),
                actor=members.format_actor(request),
                now=now,
                override_reason=form.cleaned_data["override_reason"],
            )
        except ValidationError as error:
            form_errors.add_refusal(form, error, {"self_reported": "self_reported_on"})
            form.proposed = form_errors.list_alternatives(error)
        else:
            name = {"name": form.cleaned_data["name"]}
            notified = _("We’re sending a confirmation.")
            _add_result(request, _("%(name)s is booked.") % name, [booking], kinds.BOOKED, notified)
            return redirect("organizer_booking", booking.pk)
    context = {
        "drive": drive,
        "form": form,
        "visit": visit,
        "visits": _list_visit_types(drive),
        "self_check": self_check.list_self_check_sentences(drive),
    }
    return members.render_member_page(request, "drives/booking/organizer_add_booking.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required(rules.get_permission(rules.Act.MOVE))
def move_donor_booking(request: MemberRequest, booking_id: int, *, whole_party: bool = False) -> HttpResponse:
    booking = members.get_booking_or_404(request, pk=booking_id)
    party = booking_party.load_party(booking)
    if whole_party and not party.may_change_all:
        return redirect("organizer_move_booking", booking.pk)
    group = party.changeable_bookings if whole_party else []
    times = queries.list_times_to_move(group or [booking], timezone.now())
    form = MoveForm(times, request.POST or None)
    if form.is_valid():
        typed, actor = form.cleaned_data, members.format_actor(request)
        try:
            changes.move_bookings(
                booking_id=booking.pk,
                slot_id=typed["slot"],
                actor=actor,
                now=timezone.now(),
                reason=typed["reason"],
                whole_party=whole_party,
                by_member=True,
                override_reason=typed["override_reason"],
            )
        except ValidationError as error:
            form_errors.add_refusal(form, error)
            form.proposed = form_errors.list_alternatives(error)
        else:
            done = _("Everyone has a new time.") if whole_party else _("The booking has been moved.")
            notified = _("We’re letting them know.") if whole_party else _("We’re letting the donor know.")
            _add_result(request, done, group or [booking], kinds.MOVED, notified)
            return redirect("organizer_booking", booking.pk)
    context = {"booking": booking, "drive": booking.drive, "form": form, "party": party, "group": group}
    return members.render_member_page(request, "drives/booking/organizer_move.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required(rules.get_permission(rules.Act.CANCEL))
def cancel_donor_booking(request: MemberRequest, booking_id: int) -> HttpResponse:
    booking = members.get_booking_or_404(request, pk=booking_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason, actor, now = form.cleaned_data["reason"], members.format_actor(request), timezone.now()
        try:
            changes.cancel_bookings(
                booking_id=booking.pk, actor=actor, cancelled_by=CancelledBy.COORDINATOR, now=now, reason=reason
            )
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            notified = _("We’re letting the donor know.")
            _add_result(request, _("The booking is cancelled."), [booking], kinds.CANCELLED, notified)
            return redirect("organizer_booking", booking.pk)
    organization = booking.drive.organization
    notified = reach.format_notified(organization, [booking], kinds.CANCELLED, _("We’re letting the donor know."))
    context = {"booking": booking, "drive": booking.drive, "form": form, "notified": notified}
    return members.render_member_page(request, "drives/booking/organizer_cancel.html", context)


@require_POST
@accounts.role_required("plan")
def resend_booking_confirmation(request: MemberRequest, booking_id: int) -> HttpResponse:
    booking = members.get_booking_or_404(request, pk=booking_id)
    try:
        resend.resend_confirmation(booking_id=booking.pk, now=timezone.now())
    except ValidationError as error:
        messages.error(request, form_errors.format_for_member(error))
    else:
        _add_result(request, "", [booking], kinds.BOOKED, _("We’re sending the confirmation again."))
    return redirect("organizer_booking", booking.pk)


def _add_result(
    request: MemberRequest, done: str, bookings: Sequence[Booking], kind: MessageKind, notified: str
) -> None:
    """Show the coordinator what was done, and whether the donors can get a message about it."""
    outcome = reach.format_notified(bookings[0].drive.organization, bookings, kind, notified)
    messages.success(request, f"{done} {outcome}".strip())


def _parse_visit_type(request: MemberRequest) -> str:
    requested = request.GET.get("visit", "")
    default = requested if requested in Visit else Visit.RETURN
    return choices.read_choice(request, "visit", Visit, default=default) if request.method == "POST" else default


def _list_visit_types(drive: Drive) -> list[dict[str, Any]]:
    types = (Visit.RETURN, Visit.FIRST)
    return [{"visit": visit, "minutes": visit_length.compute_visit_minutes(drive, visit)} for visit in types]
