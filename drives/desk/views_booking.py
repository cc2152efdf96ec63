"""The page of one booking with its history and messages."""

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from drives.booking import party as booking_party
from drives.booking import rules as booking_rules
from drives.desk import booking_record
from drives.messaging import consent_ledger
from drives.models import Booking
from drives.web import members
from organizations.web import accounts
from organizations.web.accounts import MemberRequest


@require_safe
@accounts.role_required("view")
def show_organizer_booking(request: MemberRequest, booking_id: int) -> HttpResponse:
    """Who, when, how it came to be, what was sent and what became of it."""
    found = members.get_booking_or_404(request, pk=booking_id)
    context = {"booking": found, "drive": found.drive, "record": booking_record.load_booking_record(found)}
    context["party"] = booking_party.load_party(found)
    context |= {
        "language": _format_language(found),
        "may_change": _may_change(found),
        "ledger": consent_ledger.load_consent_ledger(found),
    }
    return members.render_member_page(request, "drives/desk/booking.html", context)


def _may_change(found: Booking) -> bool:
    return found.state in booking_rules.CHANGEABLE_STATES and found.drive.ends_at > timezone.now()


def _format_language(found: Booking) -> str:
    code = found.volunteer.language if found.volunteer else ""
    return str(dict(settings.LANGUAGES).get(code, code))
