"""The page of one booking, with its history and its messages."""

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from drives.booking import party as booking_party
from drives.booking import rules as booking_rules
from drives.booking.rules import Act
from drives.desk import booking_record, people
from drives.messaging import consent_ledger
from drives.models import Booking
from drives.web import members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_safe
@accounts.role_required("view")
def show_organizer_booking(request: MemberRequest, booking_id: int) -> HttpResponse:
    booking = members.get_booking_or_404(request, pk=booking_id)
    context = {"booking": booking, "drive": booking.drive, "record": booking_record.load_booking_record(booking)}
    context["namesakes"] = people.list_namesakes(booking.volunteer) if booking.volunteer else ()
    context["party"] = booking_party.load_party(booking)
    context |= {
        "language": _format_language(booking),
        "may_change": _may_change(request, booking),
        "ledger": consent_ledger.load_consent_ledger(booking.volunteer) if booking.volunteer else [],
    }
    return members.render_member_page(request, "drives/desk/booking.html", context)


def _may_change(request: MemberRequest, booking: Booking) -> bool:
    actor, now = members.format_actor(request), timezone.now()
    return not booking_rules.reasons_not_to_take_step(Act.MOVE, booking, actor, now)


def _format_language(booking: Booking) -> str:
    code = booking.volunteer.language if booking.volunteer else ""
    return str(dict(settings.LANGUAGES).get(code, code))
