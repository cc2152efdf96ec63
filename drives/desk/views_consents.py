"""What somebody told a coordinator: no more texts, no more e-mail, nothing at all."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from drives.web import members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest
from volunteers import consent


@require_POST
@accounts.role_required("plan")
def record_opt_out(request: MemberRequest, booking_id: int) -> HttpResponse:
    """Take back what the person of a booking agreed to, at their word."""
    found, asked = members.get_booking_or_404(request, pk=booking_id), request.POST.get("stop", "")
    person = found.volunteer
    assert person is not None  # booking_of finds no others
    contacts = {"texts": person.phone, "mail": person.email}
    words = {
        "texts": _("told a coordinator: no more texts"),
        "mail": _("told a coordinator: no more e-mail"),
        "all": _("told a coordinator: nothing more from this organization"),
    }
    if asked in words and (asked == "all" or contacts[asked]):
        consent.opt_out_volunteer(
            volunteer=person,
            contacts=[contacts.get(asked)],
            wording=words[asked],
            actor=members.format_actor(request),
            now=timezone.now(),
        )
        messages.success(request, _("Noted. Reminders and appeals stop there at once."))
    return redirect("organizer_booking", found.pk)
