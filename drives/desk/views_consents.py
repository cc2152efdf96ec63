from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from drives.web import choices, members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest
from volunteers import consent


@require_POST
@accounts.role_required("plan")
def record_opt_out(request: MemberRequest, booking_id: int) -> HttpResponse:
    booking = members.get_booking_or_404(request, pk=booking_id)
    donor = booking.volunteer
    assert donor is not None  # `get_booking_or_404` finds verified bookings only
    contacts = {"texts": donor.phone, "mail": donor.email}
    wordings = {
        "texts": _("asked a coordinator to stop all texts"),
        "mail": _("asked a coordinator to stop all e-mail"),
        "all": _("asked a coordinator to stop all messages from this organization"),
    }
    scope = choices.read_choice(request, "stop", wordings)
    if scope == "all" or contacts[scope]:
        consent.opt_out_volunteer(
            volunteer=donor,
            contacts=[contacts.get(scope)],
            wording=wordings[scope],
            actor=members.format_actor(request),
            now=timezone.now(),
        )
        messages.success(request, _("Saved. The donor won’t get these reminders and news anymore."))
    return redirect("organizer_booking", booking.pk)
