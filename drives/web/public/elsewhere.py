"""What a donor gave somewhere else, said on the page of a booking."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from drives.actions import stating
from drives.web.public.bookings import manage
from drives.web.public.links import DONOR, acts, page_or_404, to_booking
from drives.web.stated_form import StatedForm


@never_cache
@acts
def state(request: HttpRequest, key: str) -> HttpResponse:
    """Keep, change or take back the last donation elsewhere; the page then says whether the booking is too close."""
    page, form = page_or_404(request, key), StatedForm(request.POST)
    booking = page.booking
    if booking.volunteer is None:
        return to_booking(key)
    if form.is_valid():
        try:
            stating.state(
                volunteer=booking.volunteer,
                drive=booking.drive,
                stated=form.stated,
                actor=DONOR,
                now=timezone.now(),
            )
        except ValidationError as problem:
            form.add_error("stated_on", problem.messages)
        else:
            return to_booking(key, "elsewhere=1")
    said = [str(error) for errors in form.errors.values() for error in errors]
    return manage(request, page, ValidationError(said), 422, form)
