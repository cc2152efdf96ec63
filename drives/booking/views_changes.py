"""Plans changed: another time, no time, the same time again, and the word that somebody is coming."""

from collections.abc import Callable, Sequence

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


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, key: str) -> HttpResponse:
    """Another time of the same drive; the old one is kept until the new one is sure."""
    page = views_links.page_or_404(request, key)
    if not page.may_change:
        return views_links.to_booking(key)
    if request.method != "POST":
        return _choose(request, page)
    slot_id = times.slot_asked(request.POST.get("slot", ""))
    if slot_id is None:
        return _choose(request, page, [times.choose_one()], 422)
    try:
        changes.move(booking_id=page.booking.pk, slot_id=slot_id, actor=DONOR, now=timezone.now())
    except HoldLapsed:
        return views_links.to_booking(key)
    except ValidationError as refusal:
        return _choose(request, page, refusal.messages, 409, refusal)
    return views_links.to_booking(key, "moved=1")


def _choose(
    request: HttpRequest,
    page: BookingPage,
    problems: Sequence[str] = (),
    status: int = 200,
    refusal: ValidationError | None = None,
) -> HttpResponse:
    booking = page.booking
    context = {
        **views_donor.booking_context(page),
        "parts": times.parts_of_day(queries.times_to_move([booking], timezone.now()), booking.drive),
        "problems": problems,
        **forms.proposed_by(refusal),
    }
    return render(request, "drives/booking/move.html", context, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, key: str) -> HttpResponse:
    """Give the place up. The page asks once; the answer can be undone for a quarter of an hour."""
    page = views_links.page_or_404(request, key)
    if not page.may_change:
        return views_links.to_booking(key)
    if request.method != "POST":
        return render(request, "drives/booking/cancel.html", views_donor.booking_context(page))
    now = timezone.now()
    return _act(
        request,
        key,
        lambda: changes.cancel(booking_id=page.booking.pk, actor=DONOR, by=CancelledBy.DONOR, now=now),
    )


@never_cache
@views_links.acts
def restore(request: HttpRequest, key: str) -> HttpResponse:
    """Undo the cancellation, if nobody has taken the place."""
    page = views_links.page_or_404(request, key)
    return _act(request, key, lambda: changes.restore(booking_id=page.booking.pk, actor=DONOR, now=timezone.now()))


@never_cache
@views_links.acts
def confirm(request: HttpRequest, key: str) -> HttpResponse:
    """The donor says that they are coming."""
    page = views_links.page_or_404(request, key)
    return _act(request, key, lambda: changes.confirm(booking_id=page.booking.pk, actor=DONOR, now=timezone.now()))


@never_cache
@views_links.acts
def send_again(request: HttpRequest, key: str) -> HttpResponse:
    """The confirmation once more, with the link."""
    page = views_links.page_or_404(request, key)
    try:
        resend.send_again(booking_id=page.booking.pk, now=timezone.now())
    except ValidationError as refusal:
        page_again = views_donor.manage(request, page, refusal, form_errors.status_of(refusal))
        return form_errors.answered(page_again, refusal)
    return views_links.to_booking(key, "sent=1")


def _act(request: HttpRequest, key: str, act: Callable[[], Booking]) -> HttpResponse:
    try:
        act()
    except ValidationError as refusal:
        return views_donor.manage(request, views_links.page_or_404(request, key), refusal, 409)
    return views_links.to_booking(key)
