"""The donor's booking page. The donor first verifies a hold here, and later manages the booking."""

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

from drives.booking import (
    changes,
    forms,
    friend_invitation,
    hold,
    queries,
    reminder_summary,
    rules,
    verify,
    views_links,
)
from drives.booking.queries import BookingPage
from drives.calendars import events, ical
from drives.capacity import visit_length
from drives.domain import rules as domain_rules
from drives.eligibility import queries as eligibility_queries
from drives.eligibility.forms import SelfReportedForm
from drives.messaging import reach as messaging_reach
from drives.messaging import views_consents
from drives.models import Booking, BookingState, SelfReportedDonation, Visit
from drives.public.times import PartyRequest
from drives.refusals import HoldLapsed, Refusal
from drives.web import code_page, links, visitor
from drives.web.code_page import CodeForm
from notifications import kinds
from notifications.models import Channel
from volunteers import queries as volunteers_queries
from volunteers.limits import RateLimitExceeded


@never_cache
@require_safe
@views_links.redirect_token_link
def show_own_booking(request: HttpRequest, key: str) -> HttpResponse:
    page = views_links.get_booking_page_or_404(request, key)
    if not page.held:
        return render_booking_page(request, page)
    leader = page.party.leader
    return (
        _render_check_page(request, page, CodeForm())
        if leader in (None, page.booking)
        else views_links.redirect_to_booking(leader.reference)
    )


@never_cache
@views_links.require_booking_post
def verify_own_booking(request: HttpRequest, key: str) -> HttpResponse:
    page = views_links.get_booking_page_or_404(request, key)

    def booked(booking: Booking) -> HttpResponse:
        is_other_visit = page.held and booking.visit != page.booking.visit
        return views_links.redirect_to_booking(key, "visit=1" if is_other_visit else "")

    action = partial(
        verify.verify_booking, booking_id=page.booking.pk, booking_for=code_page.parse_person_choice(request)
    )
    return code_page.handle_code_form(request, action, booked, partial(render_hold_again, request, key))


@never_cache
@views_links.require_booking_post
def send_booking_code(request: HttpRequest, key: str) -> HttpResponse:
    action = partial(verify.resend_hold_code, booking_id=views_links.get_booking_page_or_404(request, key).booking.pk)
    done = partial(views_links.redirect_to_booking, key, "sent=1")
    return code_page.handle_resend_form(request, action, done, partial(render_hold_again, request, key))


@never_cache
@views_links.require_booking_post
def extend_own_hold(request: HttpRequest, key: str) -> HttpResponse:
    page = views_links.get_booking_page_or_404(request, key)
    try:
        hold.extend_hold(
            booking_id=page.booking.pk,
            ip=visitor.find_ip_address(request),
            browser_token=visitor.read_browser_token(request),
            now=timezone.now(),
        )
    except HoldLapsed:
        return views_links.redirect_to_booking(key)
    except RateLimitExceeded:
        return views_links.redirect_to_booking(key, "not_extended=1")
    return views_links.redirect_to_booking(key, "extended=1")


def render_hold_again(
    request: HttpRequest, key: str, form: CodeForm, problem: ValidationError, elsewhere: SelfReportedForm | None = None
) -> HttpResponse:
    """Show the code form again, with the error message of `problem`.

    `elsewhere` is the form for the self-reported donation, if that form has errors.
    """
    page = views_links.get_booking_page_or_404(request, key)
    if not page.held:  # already verified by an earlier tap, or lapsed
        return views_links.redirect_to_booking(key)
    return _render_check_page(request, page, form, problem, elsewhere)


def _render_check_page(
    request: HttpRequest,
    page: BookingPage,
    form: CodeForm,
    problem: ValidationError | None = None,
    elsewhere: SelfReportedForm | None = None,
) -> HttpResponse:
    group = page.party.members if len(page.party.members) > 1 else ()
    is_refused = elsewhere is not None or (isinstance(problem, Refusal) and "other_name" not in problem.codes)
    context = {
        **build_booking_context(page),
        "typed": page.booking.registration,
        "group": group,
        "moved": "moved" in request.GET,
        "corrected": "corrected" in request.GET,
        "held_again": "held_again" in request.GET,
        "larger": _build_larger_party(page),
        "hold": code_page.build_hold_context(request, page.booking, rules.WARN_BEFORE_LAPSE),
        **forms.build_alternatives(problem),
        "minutes": visit_length.compute_visit_minutes(page.booking.drive, page.booking.visit),
        "is_refused": is_refused,
        "elsewhere": elsewhere or (_find_self_reported_form(page) if is_refused and not group else None),
    }
    shown = code_page.build_code_page(request, page.booking)
    return code_page.render_code_page(request, "drives/booking/verify.html", shown, form, problem, context)


