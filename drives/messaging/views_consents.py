"""The page with a donor's consents by purpose, and buttons to change them."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from drives.web import choices, visitor
from notifications.models import Purpose
from volunteers import consent, consent_texts
from volunteers import queries as volunteers_queries
from volunteers.models import Contact, Volunteer
from volunteers.queries import ConsentStatus


@dataclass(frozen=True)
class PurposeConsents:
    label: str
    wording: str
    agreements: list[ConsentStatus]


def list_consents_by_purpose(person: Volunteer) -> list[PurposeConsents]:
    statuses = volunteers_queries.list_consent_statuses(person)
    return [
        PurposeConsents(
            label=str(purpose.label),
            wording=consent_texts.render_consent_text(purpose, get_language() or "en", person.organization)[1],
            agreements=[status for status in statuses if status.purpose == purpose],
        )
        for purpose in Purpose
    ]


def turn_consent_on_or_off(request: HttpRequest, person: Volunteer, contact: Contact, purpose: str) -> None:
    shared: dict[str, Any] = {"contact": contact, "ip": visitor.find_ip_address(request), "now": timezone.now()}
    if choices.read_choice(request, "turn", ("on", "off")) == "off":
        words = _("Turned off on the booking page")
        consent.opt_out_contact(purposes=[purpose], wording=words, source="page", actor="donor", **shared)
        return
    language = get_language() or "en"
    consent.opt_in_contact(volunteer=person, purpose=purpose, language=language, source="page", **shared)
