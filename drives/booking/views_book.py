"""The page to enter the details of one to six people for a chosen time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from drives.booking import corrections, forms, hold, queries, rules, views_links, views_rebook
from drives.booking import party as booking_party
from drives.booking.forms import DetailsForm
from drives.booking.queries import BookingPage
from drives.capacity import availability, counters
from drives.domain import rules as domain_rules
from drives.eligibility import self_check
from drives.models import Booking, BookingState, Drive
from drives.models.booking import BookingQuerySet
from drives.public import queries as public_queries
from drives.public import times, views_donor
from drives.public.queries import DrivePage
from drives.public.times import PartyRequest
from drives.refusals import HoldLapsed, OpenTime, Refusal
from drives.web import choices, form_errors, link_cookies, share_cookie, visitor
from notifications.models import Purpose
from organizations.models import linked_model
from volunteers import consent_texts

NEW = "new"  # marks a form for another booking, although this browser already has a hold


@dataclass
class BookingDetails:
    page: DrivePage
    form: DetailsForm
    wanted: PartyRequest
    slot_id: int | None
    alternatives: Sequence[OpenTime] = ()
    is_time_refused: bool = False
    is_too_close: bool = False  # to the self-reported donation; keep the chosen time, because the date may be a typo
    status: int = 200
    corrected: Sequence[Booking] = ()  # the held party whose details are corrected

    @property
    def action(self) -> str:
        if self.corrected:
            return reverse("booking_details", args=[self.corrected[0].reference])
        return reverse("book", args=[self.page.drive.slug])

    @property
    def is_other_time(self) -> bool:
        return bool(self.corrected) and booking_party.find_first_arrival(self.corrected).arrival_id != self.slot_id

    def find_time(self) -> OpenTime | None:
        if self.is_time_refused or self.slot_id is None:
            return None
        if self.corrected and not self.is_other_time and self.wanted.people <= len(self.corrected):
            return OpenTime(self.slot_id, tuple(booking.starts_at for booking in self.corrected[: self.wanted.people]))
        return times.find_chosen_time(self._list_times(), self.slot_id)

    def list_offered_times(self, time: OpenTime | None) -> Sequence[OpenTime]:
        if self.is_too_close:
            return self.alternatives
        if time is not None:
            return ()
        drive, visits = self.page.drive, self.wanted.visits
        around = self.corrected[0].starts_at if self.corrected else None
        return self.alternatives or availability.list_nearest_times(
            drive, visits, around, timezone.now(), self._released()
        )

    def _list_times(self) -> Sequence[OpenTime]:
        if not self.corrected:
            return times.list_party_times(self.page, self.wanted, timezone.now())
        return availability.list_open_times(self.page.drive, self.wanted.visits, timezone.now(), self._released())

    def _released(self) -> counters.Deltas | None:
        return counters.compute_released_deltas(self.corrected) if self.corrected else None


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def book_slot(request: HttpRequest, slug: str) -> HttpResponse:
    page = public_queries.load_drive_page(slug, timezone.now())
    if page is None:
        raise Http404
    if request.method != "POST":
        return _show_empty_form(request, page)
    return _submit_form(request, page, _find_repeated_hold(request, page))


def _show_empty_form(request: HttpRequest, page: DrivePage) -> HttpResponse:
    wanted, slot_id = times.parse_party_request(request.GET), times.parse_slot_id(request.GET.get("slot", ""))
    if slot_id is not None and NEW not in request.GET and (parties := _list_held_parties(request, page)):
        return _redirect_to_held_details(request, parties, wanted, slot_id)
    if slot_id is None or page.is_full:
        return views_donor.redirect_to_drive(page, wanted)
    is_alone = wanted.people == 1 and NEW not in request.GET
    if is_alone and (donors := views_rebook.list_known_donors(request, page)):
        return views_rebook.render_rebooking(request, page, donors, wanted.visit, slot_id)
    initial: dict[str, Any] = {"confirmed": views_donor.parse_self_check_result(request) == "yes"}
    visits: Sequence[str] = wanted.visits
    if lapsed := _find_lapsed_hold(request, page):
        party = queries.list_unfinished_party(lapsed)
        initial, visits = forms.build_typed_initial(party), forms.merge_visits(party, wanted)
    form = DetailsForm(visits=visits, initial={**initial, "slot": slot_id})
    return _render_details(request, BookingDetails(page, form, wanted, slot_id))


def _redirect_to_held_details(
    request: HttpRequest, parties: Sequence[Sequence[Booking]], wanted: PartyRequest, slot_id: int
) -> HttpResponse:
    """Redirect to this browser's hold, so that the donor does not make a second one.

    Prefer the hold at this time, then the newest.
    """
    at_slot = (party for party in parties if booking_party.find_first_arrival(party).arrival_id == slot_id)
    party, query = next(at_slot, parties[0]), request.GET.copy()
    if wanted.people < len(party):  # one person is the default of the list of times, not a choice
        for name in ("visit", "people", "first"):
            query.pop(name, None)
    return redirect(f"{reverse('booking_details', args=[party[0].reference])}?{query.urlencode()}")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def correct_details(request: HttpRequest, key: str) -> HttpResponse:
    """Show the typed details of a hold and its party, and save corrections.

    Redirects to the booking's page if there is no hold anymore. If the hold lapsed before the donor sent a correction,
    hold the time again with the typed details.
    """
    held = views_links.get_booking_page_or_404(request, key)
    page = public_queries.load_drive_page(held.booking.drive.slug, timezone.now())
    is_sent_late = request.method == "POST" and held.has_run_out
    if page is None or held.booking.registration is None or not (held.held or is_sent_late):
        return views_links.redirect_to_booking(key)
    if is_sent_late:
        return _submit_form(request, page, _find_repeated_hold(request, page), is_held_again=True)
    leader = held.party.leader or held.booking
    if leader.pk != held.booking.pk:
        return redirect("booking_details", leader.reference)
    return _submit_form(request, page, held.booking) if request.method == "POST" else _show_typed(request, page, held)


def _show_typed(request: HttpRequest, page: DrivePage, held: BookingPage) -> HttpResponse:
    party = queries.list_unfinished_party(held.booking)
    visits: Sequence[str] = [one.visit for one in party]
    wanted = PartyRequest.from_visits(visits)
    if "people" in request.GET or "visit" in request.GET:
        wanted = times.parse_party_request(request.GET)
        visits = forms.merge_visits(party, wanted)
    slot_id = times.parse_slot_id(request.GET.get("slot", "")) or booking_party.find_first_arrival(party).arrival_id
    initial = {**forms.build_typed_initial(party), "slot": slot_id}
    form = DetailsForm(visits=visits, initial=initial)
    return _render_details(request, BookingDetails(page, form, wanted, slot_id, corrected=party))


def _submit_form(
    request: HttpRequest, page: DrivePage, held: Booking | None = None, *, is_held_again: bool = False
) -> HttpResponse:
    """Hold the time for the typed details, or correct the hold that this browser already has."""
    choices.read_choice(request, "people", [str(size) for size in domain_rules.PARTY_SIZES], default="1")
    wanted = times.parse_party_request(request.POST)
    form = DetailsForm(request.POST, visits=wanted.visits)
    details = BookingDetails(page, form, wanted, times.parse_slot_id(request.POST.get("slot", "")), status=422)
    details.corrected = queries.list_unfinished_party(held) if held else ()
    if details.slot_id is None:
        form.add_error("slot", times.format_choose_time())
    if not form.is_valid():
        return _render_details(request, details)
    browser = visitor.read_or_create_browser_token(request)
    try:
        party = _correct_hold(request, details, browser) if held else _hold_bookings(request, details, browser)
    except HoldLapsed:
        # Another tab may have verified or removed the hold meanwhile.
        if held and not queries.has_run_out(Booking.objects.get(pk=held.pk), timezone.now()):
            return views_links.redirect_to_booking(held.reference)
        return _submit_form(request, page, is_held_again=True)
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
        news = "moved" if details.is_other_time else "corrected" if held else "held_again" if is_held_again else ""
        response = views_links.redirect_to_booking(party[0].reference, f"{news}=1" if news else "")
        link_cookies.BOOKINGS.add_tokens(response, request, *(booking.token for booking in party))
        visitor.set_browser_cookie(response, browser)
        return response
    return _render_details(request, details)


def render_expired_form(request: HttpRequest) -> HttpResponse | None:
    """Show the typed details again after the browser lost its cookies. Save nothing.

    Return None if the request is for another page, or has no known slot.
    """
    if request.resolver_match is None or request.resolver_match.url_name not in ("book", "booking_details"):
        return None
    slot_id, wanted = times.parse_slot_id(request.POST.get("slot", "")), times.parse_party_request(request.POST)
    slug = Drive.objects.filter(slots=slot_id).values_list("slug", flat=True).first() if slot_id else None
    page = public_queries.load_drive_page(slug, timezone.now()) if slug else None
    if page is None:
        return None
    form = DetailsForm(request.POST, visits=wanted.visits)
    form.add_error(None, _("This page was open too long, so nothing was saved. Check your details, then continue."))
    return _render_details(request, BookingDetails(page, form, wanted, slot_id, status=403))


def _find_repeated_hold(request: HttpRequest, page: DrivePage) -> Booking | None:
    """Return the hold from an earlier submission of this form, so that the form corrects it.

    For a party, this is the leader's hold. The donor may have corrected the name or the contact, so one of the two must
    match. A form for another booking (`NEW`) often has the same contact, so its name must match.
    """
    slot_id = times.parse_slot_id(request.POST.get("slot", ""))
    leaders = (
        party[0]
        for party in _list_held_parties(request, page)
        if booking_party.find_first_arrival(party).arrival_id == slot_id
    )
    typed, is_new = request.POST, NEW in request.POST
    return next(
        (
            leader
            for leader in leaders
            if forms.matches_name(typed, leader) or (not is_new and forms.matches_contact(typed, leader))
        ),
        None,
    )


def _list_held_parties(request: HttpRequest, page: DrivePage) -> list[list[Booking]]:
    """List the parties that this browser holds at the drive, newest first. Each starts with its leader. One query."""
    parties: dict[UUID, list[Booking]] = {}
    rows = _filter_own_bookings(request, page).held(timezone.now())
    for booking in rows.select_related("registration").order_by("pk"):
        parties.setdefault(booking.party or booking.uuid, []).append(booking)
    return list(reversed(parties.values()))


def _find_lapsed_hold(request: HttpRequest, page: DrivePage) -> Booking | None:
    """Find this browser's newest hold at the drive that lapsed within the last hour."""
    now = timezone.now()
    if NEW in request.GET:
        return None
    lapsed = _filter_own_bookings(request, page).filter(
        queries.HAS_RUN_OUT | Q(state=BookingState.HELD),
        registration__isnull=False,
        held_until__gt=now - rules.TYPED_KEPT_FOR,
        held_until__lte=now,
    )
    return lapsed.select_related("registration").order_by("-held_until", "pk").first()


