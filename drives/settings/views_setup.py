"""The guided set-up: a list of steps that members can leave and resume."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from drives.settings import setup
from drives.web import members
from drives.web.setup_steps import BY_CODE
from organizations import profile
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("manage")
def show_setup(request: MemberRequest) -> HttpResponse:
    organization = request.membership.organization
    if request.method == "POST":
        is_done = "done" in request.POST
        step = BY_CODE.get(request.POST.get("done" if is_done else "skip", ""))
        if step is None or not step.may_be_skipped:
            raise Http404
        act = profile.finish_setup_step if is_done else profile.skip_setup_step
        act(organization=organization, step=step.code)
        return members.redirect_after_save(request, "organizer_setup")
    steps = setup.list_steps(organization)
    context = {
        "steps": steps,
        "next_step": setup.find_next_step(steps),
        "done_count": sum(not state.is_open for state in steps),
    }
    return members.render_member_page(request, "drives/settings/setup.html", context)


@require_safe
@accounts.role_required("manage")
def go_to_next_step(request: MemberRequest) -> HttpResponse:
    steps = setup.list_steps(request.membership.organization)
    after = request.GET.get("after", "")
    step = setup.find_next_step(steps, after)
    # The last open step follows itself. A member who left it for later should not see it again at once.
    return redirect(step.url) if step and step.code != after else redirect("organizer_setup")
