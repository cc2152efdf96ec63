"""The form for a self-reported donation on the donor's booking page."""

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache

from drives.booking import self_reported, views_donor, views_links
from drives.booking.queries import BookingPage
from drives.booking.views_links import DONOR
from drives.eligibility import self_reported as eligibility_self_reported
from drives.eligibility.forms import SelfReportedForm
from drives.refusals import Refusal
from drives.web.code_page import CodeForm


@never_cache
@views_links.require_booking_post
def change_own_self_reported(request: HttpRequest, key: str) -> HttpResponse:
    page, form = views_links.get_booking_page_or_404(request, key), SelfReportedForm(request.POST)
    booking = page.booking
    if page.held:
        return _correct_held(request, page, form)
    if booking.volunteer is None:
        return views_links.redirect_to_booking(key)
    if form.is_valid():
        try:
            eligibility_self_reported.change_self_reported(
                volunteer=booking.volunteer,
                drive=booking.drive,
                reported=form.self_reported,
                actor=DONOR,
                now=timezone.now(),
            )
        except ValidationError as problem:
            form.add_error("self_reported_on", problem.messages)
        else:
            return views_links.redirect_to_booking(key, "elsewhere=1")
    errors_shown = [str(error) for errors in form.errors.values() for error in errors]
    return views_donor.render_booking_page(request, page, ValidationError(errors_shown), 422, form)


def _correct_held(request: HttpRequest, page: BookingPage, form: SelfReportedForm) -> HttpResponse:
    problem: ValidationError | None = None
    if form.is_valid():
        try:
            self_reported.correct_self_reported(
                booking_id=page.booking.pk, reported=form.self_reported, actor=DONOR, now=timezone.now()
            )
        except Refusal as refusal:
            problem = refusal
        except ValidationError as refusal:
            form.add_error("self_reported_on", refusal.messages)
    if problem is None and form.is_valid():
        return views_links.redirect_to_booking(page.key)
    errors_shown = problem or ValidationError([str(error) for errors in form.errors.values() for error in errors])
    return views_donor.render_hold_again(request, page.key, CodeForm(data={}), errors_shown, form)
