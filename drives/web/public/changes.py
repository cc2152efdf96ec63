"""Plans changed: another time, no time, the same time again, and the word that somebody is coming."""

from collections.abc import Callable, Sequence

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from drives.actions import changing, resending
from drives.actions.booking import HoldLapsed
from drives.capacity import availability
from drives.models import Booking, CancelledBy
from drives.public import times
from drives.queries.bookings import BookingPage
from drives.refusals import Refusal
from drives.web.public import bookings, forms, links
from drives.web.public.links import DONOR


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, key: str) -> HttpResponse:
    """Another time of the same drive; the old one is kept until the new one is sure."""
    page = links.page_or_404(request, key)
    if not page.may_change:
        return links.to_booking(key)
    if request.method != "POST":
        return _choose(request, page)
    slot_id = times.slot_asked(request.POST.get("slot", ""))
    if slot_id is None:
        return _choose(request, page, [times.choose_one()], 422)
    try:
        changing.move(booking_id=page.booking.pk, slot_id=slot_id, actor=DONOR, now=timezone.now())
    except HoldLapsed:
        return links.to_booking(key)
    except ValidationError as refusal:
        return _choose(request, page, refusal.messages, 409, refusal)
    return links.to_booking(key, "moved=1")


def _choose(
    request: HttpRequest,
    page: BookingPage,
    problems: Sequence[str] = (),
    status: int = 200,
    refusal: ValidationError | None = None,
) -> HttpResponse:
    booking = page.booking
    found = availability.open_times(booking.drive, booking.visit, timezone.now())
    others = [time for time in found if time.slot_id != booking.arrival_id]
    context = {
        **bookings.booking_context(page),
        "parts": times.parts_of_day(others, booking.drive),
        "problems": problems,
        **forms.proposed_by(refusal),
    }
    return render(request, "drives/public/move.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, key: str) -> HttpResponse:
    """Give the place up. The page asks once; the answer can be undone for a quarter of an hour."""
    page = links.page_or_404(request, key)
    if not page.may_change:
        return links.to_booking(key)
    if request.method != "POST":
        return render(request, "drives/public/cancel.html", bookings.booking_context(page))
    now = timezone.now()
    return _act(
        request,
        key,
        lambda: changing.cancel(booking_id=page.booking.pk, actor=DONOR, by=CancelledBy.DONOR, now=now),
    )


@never_cache
@links.acts
def restore(request: HttpRequest, key: str) -> HttpResponse:
    """Undo the cancellation, if nobody has taken the place."""
    page = links.page_or_404(request, key)
    return _act(request, key, lambda: changing.restore(booking_id=page.booking.pk, actor=DONOR, now=timezone.now()))


@never_cache
@links.acts
def confirm(request: HttpRequest, key: str) -> HttpResponse:
    """The donor says that they are coming."""
    page = links.page_or_404(request, key)
    return _act(request, key, lambda: changing.confirm(booking_id=page.booking.pk, actor=DONOR, now=timezone.now()))


@never_cache
@links.acts
def send_again(request: HttpRequest, key: str) -> HttpResponse:
    """The confirmation once more, with the link."""
    page = links.page_or_404(request, key)
    try:
        resending.send_again(booking_id=page.booking.pk, now=timezone.now())
    except ValidationError as refusal:
        status = 409 if isinstance(refusal, Refusal) else forms.status_of(refusal)
        return forms.answered(bookings.manage(request, page, refusal, status), refusal)
    return links.to_booking(key, "sent=1")


def _act(request: HttpRequest, key: str, act: Callable[[], Booking]) -> HttpResponse:
    try:
        act()
    except ValidationError as refusal:
        return bookings.manage(request, links.page_or_404(request, key), refusal, 409)
    return links.to_booking(key)
