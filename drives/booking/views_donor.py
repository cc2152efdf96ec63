"""A donor's booking: check and confirm while it is kept, and everything about it afterwards."""

from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import segno
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from drives.booking import changes, forms, reminder_sentence, verify, views_links
from drives.booking.queries import BookingPage
from drives.calendars import events, ical
from drives.capacity import visits
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.forms import StatedForm
from drives.messaging import views_agreements
from drives.models import Booking, BookingState, StatedDonation
from drives.refusals import Refusal
from drives.web import code_page, links
from drives.web.code_page import CodeForm
from volunteers import queries as volunteers_queries

CONFIRM_WITHIN = timedelta(days=4)  # before, whoever has just booked need not say it again


@never_cache
@require_safe
@views_links.swapped
def booking(request: HttpRequest, key: str) -> HttpResponse:
    """The page behind a booking's link, whatever became of it."""
    page = views_links.page_or_404(request, key)
    if not page.held:
        return manage(request, page)
    leader = page.party.leader
    return (
        _check(request, page, CodeForm())
        if leader in (None, page.booking)
        else views_links.to_booking(leader.reference)
    )


@never_cache
@views_links.acts
def prove(request: HttpRequest, key: str) -> HttpResponse:
    """Book this time: with the code, or in a browser that verified the contact. A second tap answers as the first."""
    page = views_links.page_or_404(request, key)

    def booked(booking: Booking) -> HttpResponse:
        is_other_visit = page.held and booking.visit != page.booking.visit
        return views_links.to_booking(key, "visit=1" if is_other_visit else "")

    action = partial(verify.prove, booking_id=page.booking.pk, whose=code_page.whose(request))
    return code_page.verify(request, action, booked, partial(still_held, request, key))


@never_cache
@views_links.acts
def send_code(request: HttpRequest, key: str) -> HttpResponse:
    """Another code, to the same contact or by e-mail."""
    action = partial(verify.send_code_again, booking_id=views_links.page_or_404(request, key).booking.pk)
    done = partial(views_links.to_booking, key, "sent=1")
    return code_page.send_again(request, action, done, partial(still_held, request, key))


def still_held(
    request: HttpRequest, key: str, form: CodeForm, problem: ValidationError, elsewhere: StatedForm | None = None
) -> HttpResponse:
    """The check page again, with what stands against going on; `elsewhere` is a corrected answer that is wrong too."""
    page = views_links.page_or_404(request, key)
    if not page.held:  # another tap was quicker, or the time is over
        return views_links.to_booking(key)
    return _check(request, page, form, problem, elsewhere)


def _check(
    request: HttpRequest,
    page: BookingPage,
    form: CodeForm,
    problem: ValidationError | None = None,
    elsewhere: StatedForm | None = None,
) -> HttpResponse:
    group = page.party.members if len(page.party.members) > 1 else ()
    is_refused = elsewhere is not None or (isinstance(problem, Refusal) and "other_name" not in problem.codes)
    context = {
        **booking_context(page),
        "typed": page.booking.registration,
        "group": group,
        **forms.proposed_by(problem),
        "minutes": visits.visit_minutes(page.booking),
        "is_refused": is_refused,
        "elsewhere": elsewhere or (_stated_before(page) if is_refused and not group else None),
    }
    shown = code_page.page_of(request, page.booking)
    return code_page.render_page(request, "drives/booking/check.html", shown, form, problem, context)


def _stated_before(page: BookingPage) -> StatedForm | None:
    """What was stated with a hold, to be corrected."""
    kept = StatedDonation.objects.filter(registration=page.booking.registration).first()
    return StatedForm(initial={"stated_kind": kept.kind, "stated_on": kept.on}) if kept else None


def manage(
    request: HttpRequest,
    page: BookingPage,
    problem: ValidationError | None = None,
    status: int = 200,
    elsewhere: StatedForm | None = None,
) -> HttpResponse:
    """The booking's page once it is no hold: how it stands, and what may be done."""
    booking = page.booking
    appointment = events.of_booking(booking)
    has_place = booking.state in (BookingState.BOOKED, BookingState.CONFIRMED)
    context = {
        **booking_context(page),
        "problems": problem.messages if problem else (),
        **forms.proposed_by(problem),
        "has_place": has_place and not page.is_over,
        "asks_to_confirm": page.may_confirm and booking.starts_at - timezone.now() <= CONFIRM_WITHIN,
        "moved": "moved" in request.GET,
        "sent": "sent" in request.GET,
        "visit_is_other": "visit" in request.GET,
        "minutes": visits.visit_minutes(booking),
        "reminders": reminder_sentence.sentence(booking) if has_place else "",
        "may_be_texted": reminder_sentence.may_be_texted(booking),
        "agreed": views_agreements.agreed(booking.volunteer) if booking.volunteer else [],
        "agreed_address": reverse("booking_consent", args=[page.key]),
        "texting_number": volunteers_queries.texting_number(booking.drive.organization),
        "agreed_is_open": "agreed" in request.GET,
        "after": eligibility_queries.after_visit(booking, timezone.now(), everywhere=True),
        "coming": eligibility_queries.coming_of(booking, timezone.now())
        if booking.state == BookingState.DONATED
        else (),
        "new_feed": "new_feed" in request.GET,
        **(_elsewhere(request, page, elsewhere) if has_place and booking.volunteer_id else {}),
        "google_link": ical.google_link(appointment),
        "outlook_link": ical.outlook_link(appointment),
        "qr": qr_code(booking) if has_place else "",
    }
    return render(request, "drives/booking/booking.html", context, status=status)


def _elsewhere(request: HttpRequest, page: BookingPage, typed: StatedForm | None) -> dict[str, Any]:
    """The question about a donation elsewhere with the answer that is kept, and whether the booking is too close."""
    kept = StatedDonation.objects.filter(volunteer=page.booking.volunteer_id).first()
    is_judged = kept and not page.is_over and not page.booking.override_reason
    return {
        "elsewhere": typed or StatedForm(initial={"stated_kind": kept.kind, "stated_on": kept.on} if kept else None),
        "elsewhere_is_open": typed or "elsewhere" in request.GET,
        "too_close": changes.reasons_against(page.booking) if is_judged else (),
    }


def qr_code(booking: Booking) -> SafeString:
    """The way to this booking on the check-in page, for a helper's camera. It opens nothing for anybody else."""
    address = links.absolute(reverse("checkin", args=[booking.drive.slug]))
    code = segno.make(f"{address}?{urlencode({'q': booking.reference})}", error="m", micro=False)
    drawn: str = code.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)
    return mark_safe(drawn)  # noqa: S308  drawn by segno from our own address


def booking_context(page: BookingPage) -> dict[str, Any]:
    """What every page around one booking shows."""
    booking, drive = page.booking, page.booking.drive
    return {
        "page": page,
        "booking": booking,
        "drive": drive,
        "site": drive.site,
        "zone": drive.site.timezone,
        "organization": drive.organization,
    }
