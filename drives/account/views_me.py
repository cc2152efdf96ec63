from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from drives.account import queries
from drives.web import link_cookies, redirects, visitor
from volunteers import browsers
from volunteers import queries as volunteers_queries


@never_cache
@require_safe
def show_me(request: HttpRequest) -> HttpResponse:
    browser, now = visitor.read_browser_token(request), timezone.now()
    if not browser or not volunteers_queries.filter_browser_verifications(browser, now).exists():
        return redirect("find_booking")
    context = {"people": queries.load_donor_page(browser, now), "now": now}
    return render(request, "drives/account/bookings.html", context)


@never_cache
@require_POST
def sign_out_donor(request: HttpRequest) -> HttpResponse:
    browsers.delete_verified_browser(token=visitor.read_browser_token(request))
    response = redirects.redirect_after_post("find_booking")
    visitor.delete_browser_cookie(response)
    for link_cookie in (link_cookies.BOOKINGS, link_cookies.WAITLIST, link_cookies.OFFERS):
        link_cookie.delete_cookie(response)
    return response
