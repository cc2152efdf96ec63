"""Pages where a coordinator exports or erases a volunteer."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from drives.privacy import erase as privacy_erase
from drives.privacy import export_file
from drives.privacy.forms import EraseForm
from drives.web import form_errors, members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest
from volunteers.models import Volunteer


@require_safe
@accounts.role_required("plan")
def download_export(request: MemberRequest, volunteer_id: int) -> HttpResponse:
    person, now = _get_person_or_404(request, volunteer_id), timezone.now()
    export_file.record_export(person, actor=members.format_actor(request), now=now)
    return export_file.build_export_response(person, now)


@require_http_methods(["GET", "HEAD", "POST"])
@accounts.role_required("plan")
def erase_person(request: MemberRequest, volunteer_id: int) -> HttpResponse:
    person = _get_person_or_404(request, volunteer_id)
    form = EraseForm(request.POST or None)
    if form.is_valid():
        try:
            privacy_erase.erase_volunteer(
                volunteer_id=person.pk,
                reason=form.cleaned_data["because"],
                actor=members.format_actor(request),
                now=timezone.now(),
            )
        except ValidationError as error:
            form_errors.add_refusal(form, error)
        else:
            messages.success(
                request,
                _("This person’s data has been erased. Past bookings still count anonymously in your statistics."),
            )
            return redirect("organizer_home")
    return members.render_member_page(request, "drives/privacy/organizer_erase.html", {"person": person, "form": form})


def _get_person_or_404(request: MemberRequest, volunteer_id: int) -> Volunteer:
    known = Volunteer.objects.of(request.membership.organization).known()
    person = known.select_related("organization", "phone", "email").filter(pk=volunteer_id).first()
    if person is None:
        raise Http404
    return person
