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
def booking(request: MemberRequest, booking_id: int) -> HttpResponse:
    """Who, when, how it came to be, what was sent and what became of it."""
    found = members.booking_of(request, pk=booking_id)
    context = {"booking": found, "drive": found.drive, "record": booking_record.booking_record(found)}
    context["party"] = booking_party.party_of(found)
    context |= {
        "language": _language(found),
        "may_change": _may_change(found),
        "ledger": consent_ledger.consent_ledger(found),
    }
    return members.page(request, "drives/desk/booking.html", context)


def _may_change(found: Booking) -> bool:
    return found.state in booking_rules.MAY_BE_CHANGED and found.drive.ends_at > timezone.now()


def _language(found: Booking) -> str:
    code = found.volunteer.language if found.volunteer else ""
    return str(dict(settings.LANGUAGES).get(code, code))