def _build_larger_party(page: BookingPage) -> PartyRequest | None:
    members = [member.booking for member in page.party.members] or [page.booking]
    visits = [*(booking.visit for booking in members), Visit.RETURN]
    return PartyRequest.from_visits(visits) if len(visits) <= domain_rules.MAX_PARTY_SIZE else None


def _find_self_reported_form(page: BookingPage) -> SelfReportedForm | None:
    donation = SelfReportedDonation.objects.filter(registration=page.booking.registration).first()
    return (
        SelfReportedForm(initial={"self_reported_kind": donation.kind, "self_reported_on": donation.donated_on})
        if donation
        else None
    )


def render_booking_page(
    request: HttpRequest,
    page: BookingPage,
    problem: ValidationError | None = None,
    status: int = 200,
    elsewhere: SelfReportedForm | None = None,
) -> HttpResponse:
    booking = page.booking
    appointment = events.build_booking_event(booking)
    has_place = booking.state in rules.UPCOMING_STATES
    reach = messaging_reach.load_reach(booking.drive.organization, [booking])
    context = {
        **build_booking_context(page),
        "problems": problem.messages if problem else (),
        **forms.build_alternatives(problem),
        "same_group": _build_same_request(booking) if booking.state == BookingState.LAPSED else None,
        "has_place": has_place and not page.is_over,
        "asks_to_confirm": page.may_confirm and booking.starts_at - timezone.now() <= rules.CONFIRM_WITHIN,
        "moved": "moved" in request.GET,
        "restored": "restored" in request.GET,
        "sent": "sent" in request.GET,
        "visit_is_other": "visit" in request.GET,
        "friend": friend_invitation.build_friend_invitation(booking.drive),
        "minutes": visit_length.compute_visit_minutes(booking.drive, booking.visit),
        "reminders": reminder_summary.format_reminder_summary(booking, reach) if has_place else "",
        "obstacle": reach.find_obstacle(booking, kinds.BOOKED),
        "may_be_texted": Channel.SMS in reach.list_channels(booking, kinds.BOOKED),
        "agreed": views_consents.list_consents_by_purpose(booking.volunteer) if booking.volunteer else [],
        "agreed_address": reverse("booking_consent", args=[page.key]),
        "texting_number": volunteers_queries.get_texting_number(booking.drive.organization),
        "agreed_is_open": "agreed" in request.GET,
        "after": eligibility_queries.load_follow_up(booking, timezone.now(), all_organizations=True),
        "coming": eligibility_queries.list_upcoming_bookings(booking, timezone.now())
        if booking.state == BookingState.DONATED
        else (),
        "new_feed": "new_feed" in request.GET,
        **(_build_self_reported_context(request, page, elsewhere) if has_place and booking.volunteer_id else {}),
        "google_link": ical.build_google_link(appointment),
        "outlook_link": ical.build_outlook_link(appointment),
        "qr": build_qr_code(booking) if has_place else "",
    }
    return render(request, "drives/booking/booking.html", context, status=status)


def _build_same_request(booking: Booking) -> PartyRequest:
    visit_types = [one.visit for one in queries.list_unfinished_party(booking)]
    return PartyRequest.from_visits(visit_types or [booking.visit])


def _build_self_reported_context(
    request: HttpRequest, page: BookingPage, typed: SelfReportedForm | None
) -> dict[str, Any]:
    donation = SelfReportedDonation.objects.filter(volunteer=page.booking.volunteer_id).first()
    is_checked = donation and not page.is_over and not page.booking.override_reason
    return {
        "elsewhere": typed
        or SelfReportedForm(
            initial={"self_reported_kind": donation.kind, "self_reported_on": donation.donated_on} if donation else None
        ),
        "elsewhere_is_open": typed or "elsewhere" in request.GET,
        "too_close": changes.list_interval_reasons(page.booking) if is_checked else (),
    }


def build_qr_code(booking: Booking) -> SafeString:
    """Return an SVG of a QR code with the booking's check-in link. The link works only for a signed-in helper."""
    address = links.build_absolute_url(reverse("checkin", args=[booking.drive.slug]))
    code = segno.make(f"{address}?{urlencode({'q': booking.reference})}", error="m", micro=False)
    svg: str = code.svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)
    return mark_safe(svg)  # noqa: S308  drawn by segno from our own URL


def build_booking_context(page: BookingPage) -> dict[str, Any]:
    booking, drive = page.booking, page.booking.drive
    return {
        "page": page,
        "booking": booking,
        "drive": drive,
        "site": drive.site,
        "zone": drive.site.timezone,
        "organization": drive.organization,
    }
