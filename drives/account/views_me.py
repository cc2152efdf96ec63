"""The donor's own page: everything that the contacts reach which this browser proved, in all organizations."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from drives.account import queries
from drives.web import keys, redirects, visitor
from volunteers import browsers
from volunteers import queries as volunteers_queries


@never_cache
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """Bookings to come and past, and when the next donation is possible."""
    browser, now = visitor.browser_of(request), timezone.now()
    if not browser or not volunteers_queries.proved_from(browser, now).exists():
        return redirect("find")
    context = {"people": queries.donor_page(browser, now), "now": now}
    return render(request, "drives/account/me.html", context)


@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Forget on this browser whom it belongs to, and which bookings' links were opened in it."""
    browsers.forget(token=visitor.browser_of(request))
    response = redirects.see_other("find")
    visitor.forget(response)
    for ring in (keys.BOOKINGS, keys.WAITING, keys.OFFERS):
        ring.drop(response)
    return response
