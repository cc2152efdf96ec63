"""A family or a group: their details, one of them taken out, all of them cancelled."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from drives.booking import changes, forms, party, party_changes, queries, views_donor, views_links
from drives.booking.forms import PartyForm
from drives.booking.queries import BookingPage
from drives.booking.views_links import DONOR
from drives.capacity import availability
from drives.eligibility import self_check
from drives.models import Booking, CancelledBy, Visit
from drives.public import queries as public_queries
from drives.public import times
from drives.public import views_donor as public_views_donor
from drives.public.queries import DrivePage
from drives.refusals import HoldLapsed, OpenTime, Refusal
from drives.web import form_errors, keys, visitor
from drives.web.code_page import CodeForm
from notifications.models import Purpose
from volunteers import notices


@dataclass
class Details:
    """The page as it stands: how many, the form, the time of the first, and other times if that one is gone."""

    page: DrivePage
    people: int
    first: int
    visit: str  # of whoever books
    slot_id: int
    form: PartyForm
    alternatives: Sequence[OpenTime] = ()
    is_time_refused: bool = False
    status: int = 200

    @property
    def time(self) -> OpenTime | None:
        """When they would come, as things stand now."""
        if self.is_time_refused:
            return None
        visits = times.visits_of(self.people, self.first)
        found = availability.open_times(self.page.drive, visits, timezone.now())
        return next((time for time in found if time.slot_id == self.slot_id), None)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask for names and one contact; keep the places for whoever sends them. Nothing is kept while somebody reads."""
    page = public_queries.drive_page(slug, timezone.now())
    if page is None:
        raise Http404
    asked = request.POST if request.method == "POST" else request.GET
    people = times.people_asked(asked.get("people", ""))
    first = times.first_asked(asked.get("first", ""), people)
    visit = Visit.FIRST if asked.get("visit") == Visit.FIRST else Visit.RETURN
    slot_id = times.slot_asked(asked.get("slot", ""))
    if people < 2 or slot_id is None or page.is_full:
        address = reverse("drive", args=[page.drive.slug])
        return redirect(f"{address}?people={people}&first={first}&visit={visit}&choose=1#times")
    kinds = times.visits_of(people, first, visit)
    form = PartyForm(request.POST or None, visits=kinds, initial={"slot": slot_id})
    details = Details(page, people, first, visit, slot_id, form)
    return _keep(request, details) if request.method == "POST" else _show(request, details)


def _keep(request: HttpRequest, details: Details) -> HttpResponse:
    form, details.status = details.form, 422
    if not form.is_valid():
        return _show(request, details)
    browser = visitor.browser_or_new(request)
    try:
        held = _hold(request, details, browser)
    except Refusal as refusal:
        details.alternatives, details.status = refusal.alternatives, 409
        details.is_time_refused = forms.another_time_helps(refusal)
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


def _hold(request: HttpRequest, details: Details, browser: str) -> list[Booking]:
    drive = details.page.drive
    return party.hold(
        drive=drive,
        slot_id=details.slot_id,
        people=details.form.people(),
        contact=details.form.person(drive.policy),
        ip=visitor.ip_of(request),
        bound_to=visitor.bound_to(browser),
        browser_token=browser,
        now=timezone.now(),
    )


def _show(request: HttpRequest, details: Details) -> HttpResponse:
    drive, time = details.page.drive, details.time
    language = translation.get_language() or "en"
    back = QueryDict(mutable=True)
    back.update({"visit": details.visit, "people": str(details.people), "first": str(details.first)})
    context = {
        **public_views_donor.drive_context(details.page),
        "form": details.form,
        "people": details.people,
        "first": details.first,
        "visit": details.visit,
        "back": back.urlencode(),
        "time": time,
        "alternatives": details.alternatives if time is None else (),
        "confirms": self_check.asked_of(drive),
        "reminders_wording": notices.consent_wording(Purpose.REMINDERS, language, drive.organization)[1],
        "appeals_wording": notices.consent_wording(Purpose.APPEALS, language, drive.organization)[1],
    }
    return render(request, "drives/booking/together.html", context, status=details.status)


@never_cache
@views_links.acts
def take_out(request: HttpRequest, key: str) -> HttpResponse:
    """One person of a party that is not booked yet does not come; the others' places are kept on."""
    page = views_links.page_or_404(request, key)
    if page.held:
        changes.cancel(booking_id=page.booking.pk, actor=DONOR, by=CancelledBy.DONOR, now=timezone.now())
    others = [member.booking for member in page.party.members if member.booking.pk != page.booking.pk]
    return views_links.to_booking(others[0].reference if others else key)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def move_all(request: HttpRequest, key: str) -> HttpResponse:
    """Another time for everybody of a party: as the check page proposed it, or chosen by who booked for all."""
    page = views_links.page_or_404(request, key)
    may_choose = not page.held and page.party.is_shown and page.party.may_change_all
    if request.method != "POST" or not (page.held or may_choose):
        return _choose_for_all(request, page) if may_choose else views_links.to_booking(key)
    try:
        slot_id = times.slot_asked(request.POST.get("slot", ""))
        if slot_id is None:
            raise ValidationError(times.choose_one())
        party_changes.move_all(booking_id=page.booking.pk, slot_id=slot_id, actor=DONOR, now=timezone.now())
    except HoldLapsed:
        return views_links.to_booking(key)
    except ValidationError as refusal:
        if page.held:
            return views_donor.still_held(request, key, CodeForm(data={}), refusal)
        return _choose_for_all(request, views_links.page_or_404(request, key), refusal)
    return views_links.to_booking(key, "" if page.held else "moved=1")


def _choose_for_all(request: HttpRequest, page: BookingPage, refusal: ValidationError | None = None) -> HttpResponse:
    drive = page.booking.drive
    found = queries.times_to_move(page.party.who_may_change, timezone.now())
    context = {
        **views_donor.booking_context(page),
        "group": page.party.who_may_change,
        "parts": times.parts_of_day(found, drive),
        "problems": refusal.messages if refusal else (),
        **forms.proposed_by(refusal),
    }
    return render(request, "drives/booking/move.html", context, status=409 if refusal else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def cancel_all(request: HttpRequest, key: str) -> HttpResponse:
    """Give up the places of everybody who was booked together; only on the page of who leads them."""
    page = views_links.page_or_404(request, key)
    if not page.party.is_shown:
        return views_links.to_booking(key)
    if request.method == "POST":
        party.cancel_all(booking_id=page.booking.pk, actor=DONOR, by=CancelledBy.DONOR, now=timezone.now())
        return views_links.to_booking(key)
    return render(request, "drives/booking/cancel_all.html", views_donor.booking_context(page))