def _filter_own_bookings(request: HttpRequest, page: DrivePage) -> BookingQuerySet:
    tokens = link_cookies.BOOKINGS.read_tokens(request)
    if not tokens:
        return Booking.objects.none()  # skip the query
    return Booking.objects.filter(link_hash__in=map(linked_model.hash_token, tokens), drive=page.drive)


def _hold_bookings(request: HttpRequest, details: BookingDetails, browser: str) -> list[Booking]:
    return hold.hold_bookings(
        drive=details.page.drive,
        share_code=share_cookie.read_share_code(request),
        **_build_typed_arguments(request, details, browser),
    )


def _correct_hold(request: HttpRequest, details: BookingDetails, browser: str) -> list[Booking]:
    return corrections.correct_hold(
        booking_id=details.corrected[0].pk, **_build_typed_arguments(request, details, browser)
    )


def _build_typed_arguments(request: HttpRequest, details: BookingDetails, browser: str) -> dict[str, Any]:
    return {
        "slot_id": details.slot_id,
        "visit": details.form.cleaned_data["visit"],
        "person": details.form.person(details.page.drive.policy),
        "companions": details.form.companions(),
        "ip": visitor.find_ip_address(request),
        "bound_to": visitor.compute_browser_digest(browser),
        "browser_token": browser,
        "now": timezone.now(),
    }


def _render_details(request: HttpRequest, details: BookingDetails) -> HttpResponse:
    drive, time, wanted = details.page.drive, details.find_time(), details.wanted
    language, offered = translation.get_language() or "en", details.list_offered_times(time)
    context = {
        **views_donor.build_drive_context(details.page),
        "form": details.form,
        "action": details.action,
        "is_new": NEW in request.GET or NEW in request.POST,
        "moved_from": booking_party.find_first_arrival(details.corrected) if details.is_other_time else None,
        "check_page": reverse("booking", args=[details.corrected[0].reference]) if details.corrected else "",
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
