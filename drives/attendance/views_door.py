"""The check-in pages: the list, one booking, its steps, and walk-ins."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives import refusals
from drives.attendance import check_in, next_visit, queries, rules
from drives.booking import rules as booking_rules
from drives.booking.forms_organizer import OverrideForm
from drives.booking.rules import Act
from drives.domain import localtime
from drives.eligibility import queries as eligibility_queries
from drives.eligibility import rules as eligibility_rules
from drives.models import OUTCOMES, Booking, BookingState, Drive, Visit
from drives.web import form_errors, members
from drives.web.fields import OtherNameField, PhoneForm, PhoneFormField
from organizations.web import accounts
from organizations.web.accounts import MemberRequest

DoorAction = Callable[..., Booking]
OUTCOME_ACTIONS: dict[str, DoorAction] = {
    str(outcome): partial(check_in.record_outcome, outcome=outcome) for outcome in OUTCOMES
}
DOOR_ACTIONS: dict[str, DoorAction] = {
    "in": check_in.check_in_donor,
    "undo": check_in.undo_last_step,
    "missed": check_in.mark_no_show,
    **OUTCOME_ACTIONS,
}
RESULTS = {"in": BookingState.CHECKED_IN, "missed": BookingState.NO_SHOW, **{str(state): state for state in OUTCOMES}}


DOOR_PERMISSION = booking_rules.get_permission(Act.CHECK_IN)
NUMBER_PATTERN = re.compile(r"[0-9]{1,11}")
INTERVAL_CHECKED_VERBS = ("in", "undo")  # these steps can make a visit count for the intervals


class WalkInForm(OverrideForm, PhoneForm):
    name = OtherNameField()
    phone = PhoneFormField(
        label=gettext_lazy("Mobile phone"), error_messages={"required": gettext_lazy("Enter a phone number.")}
    )
    visit = forms.ChoiceField(
        label=gettext_lazy("Have they donated plasma before?"),
        choices=[(Visit.RETURN, gettext_lazy("Yes")), (Visit.FIRST, gettext_lazy("First time"))],
        widget=forms.RadioSelect,
        initial=rules.WALK_IN_VISIT,
        error_messages={"required": gettext_lazy("Choose whether this is their first visit.")},
    )


@require_safe
@accounts.role_required("check_in")
def show_day(request: MemberRequest, slug: str) -> HttpResponse:
    """Show the check-in list. If the query parameter `done` names a booking, show that booking with an undo button."""
    drive, now, search = members.get_drive_or_404(request, slug=slug), timezone.now(), _parse_search(request)
    checkin_list = queries.load_checkin_list(drive, now, search)
    context = {
        "drive": drive,
        "now": now,
        "search": search,
        "list": checkin_list,
        "tally": checkin_list if not search else queries.load_checkin_list(drive, now),
        "done": (done := _find_last_booking(request, drive)),
        # After a step, the focus goes to the next donor, so that helpers keep their place in the list.
        "focused": _parse_number(request.GET.get("next", "")) or (done.pk if done else None),
        "list_state": _describe_search(search, checkin_list),
        "is_empty": not _count_rows(checkin_list),
        "is_today": now.astimezone(drive.site.zone).date() == drive.day,
        "is_over": drive.ends_at <= now,
    }
    return members.render_member_page(request, "drives/attendance/check_in_list.html", context)


@require_safe
@accounts.role_required("check_in")
def show_donor_at_door(request: MemberRequest, slug: str, booking_id: int) -> HttpResponse:
    booking, now = _get_booking_or_404(request, slug, booking_id), timezone.now()
    context = _build_person_context(request, booking, now)
    if context["may_check_in_now"] and (reasons := check_in.reasons_not_to_check_in(booking, now)):
        context |= {"warnings": reasons, "form": OverrideForm(), "judged": "in"}
    return members.render_member_page(request, "drives/attendance/check_in_booking.html", context)


@require_POST
@accounts.role_required(DOOR_PERMISSION)
def record_step(request: MemberRequest, slug: str, booking_id: int, verb: str) -> HttpResponse:
    booking = _get_booking_or_404(request, slug, booking_id)
    if verb not in DOOR_ACTIONS:
        raise Http404
    override = OverrideForm(request.POST if "override_reason" in request.POST else {})
    reason = override.cleaned_data["override_reason"] if override.is_valid() and verb in INTERVAL_CHECKED_VERBS else ""
    options = {"seen": request.POST.get("seen", ""), **({"override_reason": reason} if reason else {})}
    try:
        done = DOOR_ACTIONS[verb](
            booking_id=booking.pk, actor=members.format_actor(request), now=timezone.now(), **options
        )
    except ValidationError as error:
        if isinstance(error, refusals.Refusal) and eligibility_rules.OVERRIDABLE_CODES.issuperset(error.codes):
            return _ask_to_override(request, booking, override, error, verb)
        messages.error(request, f"{booking.volunteer}: {form_errors.format_for_member(error)}")
        return redirect(_build_list_url(slug, _parse_search(request)))
    if verb in RESULTS and done.state != RESULTS[verb]:
        text = _("%(name)s: someone else updated this visit first. It’s now “%(state)s”.")
        messages.info(request, text % {"name": booking.volunteer, "state": done.get_state_display()})
    neighbor_id = _parse_number(request.POST.get("next", ""))
    return redirect(_build_list_url(slug, _parse_search(request), done=booking.pk, neighbor_id=neighbor_id))


@require_POST
@accounts.role_required("check_in")
def book_next_at_door(request: MemberRequest, slug: str, booking_id: int) -> HttpResponse:
    booking, slot_id = _get_booking_or_404(request, slug, booking_id), request.POST.get("slot", "")
    try:
        next_booking = next_visit.book_next_visit(
            booking_id=booking.pk,
            slot_id=int(slot_id) if NUMBER_PATTERN.fullmatch(slot_id) else 0,
            actor=members.format_actor(request),
            now=timezone.now(),
        )
    except ValidationError as error:
        messages.error(request, f"{booking.volunteer}: {form_errors.format_for_member(error)}")
    else:
        values = {
            "name": booking.volunteer,
            "moment": localtime.format_date_and_time(next_booking.starts_at, next_booking.drive.site.timezone),
        }
        messages.success(request, _("%(name)s is booked for %(moment)s.") % values)
    return redirect("checkin_booking", slug, booking.pk)


def _ask_to_override(
    request: MemberRequest, booking: Booking, form: OverrideForm, refusal: refusals.Refusal, verb: str
) -> HttpResponse:
    form_errors.add_refusal(form, refusal)
    form_context = {"form": form, "judged": verb, "proposed": refusal.alternatives}
    context = {**_build_person_context(request, booking, timezone.now()), **form_context}
    return members.render_member_page(request, "drives/attendance/check_in_booking.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("check_in")
def create_walk_in(request: MemberRequest, slug: str) -> HttpResponse:
    drive = members.get_drive_or_404(request, slug=slug)
    country, initial = drive.organization.country, {"name": _parse_name(_parse_search(request))}
    form, proposed = WalkInForm(request.POST or None, initial=initial, country=country), []
    if form.is_valid():
        typed, actor = form.cleaned_data, members.format_actor(request)
        try:
            booking = check_in.add_walk_in(drive=drive, **typed, actor=actor, now=timezone.now())
        except ValidationError as error:
            if "already_booked" in {problem.code for problem in getattr(error, "error_list", [])}:
                messages.info(request, _("This person is already on the list."))
                return redirect(_build_list_url(slug, typed["name"]))
            form_errors.add_refusal(form, error)
            proposed = form_errors.list_alternatives(error)
        else:
            return redirect(_build_list_url(slug, "", done=booking.pk))
    context = {"drive": drive, "form": form, "search": _parse_search(request), "proposed": proposed}
    return members.render_member_page(request, "drives/attendance/walk_in.html", context)


def _parse_name(search: str) -> str:
    return search if any(character.isalpha() for character in search) else ""


def _get_booking_or_404(request: MemberRequest, slug: str, booking_id: int) -> Booking:
    return members.get_booking_or_404(request, pk=booking_id, drive__slug=slug)


def _build_person_context(request: MemberRequest, booking: Booking, now: datetime) -> dict[str, object]:
    state = BookingState(booking.state)
    has_donated = state in rules.HAS_DONATED
    return {
        "booking": booking,
        "drive": booking.drive,
        "search": _parse_search(request),
        "after": eligibility_queries.load_follow_up(booking, now, all_organizations=False) if has_donated else None,
        "coming": eligibility_queries.list_upcoming_bookings(booking, now) if has_donated else (),
        "may_check_in_now": _may(request, Act.CHECK_IN, booking, now),
        "may_be_missed": _may(request, Act.MARK_NO_SHOW, booking, now),
        "may_have_outcome": _may(request, Act.RECORD_OUTCOME, booking, now),
        "may_be_undone": _may(request, Act.UNDO, booking, now),
        "outcomes": OUTCOME_BUTTONS,
        "labels": {"in": _("Check in"), "missed": _("No-show"), "undo": _("Undo the last step")},
    }


def _may(request: MemberRequest, act: Act, booking: Booking, now: datetime) -> bool:
    return not booking_rules.reasons_not_to_take_step(act, booking, members.format_actor(request), now)


OUTCOME_BUTTONS = [
    (BookingState.DONATED, gettext_lazy("Donated"), gettext_lazy("The donation is complete.")),
    (BookingState.INCOMPLETE, gettext_lazy("Incomplete"), gettext_lazy("Stopped after the needle went in.")),
    (
        BookingState.DEFERRED,
        gettext_lazy("Deferred"),
        gettext_lazy("Could not donate today (needle not used)."),
    ),
    (BookingState.LEFT, gettext_lazy("Left early"), gettext_lazy("Left before the needle went in.")),
]


def _find_last_booking(request: MemberRequest, drive: Drive) -> Booking | None:
    number = _parse_number(request.GET.get("done", ""))
    if number is None:
        return None
    return Booking.objects.filter(drive=drive, pk=number).select_related("volunteer").first()


def _parse_number(typed: str) -> int | None:
    return int(typed) if NUMBER_PATTERN.fullmatch(typed) else None


def _count_rows(checkin_list: queries.CheckinList) -> int:
    return sum(len(getattr(checkin_list, name)) for name in queries.CHECKIN_GROUPS)


def _describe_search(search: str, checkin_list: queries.CheckinList) -> str:
    """Return the sentence that screen readers announce after a search."""
    count = _count_rows(checkin_list)
    if not search:
        return _("Everyone is shown.")
    if not count:
        return _("No one matches.")
    return ngettext("%(count)s person matches.", "%(count)s people match.", count) % {"count": count}


def _parse_search(request: MemberRequest) -> str:
    search = request.POST.get("q") or request.GET.get("q", "")
    return search.strip()[:80]


def _build_list_url(slug: str, search: str, done: int | None = None, neighbor_id: int | None = None) -> str:
    query = {name: value for name, value in (("q", search), ("done", done), ("next", neighbor_id)) if value}
    address = reverse("checkin", args=[slug])
    return f"{address}?{urlencode(query)}" if query else address
