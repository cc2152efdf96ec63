"""Sign a visitor up for news of the next drives. The visitor verifies a contact first."""

from dataclasses import replace
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from drives.booking import confirm_holds
from drives.booking.hold import Person
from drives.capacity import locks
from drives.refusals import HoldLapsed
from notifications.models import Purpose
from organizations.models import Organization
from volunteers import limits, registration, verification
from volunteers.matching import BookingFor
from volunteers.models import Registration, Volunteer
from volunteers.rules import NEWS_SOURCE


@transaction.atomic
def request_news(
    *, organization: Organization, person: Person, ip: str | None, bound_to: str, browser_token: str, now: datetime
) -> Registration:
    """Store a visitor's registration for news, and send the code that verifies the contact.

    Known and unknown contacts get the same result. Refuses a missing consent (field "news"). Raises the errors of
    `registration.build_registration` and `verification.send_code`, and TooManyChanges.
    """
    if Purpose.NEWS not in person.consents:
        message = _("Check the box if you want us to tell you about our next drives.")
        raise ValidationError({"news": ValidationError(message, code="consent_missing")})
    fields = replace(person, consents=[Purpose.NEWS]).registration_fields()
    typed = registration.build_registration(organization=organization, **fields, source=NEWS_SOURCE, ip=ip, now=now)
    registration.save_registrations([typed])
    code = verification.send_code(
        typed=typed, bound_to=bound_to, browser=browser_token, about=f"news:{typed.pk}", ip=ip, now=now
    )
    if code is None:  # no code was sent, so the limit on codes did not count this request
        limits.spend_change(organization=organization, identity=typed.identity, now=now)
    return typed


def verify_news(
    *, registration_id: int, code: str, bound_to: str, browser: str, booking_for: BookingFor = "", now: datetime
) -> Volunteer:
    """Verify the contact, and record the consent to news. A second call returns the same volunteer.

    Raises CodeWrong, HoldLapsed if the request was deleted, and Refusal (`other_name`, `too_many_people`). Locks:
    identity.
    """
    typed = _find_registration(registration_id)
    if typed.volunteer:
        return typed.volunteer
    verification.verify_registrations(registrations=[typed], code=code, bound_to=bound_to, browser=browser, now=now)
    with transaction.atomic():
        locks.lock_identities([typed.identity])
        typed = _find_registration(registration_id)
        if typed.volunteer:  # another request has verified it meanwhile
            return typed.volunteer
        [volunteer] = confirm_holds.match_volunteers([typed], booking_for, now)
    return volunteer


@transaction.atomic
def resend_news_code(*, registration_id: int, by_email: bool, bound_to: str, ip: str | None, now: datetime) -> None:
    """Send another code. Raises HoldLapsed if the request was deleted, and RateLimitExceeded."""
    typed = _find_registration(registration_id)
    verification.send_code_again(
        registrations=[typed], by_email=by_email, bound_to=bound_to, about=f"news:{typed.pk}", ip=ip, now=now
    )


def _find_registration(pk: int) -> Registration:
    rows = Registration.objects.select_related("organization", "volunteer").filter(source=NEWS_SOURCE)
    typed = rows.filter(pk=pk).first()
    if typed is None:
        raise HoldLapsed
    return typed
