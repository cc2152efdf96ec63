"""Somebody who acts for several organizations chooses one."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from organizations import queries
from organizations.web import accounts
from organizations.web.accounts import CHOSEN


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def switch_organization(request: HttpRequest) -> HttpResponse:
    """Show the user's organizations, or choose one for this session; another's and an unknown one are both a 404."""
    if request.method == "POST":
        membership = queries.membership_of(request.user, request.POST.get("organization", ""))
        if membership is None:
            raise Http404
        request.session[CHOSEN] = membership.organization.slug
        return redirect("/organizer/")
    current = accounts.current_membership(request)
    context = {"organizations": queries.organizations_of(request.user), "current": current and current.organization}
    return render(request, "organizations/switch.html", context)
