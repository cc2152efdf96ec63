"""The page on which a donor enters the details of one to six people for a chosen time."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from drives.booking import forms, hold, rules, views_links, views_rebook
from drives.booking.forms import DetailsForm
from drives.booking.queries import BookingPage
from drives.capacity import availability
from drives.domain import rules as domain_rules
from drives.eligibility import self_check
from drives.models import Booking, BookingState, Visit
from drives.public import queries as public_queries
from drives.public import times, views_donor
from drives.public.queries import DrivePage
from drives.public.times import PartyRequest
from drives.refusals import HoldLapsed, OpenTime, Refusal
from drives.web import choices, form_errors, link_cookies, share_cookie, visitor
from drives.web.link_cookies import LinkCookie
from notifications.models import Purpose
from organizations.models import linked_model
from volunteers import consent_texts


@dataclass
class BookingDetails:
    page: DrivePage
    form: DetailsForm
    wanted: PartyRequest
    slot_id: int | None
    alternatives: Sequence[OpenTime] = ()
    is_time_refused: bool = False
    is_too_close: bool = False  # to the self-reported donation; the chosen time is kept, because the date may be a typo
    status: int = 200
    held: BookingPage | None = None  # the hold whose details are corrected; it keeps its time

    @property
    def action(self) -> str:
        return (
            reverse("booking_details", args=[self.held.key])
            if self.held
            else reverse("book", args=[self.page.drive.slug])
        )

    def time(self) -> OpenTime | None:
        if self.held:
            booking = self.held.booking
            return OpenTime(booking.arrival_id, (booking.starts_at,))
        if self.is_time_refused:
            return None
        return times.find_chosen_time(times.list_party_times(self.page, self.wanted, timezone.now()), self.slot_id)

    def offered(self, time: OpenTime | None) -> Sequence[OpenTime]:
        if self.is_too_close:
            return self.alternatives
        if time is not None:
            return ()
        drive, visits = self.page.drive, self.wanted.visits
        return self.alternatives or availability.list_nearest_times(drive, visits, None, timezone.now())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def book_slot(request: HttpRequest, slug: str) -> HttpResponse:
    page = public_queries.load_drive_page(slug, timezone.now())
    if page is None:
        raise Http404
    return _submit_form(request, page) if request.method == "POST" else _show_empty_form(request, page)


def _show_empty_form(request: HttpRequest, page: DrivePage) -> HttpResponse:
    wanted, slot_id = times.parse_party_request(request.GET), times.parse_slot_id(request.GET.get("slot", ""))
    if held := _find_held_reference(request, page, slot_id):
        return redirect("booking_details", held)
    if slot_id is None or page.is_full:
        return views_donor.redirect_to_drive(page, wanted)
    is_alone = wanted.people == 1 and "new" not in request.GET
    if is_alone and (donors := views_rebook.list_known_donors(request, page)):
        return views_rebook.render_rebooking(request, page, donors, wanted.visit, slot_id)
    initial = {"slot": slot_id, "confirmed": views_donor.parse_self_check_result(request) == "yes"}
    if lapsed := _find_lapsed_hold(request, page):
        initial = {**forms.build_typed_initial(lapsed), "slot": slot_id}
    return _render_details(
        request, BookingDetails(page, DetailsForm(visits=wanted.visits, initial=initial), wanted, slot_id)
    )


def _submit_form(request: HttpRequest, page: DrivePage) -> HttpResponse:
    choices.read_choice(request, "people", [str(size) for size in domain_rules.PARTY_SIZES], default="1")
    wanted = times.parse_party_request(request.POST)
    form = DetailsForm(request.POST, visits=wanted.visits)
    details = BookingDetails(page, form, wanted, times.parse_slot_id(request.POST.get("slot", "")), status=422)
    if details.slot_id is None:
        form.add_error("slot", times.format_choose_time())
    if not form.is_valid():
        return _render_details(request, details)
    browser = visitor.read_or_create_browser_token(request)
    try:
        held = _hold_bookings(request, details, browser)
    except Refusal as refusal:
        details.alternatives, details.status = refusal.alternatives, 409
        details.is_too_close = forms.is_too_close(refusal)
        details.is_time_refused = forms.is_about_time(refusal) and not details.is_too_close
        form.refuse(refusal)
    except ValidationError as problem:
        details.status = form_errors.compute_http_status(problem)
        form.refuse(problem)
        return form_errors.add_retry_after(_render_details(request, details), problem)
    else:
        response = views_links.redirect_to_booking(held[0].reference)
        link_cookies.BOOKINGS.add_tokens(response, request, *(booking.token for booking in held))
        _held_cookie(page).add_tokens(response, request, *(booking.token for booking in held[:1]))
        visitor.set_browser_cookie(response, browser)
        return response
    return _render_details(request, details)


def _held_cookie(page: DrivePage) -> LinkCookie:
    # The browser's Back button leads to the form, which must show what was typed instead of making a second hold.
    return LinkCookie("held", reverse("book", args=[page.drive.slug]))


def _find_held_reference(request: HttpRequest, page: DrivePage, slot_id: int | None) -> str | None:
    held = _filter_own_holds(request, page).filter(arrival=slot_id, state=BookingState.HELD, party=None)
    live = held.filter(held_until__gt=timezone.now())
    return live.order_by("-pk").values_list("reference", flat=True).first()


def _find_lapsed_hold(request: HttpRequest, page: DrivePage) -> Booking | None:
    """Find this browser's newest hold at the drive that lapsed within the last hour."""
    now = timezone.now()
    lapsed = _filter_own_holds(request, page).filter(
        state__in=(BookingState.HELD, BookingState.LAPSED),
        registration__isnull=False,
        held_until__gt=now - rules.TYPED_KEPT_FOR,
        held_until__lte=now,
    )
    return lapsed.select_related("registration").order_by("-pk").first()


