"""Pages to move, cancel, restore or confirm a booking, or to send its confirmation again."""

from collections.abc import Callable
from functools import partial

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from drives.booking import changes, forms, queries, resend, views_donor, views_links
from drives.booking.queries import BookingPage
from drives.booking.views_links import DONOR
from drives.models import Booking, CancelledBy
from drives.public import times
from drives.refusals import HoldLapsed
from drives.web import form_errors
from drives.web.code_page import CodeForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def move_own_booking(request: HttpRequest, key: str, *, whole_party: bool = False) -> HttpResponse:
    page = views_links.get_booking_page_or_404(request, key)
    is_posted = request.method == "POST"
    # A held party has no page with times. It can only post one of the alternative times on the booking page.
    may_move = _may_move_all(page) or (page.held and is_posted) if whole_party else page.may_change
    if not may_move:
        return views_links.redirect_to_booking(key)
    if not is_posted:
        return _render_times(request, page, whole_party)
    try:
        slot_id = times.parse_slot_id(request.POST.get("slot", ""))
        if slot_id is None:
            raise ValidationError(times.format_choose_time())
        changes.move_bookings(
            booking_id=page.booking.pk, slot_id=slot_id, actor=DONOR, now=timezone.now(), whole_party=whole_party
        )
    except HoldLapsed:
        return views_links.redirect_to_booking(key)
    except ValidationError as problem:
        if page.held and whole_party:
            return views_donor.render_hold_again(request, key, CodeForm(data={}), problem)
        return _render_times(request, views_links.get_booking_page_or_404(request, key), whole_party, problem)
    return views_links.redirect_to_booking(key, "moved=1")


def _may_move_all(page: BookingPage) -> bool:
    return not page.held and page.party.is_shown and page.party.may_change_all


def _render_times(
    request: HttpRequest, page: BookingPage, whole_party: bool, problem: ValidationError | None = None
) -> HttpResponse:
    moving = page.party.changeable_bookings if whole_party else [page.booking]
    context = {
        **views_donor.build_booking_context(page),
        "group": moving if whole_party else (),
        "parts": times.group_by_day_part(queries.list_times_to_move(moving, timezone.now()), page.booking.drive),
        "choose": problem is not None and times.parse_slot_id(request.POST.get("slot", "")) is None,
        "problems": problem.messages if problem else (),
        **forms.build_alternatives(problem),
    }
    response = render(request, "drives/booking/move.html", context, status=form_errors.compute_http_status(problem))
    return form_errors.add_retry_after(response, problem)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_own_booking(request: HttpRequest, key: str, *, whole_party: bool = False) -> HttpResponse:
    page = views_links.get_booking_page_or_404(request, key)
    may_cancel = page.party.is_shown and page.party.changeable_bookings if whole_party else page.may_change
    if not may_cancel:
        return views_links.redirect_to_booking(key)
    if request.method != "POST":
        context = {**views_donor.build_booking_context(page), "group": page.party.members if whole_party else ()}
        return render(request, "drives/booking/cancel.html", context)
    return _run_change(request, key, partial(_cancel, page.booking, whole_party=whole_party))


@never_cache
@views_links.require_booking_post
def remove_from_party(request: HttpRequest, key: str) -> HttpResponse:
    page = views_links.get_booking_page_or_404(request, key)
    if page.held:
        try:
            _cancel(page.booking)
        except ValidationError as problem:
            return views_donor.render_hold_again(request, key, CodeForm(data={}), problem)
    others = [member.booking for member in page.party.members if member.booking.pk != page.booking.pk]
    return views_links.redirect_to_booking(others[0].reference if others else key)


def _cancel(booking: Booking, *, whole_party: bool = False) -> None:
    changes.cancel_bookings(
        booking_id=booking.pk, actor=DONOR, cancelled_by=CancelledBy.DONOR, now=timezone.now(), whole_party=whole_party
    )


@never_cache
@views_links.require_booking_post
def restore_own_booking(request: HttpRequest, key: str) -> HttpResponse:
    page = views_links.get_booking_page_or_404(request, key)
    return _run_change(
        request,
        key,
        lambda: changes.restore_booking(booking_id=page.booking.pk, actor=DONOR, now=timezone.now()),
        "restored=1",
    )


@never_cache
@views_links.require_booking_post
def confirm_own_booking(request: HttpRequest, key: str) -> HttpResponse:
    page = views_links.get_booking_page_or_404(request, key)
    return _run_change(
        request, key, lambda: changes.confirm_bookings(booking_ids=[page.booking.pk], actor=DONOR, now=timezone.now())
    )


@never_cache
@views_links.require_booking_post
def resend_own_confirmation(request: HttpRequest, key: str) -> HttpResponse:
    page = views_links.get_booking_page_or_404(request, key)
    return _run_change(
        request, key, lambda: resend.resend_confirmation(booking_id=page.booking.pk, now=timezone.now()), "sent=1"
    )


def _run_change(request: HttpRequest, key: str, act: Callable[[], object], query: str = "") -> HttpResponse:
    try:
        act()
    except ValidationError as problem:
        page, status = views_links.get_booking_page_or_404(request, key), form_errors.compute_http_status(problem)
        return form_errors.add_retry_after(views_donor.render_booking_page(request, page, problem, status), problem)
    return views_links.redirect_to_booking(key, query)
