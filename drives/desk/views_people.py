"""A volunteer's page for coordinators, and the merge of two volunteers."""

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from drives.desk import people, person_record
from drives.privacy import merge as privacy_merge
from drives.web import choices, members, redirects, time_zones
from drives.web.fields import MailboxField, OtherNameField
from organizations.web import accounts
from organizations.web.accounts import MemberRequest
from volunteers import profile as volunteers_profile
from volunteers import queries as volunteers_queries
from volunteers.models import Volunteer

MAX_FOUND = 20


class CorrectNameForm(forms.Form):
    use_required_attribute = False
    name = OtherNameField()


class CorrectEmailForm(forms.Form):
    use_required_attribute = False
    email = MailboxField()


@require_safe
@accounts.role_required("view")
def show_person(request: MemberRequest, pk: int) -> HttpResponse:
    return render_person(request, pk)


@require_POST
@accounts.role_required("plan")
def rename_person(request: MemberRequest, pk: int) -> HttpResponse:
    person, form = get_person_or_404(request, pk), CorrectNameForm(request.POST)
    if not form.is_valid():
        return render_person(request, pk, name_form=form)
    volunteers_profile.correct_name(
        volunteer=person, name=form.cleaned_data["name"], actor=members.format_actor(request), now=timezone.now()
    )
    messages.success(request, _("Name corrected. Messages already sent keep the old name."))
    return redirects.redirect_after_post("organizer_person", pk)


def get_person_or_404(request: MemberRequest, pk: int) -> Volunteer:
    return get_object_or_404(Volunteer.objects.of(request.membership.organization).known(), pk=pk)


def render_person(
    request: MemberRequest, pk: int, *, name_form: CorrectNameForm | None = None, email_form: forms.Form | None = None
) -> HttpResponse:
    organization, search = request.membership.organization, request.GET.get("q", "").strip()[:80]
    page = people.load_person_page(organization, pk)
    if page is None:
        raise Http404
    matches = (
        [
            volunteer
            for volunteer in volunteers_queries.filter_volunteers(organization, search)[: MAX_FOUND + 1]
            if volunteer.pk != pk
        ]
        if search
        else []
    )
    context = {
        "record": page,
        "log": person_record.load_person_record(page.person),
        "person": page.person,
        "zone": time_zones.find_zone(organization),
        "search": search,
        "same": matches[:MAX_FOUND],
        "form": name_form or CorrectNameForm(initial={"name": page.person.name}),
        "email_form": email_form or CorrectEmailForm(),
        "problem": name_form or email_form,
        "reload_url": reverse("organizer_person", args=[pk]),
    }
    response = members.render_member_page(request, "drives/desk/person.html", context)
    response.status_code = 422 if name_form or email_form else 200
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def merge_people(request: MemberRequest, pk: int, other: int) -> HttpResponse:
    organization, problems = request.membership.organization, []
    if request.method == "POST":
        try:
            survivor = privacy_merge.merge_volunteers(
                organization=organization,
                one_id=pk,
                other_id=other,
                name_from_id=int(choices.read_choice(request, "called", (str(pk), str(other)))),
                actor=members.format_actor(request),
                now=timezone.now(),
            )
        except Volunteer.DoesNotExist as missing:
            raise Http404 from missing
        except ValidationError as refusal:
            problems = refusal.messages
        else:
            messages.success(request, _("The two records are now one."))
            return redirect("organizer_person", survivor.pk)
    page = people.load_merge_page(organization, pk, other)
    if page is None:
        raise Http404
    response = members.render_member_page(request, "drives/desk/merge.html", {"merge": page, "pk": pk, "other": other})
    response.status_code = 409 if problems else 200
    return response