def _filter_own_holds(request: HttpRequest, page: DrivePage) -> QuerySet[Booking]:
    tokens = () if "new" in request.GET else _held_cookie(page).read_tokens(request)
    if not tokens:
        return Booking.objects.none()  # without a query
    return Booking.objects.filter(link_hash__in=map(linked_model.hash_token, tokens), drive=page.drive)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def correct_details(request: HttpRequest, key: str) -> HttpResponse:
    """Show a form with what the donor typed for a hold, and save the corrections.

    Redirects to the booking's page if the hold has lapsed, is verified, or belongs to a party.
    """
    held = views_links.get_booking_page_or_404(request, key)
    page = public_queries.load_drive_page(held.booking.drive.slug, timezone.now())
    if page is None or not held.held or held.booking.registration is None or held.booking.party:
        return views_links.redirect_to_booking(key)
    wanted = PartyRequest(Visit(held.booking.visit))
    form = forms.build_correction_form(held.booking, request.POST if request.method == "POST" else None)
    details = BookingDetails(page, form, wanted, held.booking.arrival_id, held=held)
    if request.method != "POST":
        return _render_details(request, details)
    details.status = 422
    if not form.is_valid():
        return _render_details(request, details)
    browser = visitor.read_or_create_browser_token(request)
    try:
        hold.correct_held_details(
            booking_id=held.booking.pk,
            person=form.person(page.drive.policy),
            ip=visitor.find_ip_address(request),
            bound_to=visitor.compute_browser_digest(browser),
            browser_token=browser,
            now=timezone.now(),
        )
    except HoldLapsed:
        return views_links.redirect_to_booking(key)
    except ValidationError as problem:
        details.status = form_errors.compute_http_status(problem)
        form.refuse(problem)
        return form_errors.add_retry_after(_render_details(request, details), problem)
    response = views_links.redirect_to_booking(key, "corrected=1")
    visitor.set_browser_cookie(response, browser)
    return response


def _hold_bookings(request: HttpRequest, details: BookingDetails, browser: str) -> list[Booking]:
    assert details.slot_id is not None  # checked by the form
    return hold.hold_bookings(
        drive=details.page.drive,
        slot_id=details.slot_id,
        visit=details.form.cleaned_data["visit"],
        person=details.form.person(details.page.drive.policy),
        companions=details.form.companions(),
        ip=visitor.find_ip_address(request),
        bound_to=visitor.compute_browser_digest(browser),
        browser_token=browser,
        share_code=share_cookie.read_share_code(request),
        now=timezone.now(),
    )


def _render_details(request: HttpRequest, details: BookingDetails) -> HttpResponse:
    drive, time, wanted = details.page.drive, details.time(), details.wanted
    language, offered = translation.get_language() or "en", details.offered(time)
    context = {
        **views_donor.build_drive_context(details.page),
        "form": details.form,
        "action": details.action,
        "wanted": wanted,
        "visit": wanted.visit,
        "people": wanted.people,
        "time": time,
        "is_too_close": details.is_too_close,
        "alternatives": [time for time in offered if not time.other_drive],
        "at_others": [time for time in offered if time.other_drive],
        "self_check": self_check.list_self_check_sentences(drive),
        "reminders_wording": consent_texts.render_consent_text(Purpose.REMINDERS, language, drive.organization)[1],
        "appeals_wording": consent_texts.render_consent_text(Purpose.NEWS, language, drive.organization)[1],
    }
    return render(request, "drives/booking/book.html", context, status=details.status)
