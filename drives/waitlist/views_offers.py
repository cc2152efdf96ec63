"""Pages to view, accept and decline an offer."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from drives.booking import views_links
from drives.booking.views_links import DONOR
from drives.waitlist import offers, queries, views_donor
from drives.waitlist.queries import OfferPage
from drives.web import form_errors, link_cookies, redirects


@never_cache
@require_safe
def show_offer(request: HttpRequest, key: str) -> HttpResponse:
    """Show the offer. A GET does not accept the offer, because mail scanners open links, too."""
    page = _get_page_or_404(request, key)
    if link_cookies.TOKEN_PATTERN.fullmatch(key):
        clean = link_cookies.exchange_token(link_cookies.OFFERS, request, key, reverse("offer", args=[page.offer.pk]))
        if clean is not None:
            return clean
    return _render_offer(request, page)


@never_cache
def accept_offered_spot(request: HttpRequest, key: str) -> HttpResponse:
    page = _get_page_or_404(request, key)
    if request.method != "POST":
        return redirects.redirect_after_post("offer", key)
    try:
        booking = offers.accept_offer(offer_id=page.offer.pk, actor=DONOR, now=timezone.now())
    except ValidationError as problem:
        return _render_problem(request, key, problem)
    return views_links.redirect_to_booking(booking.token)


@never_cache
def decline_offered_spot(request: HttpRequest, key: str) -> HttpResponse:
    page = _get_page_or_404(request, key)
    if request.method != "POST":
        return redirects.redirect_after_post("offer", key)
    try:
        offers.decline_offer(offer_id=page.offer.pk, now=timezone.now())
    except ValidationError as problem:
        return _render_problem(request, key, problem)
    return redirects.redirect_after_post("offer", key)


def _get_page_or_404(request: HttpRequest, key: str) -> OfferPage:
    page = queries.load_offer_page(key, timezone.now(), link_cookies.OFFERS.read_tokens(request))
    if page is None:
        raise Http404
    return page


def _render_problem(request: HttpRequest, key: str, problem: ValidationError) -> HttpResponse:
    page, status = _get_page_or_404(request, key), form_errors.compute_http_status(problem)
    return form_errors.add_retry_after(_render_offer(request, page, problem.messages, status), problem)


def _render_offer(
    request: HttpRequest, page: OfferPage, problems: Sequence[str] = (), status: int = 200
) -> HttpResponse:
    if page.offer.booking is not None and status == 200:
        return views_links.redirect_to_booking(page.offer.booking.token)
    context = {
        **views_donor.build_entry_context(page.offer.entry),
        **views_donor.build_reach_context(page.offer.entry),
        "page": page,
        "offer": page.offer,
        "problems": problems,
    }
    return render(request, "drives/waitlist/offer.html", context, status=status)
