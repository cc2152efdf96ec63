"""Verify with a six-digit code that a phone number or e-mail address belongs to the donor. All callers use this flow.

1. The caller stores what the donor typed and calls `send_code`. A search calls `request_code` instead, and a worker
   sends the code if the contact is known.
2. If no code arrives, the caller calls `send_code_again`, for the same contact or for the e-mail address.
3. The donor types the code, and the caller calls `verify_contact`. Then the caller makes the booking, in its own
   transaction.

A browser that has verified the contact needs no code and gets none. Known and unknown contacts get the same response
after the same work.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from organizations import queries as organizations_queries
from organizations.models import Organization
from volunteers import browsers, codes, queries, registration, rules
from volunteers.codes import CodeResult
from volunteers.limits import Limit
from volunteers.models import Registration, VerificationCode


class CodeWrong(ValidationError):
    """The code does not match, is too old, or was tried too often."""

    def __init__(self, result: CodeResult) -> None:
        sentences = {
            CodeResult.WRONG: _("That isn’t the code we sent. Check the six digits and try again."),
            CodeResult.EXPIRED: _("This code has expired. Ask for a new one."),
            CodeResult.NO_TRIES_LEFT: _("There were too many attempts with this code. Ask for a new one."),
        }
        super().__init__(sentences[result], "code_wrong")


def parse_contact(typed: str, *countries: str) -> str:
    errors = rules.FieldErrors()
    address: str = errors.collect("contact", lambda: rules.parse_contact_address(typed, countries), "")
    errors.raise_errors()
    return address


def get_address_to_verify(typed: Registration) -> str:
    return typed.phone if typed.identity == rules.compute_identity(typed.phone) else typed.email


def send_code(
    *,
    typed: Registration,
    bound_to: str,
    browser: str = "",
    about: str,
    ip: str | None,
    now: datetime,
    holds: Sequence[Limit] = (),
) -> VerificationCode | None:
    return send_code_to_address(
        organization=typed.organization,
        address=get_address_to_verify(typed),
        language=typed.language,
        bound_to=bound_to,
        browser=browser,
        about=about,
        ip=ip,
        now=now,
        holds=holds,
    )


def send_code_to_address(
    *,
    organization: Organization,
    address: str,
    language: str,
    bound_to: str,
    browser: str = "",
    about: str,
    ip: str | None,
    now: datetime,
    holds: Sequence[Limit] = (),
) -> VerificationCode | None:
    """Send a code to a phone number or e-mail address. Return None if this browser has already verified the contact.

    `holds` are the limits on spots that are held until the code is entered (`build_hold_limits`). Raises
    limits.RateLimitExceeded. Call this last, for the same reason as `codes.queue_code`.
    """
    if queries.is_browser_verified(browser, rules.compute_identity(address), now):
        return None
    return codes.queue_code(
        organization=organization,
        address=address,
        language=language,
        bound_to=bound_to,
        about=about,
        ip=ip,
        now=now,
        holds=holds,
    )


@transaction.atomic(savepoint=False)
def request_code(*, typed: str, bound_to: str, browser: str = "", ip: str | None, now: datetime) -> str:
    """Request a code to search for a contact's bookings. A worker sends the code. Return the identity to verify.

    The result does not reveal whether the contact is known. Refuses text that is not a phone number or e-mail address
    (field errors), and raises limits.RateLimitExceeded. A national number may be from any organization's country.
    """
    address = parse_contact(typed, *organizations_queries.list_countries(), settings.PHONE_REGION)
    identity = rules.compute_identity(address)
    if not queries.is_browser_verified(browser, identity, now):
        codes.record_code_request(address=address, bound_to=bound_to, ip=ip, now=now)
    return identity


def send_code_again(
    *,
    registrations: Sequence[Registration],
    by_email: bool,
    bound_to: str,
    about: str,
    ip: str | None,
    now: datetime,
) -> None:
    """Send another code, which invalidates earlier codes. With `by_email`, verify the e-mail address from now on.

    The first registration is that of the booking donor. The others have the same contact. Raises
    limits.RateLimitExceeded and registration.EmailMissing.
    """
    if by_email:
        registration.switch_verification_to_email(registrations=registrations)
    send_code(typed=registrations[0], bound_to=bound_to, about=about, ip=ip, now=now)


def verify_registrations(
    *, registrations: Sequence[Registration], code: str, bound_to: str, browser: str, now: datetime
) -> bool:
    """Verify the contact of these registrations, or raise CodeWrong. Return whether a code was needed.

    If no code was needed, the limits on codes do not restrict how often this browser books. The caller must then call
    `limits.spend_change` after the rules have allowed the booking.
    """
    typed = registrations[0]
    if typed.verified_at is not None:
        return True
    ids = [each.pk for each in registrations]
    return verify_contact(
        identity=typed.identity, code=code, bound_to=bound_to, browser=browser, registration_ids=ids, now=now
    )


def verify_contact(
    *,
    identity: str,
    code: str,
    bound_to: str,
    browser: str,
    registration_ids: Sequence[int] = (),
    now: datetime,
) -> bool:
    """Verify a contact by a code, or raise CodeWrong. Return whether a code was needed.

    Call this outside of transactions.

    1. A browser that has verified the contact needs no code.
    2. The attempt is counted in its own transaction. So a wrong code counts although CodeWrong is raised, and a right
       code stays used even if the caller later refuses the booking.
    3. If the contact was verified with the same secret a moment ago, a used code is accepted. So a second tap on the
       button works even if the booking of the first tap is not saved yet.
    """
    if queries.is_browser_verified(browser, identity, now):
        return False
    with transaction.atomic():
        result = codes.check_code(identity=identity, bound_to=bound_to, code=code, now=now)
        if result == CodeResult.OK:
            Registration.objects.filter(pk__in=registration_ids, identity=identity).update(verified_at=now)
            browsers.save_verified_browser(token=browser, identity=identity, now=now)
    if result != CodeResult.OK and not queries.is_recently_verified(identity, bound_to, now):
        raise CodeWrong(result)
    return True


def build_hold_limits(
    *, drive_id: int, spots: int, count: int, ip: str | None, since: datetime, until: datetime
) -> list[Limit]:
    """Build the limits on spots that the networks of an IP address may hold at a drive before a code is entered.

    The held spots count in every window from `since` until `until`, so that a network cannot use up the limits of two
    windows at the same time.
    """
    most, window = rules.compute_unverified_spots(spots), rules.UNVERIFIED_WINDOW
    return [
        limit
        for length, network in rules.compute_networks(ip)
        for limit in Limit(f"holds_{length}", f"{drive_id}:{network}", most, window, count).list_windows(since, until)
    ]
