"""What a donor gave somewhere else, said on the page of a booking."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from drives.booking import self_reported, views_donor, views_links
from drives.booking.queries import BookingPage
from drives.booking.views_links import DONOR
from drives.eligibility import self_reported as eligibility_self_reported
from drives.eligibility.forms import StatedForm
from drives.refusals import Refusal
from drives.web.code_page import CodeForm


@never_cache
@views_links.acts
def state(request: HttpRequest, key: str) -> HttpResponse:
    """Keep, change or take back the last donation elsewhere; the page then says whether the booking is too close."""
    page, form = views_links.page_or_404(request, key), StatedForm(request.POST)
    booking = page.booking
    if page.held:
        return _correct(request, page, form)
    if booking.volunteer is None:
        return views_links.to_booking(key)
    if form.is_valid():
        try:
            eligibility_self_reported.state(
                volunteer=booking.volunteer,
                drive=booking.drive,
                stated=form.stated,
                actor=DONOR,
                now=timezone.now(),
            )
        except ValidationError as problem:
            form.add_error("stated_on", problem.messages)
        else:
            return views_links.to_booking(key, "elsewhere=1")
    said = [str(error) for errors in form.errors.values() for error in errors]
    return views_donor.manage(request, page, ValidationError(said), 422, form)


def _correct(request: HttpRequest, page: BookingPage, form: StatedForm) -> HttpResponse:
    """Another day or kind for a time that is kept, which the first one forbids: then the check page as it was."""
    problem: ValidationError | None = None
    if form.is_valid():
        try:
            self_reported.correct(booking_id=page.booking.pk, stated=form.stated, actor=DONOR, now=timezone.now())
        except Refusal as refusal:
            problem = refusal
        except ValidationError as refusal:
            form.add_error("stated_on", refusal.messages)
    if problem is None and form.is_valid():
        return views_links.to_booking(page.key)
    said = problem or ValidationError([str(error) for errors in form.errors.values() for error in errors])
    return views_donor.still_held(request, page.key, CodeForm(data={}), said, form)
