from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from organizations import queries
from organizations.web import accounts
from organizations.web.accounts import CHOSEN_ORGANIZATION_KEY


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def switch_organization(request: HttpRequest) -> HttpResponse:
    """Show the user's organizations, or save the chosen one in the session.

    Return 404 for an organization that does not exist or that the user does not belong to.
    """
    if request.method == "POST":
        membership = queries.find_membership(request.user, request.POST.get("organization", ""))
        if membership is None:
            raise Http404
        request.session[CHOSEN_ORGANIZATION_KEY] = membership.organization.slug
        return redirect("/organizer/")
    current = accounts.find_current_membership(request)
    context = {"organizations": queries.list_organizations(request.user), "current": current and current.organization}
    return render(request, "organizations/choose_organization.html", context)
