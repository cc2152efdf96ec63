"""Book: the details of one to six people for a chosen time."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from drives.booking import forms, hold, views_links, views_rebook
from drives.booking.forms import DetailsForm
from drives.capacity import availability
from drives.eligibility import self_check
from drives.models import Booking
from drives.public import queries as public_queries
from drives.public import times, views_donor
from drives.public.queries import DrivePage
from drives.public.times import Wanted
from drives.refusals import OpenTime, Refusal
from drives.web import form_errors, keys, visitor
from notifications.models import Purpose
from volunteers import notices


@dataclass
class Details:
    """The page as it stands: the form, the time it is about, and other times if that one is gone."""

    page: DrivePage
    form: DetailsForm
    wanted: Wanted
    slot_id: int | None
    alternatives: Sequence[OpenTime] = ()
    is_time_refused: bool = False
    is_too_close: bool = False  # to a donation that was typed: the time may stay if that was mistyped
    status: int = 200

    def time(self) -> OpenTime | None:
        """The chosen time, while it is still open."""
        if self.is_time_refused:
            return None
        return times.chosen(times.open_times(self.page, self.wanted, timezone.now()), self.slot_id)

    def offered(self, time: OpenTime | None) -> Sequence[OpenTime]:
        """The nearest times, while the chosen one is not to be had."""
        if self.is_too_close:
            return self.alternatives
        if time is not None:
            return ()
        drive, visits = self.page.drive, self.wanted.visits
        return self.alternatives or availability.nearest_times(drive, visits, None, timezone.now())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for names and one contact, and hold the places once they are sent. A page that is only read holds nothing."""
    page = public_queries.drive_page(slug, timezone.now())
    if page is None:
        raise Http404
    return _hold(request, page) if request.method == "POST" else _ask(request, page)


def _ask(request: HttpRequest, page: DrivePage) -> HttpResponse:
    wanted, slot_id = times.wanted(request.GET), times.slot_asked(request.GET.get("slot", ""))
    if slot_id is None or page.is_full:
        return views_donor.to_drive(page, wanted)
    is_alone = wanted.people == 1 and "new" not in request.GET
    if is_alone and (donors := views_rebook.known_donors(request, page)):
        return views_rebook.check(request, page, donors, wanted.visit, slot_id)
    initial = {"slot": slot_id, "confirmed": views_donor.result_asked(request) == "yes"}
    return _show(request, Details(page, DetailsForm(visits=wanted.visits, initial=initial), wanted, slot_id))


def _hold(request: HttpRequest, page: DrivePage) -> HttpResponse:
    wanted = times.wanted(request.POST)
    form = DetailsForm(request.POST, visits=wanted.visits)
    details = Details(page, form, wanted, times.slot_asked(request.POST.get("slot", "")), status=422)
    if details.slot_id is None:
        form.add_error("slot", times.choose_one())
    if not form.is_valid():
        return _show(request, details)
    browser = visitor.browser_or_new(request)
    try:
        held = _bookings(request, details, browser)
    except Refusal as refusal:
        details.alternatives, details.status = refusal.alternatives, 409
        details.is_too_close = forms.is_too_close(refusal)
        details.is_time_refused = forms.another_time_helps(refusal) and not details.is_too_close
        form.refuse(refusal)
    except ValidationError as problem:
        details.status = form_errors.status_of(problem)
        form.refuse(problem)
        return form_errors.answered(_show(request, details), problem)
    else:
        response = views_links.to_booking(held[0].reference)
        keys.BOOKINGS.add(response, request, *(booking.token for booking in held))
        visitor.remember(response, browser)
        return response
    return _show(request, details)


def _bookings(request: HttpRequest, details: Details, browser: str) -> list[Booking]:
    assert details.slot_id is not None  # asked before
    return hold.hold_bookings(
        drive=details.page.drive,
        slot_id=details.slot_id,
        visit=details.form.cleaned_data["visit"],
        person=details.form.person(details.page.drive.policy),
        companions=details.form.companions(),
        ip=visitor.ip_of(request),
        bound_to=visitor.bound_to(browser),
        browser_token=browser,
        now=timezone.now(),
    )


def _show(request: HttpRequest, details: Details) -> HttpResponse:
    drive, time, wanted = details.page.drive, details.time(), details.wanted
    language, offered = translation.get_language() or "en", details.offered(time)
    context = {
        **views_donor.drive_context(details.page),
        "form": details.form,
        "wanted": wanted,
        "visit": wanted.visit,
        "people": wanted.people,
        "time": time,
        "is_too_close": details.is_too_close,
        "alternatives": [time for time in offered if not time.elsewhere],
        "at_others": [time for time in offered if time.elsewhere],
        "confirms": self_check.asked_of(drive),
        "reminders_wording": notices.consent_wording(Purpose.REMINDERS, language, drive.organization)[1],
        "appeals_wording": notices.consent_wording(Purpose.APPEALS, language, drive.organization)[1],
    }
    return render(request, "drives/booking/book.html", context, status=details.status)
