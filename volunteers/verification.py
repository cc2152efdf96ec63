"""Verify by a six-digit code that a phone or mailbox belongs to the donor. Every caller uses this flow.

1. The caller keeps what the donor typed and calls `send_code`. A search calls `request_code` instead: a worker sends
   the code, to contacts that are known.
2. No code came: `send_code_again`, to the same contact or to the mailbox.
3. The donor types the code: `verify_contact`. Then the caller makes the booking, in its own transaction.

A browser that verified the contact gets no code and needs none. Known and unknown contacts get the same answer after
the same work.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from organizations import queries as organizations_queries
from organizations.models import Organization
from volunteers import browsers, codes, limits, queries, registration, rules
from volunteers.codes import CodeResult
from volunteers.limits import Limit
from volunteers.models import Registration, VerificationCode


class CodeWrong(ValidationError):
    """The code does not match, is too old, or was tried too often."""

    def __init__(self, result: CodeResult) -> None:
        sentences = {
            CodeResult.WRONG: _("That isn’t the code we sent. Check the six digits and try again."),
            CodeResult.EXPIRED: _("This code is too old. Ask for a new one."),
            CodeResult.NO_TRIES_LEFT: _("This code was tried too many times. Ask for a new one."),
        }
        super().__init__(sentences[result], "code_wrong")


def parse_contact(typed: str, *countries: str) -> str:
    """Return the phone number or mailbox typed into the field "contact". Refuses other text by that field.

    A national number belongs to the first of these countries in which it is valid.
    """
    errors = rules.FieldErrors()
    address: str = errors.collect("contact", lambda: rules.parse_contact_address(typed, countries), "")
    errors.raise_errors()
    return address


def get_address_to_verify(typed: Registration) -> str:
    return typed.phone if typed.identity == rules.compute_identity(typed.phone) else typed.email


def send_code(
    *, typed: Registration, bound_to: str, browser: str = "", about: str, ip: str | None, now: datetime
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
) -> VerificationCode | None:
    """Send a code to a phone or mailbox, unless this browser has verified it. Refuses like `codes.queue_code`.

    Call it last.
    """
    if queries.is_browser_verified(browser, rules.compute_identity(address), now):
        return None
    return codes.queue_code(
        organization=organization, address=address, language=language, bound_to=bound_to, about=about, ip=ip, now=now
    )


@transaction.atomic(savepoint=False)
def request_code(*, typed: str, bound_to: str, browser: str = "", ip: str | None, now: datetime) -> str:
    """Record a search for a contact's bookings; a worker sends the code. Return the identity to verify.

    Nothing here depends on whether the contact is known. Refuses other text than a phone or mailbox (by field), and
    with limits.RateLimitExceeded. A national number may belong to the country of any organization.
    """
    identity = rules.compute_identity(
        parse_contact(typed, *organizations_queries.list_countries(), settings.PHONE_REGION)
    )
    if not queries.is_browser_verified(browser, identity, now):
        codes.record_code_request(identity=identity, bound_to=bound_to, ip=ip, now=now)
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
    """Send another code, which invalidates earlier ones, to the same contact or from now on to the mailbox.

    The first registration is the donor's; the others share the contact. Refuses like `codes.queue_code`, and with
    registration.EmailMissing.
    """
    if by_email:
        registration.switch_verification_to_email(registrations=registrations)
    send_code(typed=registrations[0], bound_to=bound_to, about=about, ip=ip, now=now)


def verify_registrations(
    *, registrations: Sequence[Registration], code: str, bound_to: str, browser: str, now: datetime
) -> None:
    typed = registrations[0]
    if typed.verified_at is None:
        ids = [each.pk for each in registrations]
        verify_contact(
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
) -> None:
    """Verify a contact by its code, or raise CodeWrong. Call it outside of transactions.

    1. A browser that has verified the contact needs no code.
    2. The try counts in its own transaction: a wrong one although it is refused, a right one even if a rule of the
       caller refuses the booking later.
    3. A second tap finds the code used by the first, and its booking may not be saved yet.
    """
    if queries.is_browser_verified(browser, identity, now):
        return
    with transaction.atomic():
        result = codes.check_code(identity=identity, bound_to=bound_to, code=code, now=now)
        if result == CodeResult.OK:
            Registration.objects.filter(pk__in=registration_ids, identity=identity).update(verified_at=now)
            browsers.save_verified_browser(token=browser, identity=identity, now=now)
    if result != CodeResult.OK and not queries.is_recently_verified(identity, bound_to, now):
        raise CodeWrong(result)


def spend_party_spots(*, count: int, ip: str | None, now: datetime) -> None:
    """Count a party's spots against its network. Refuses with limits.RateLimitExceeded.

    Otherwise one network could hold six spots for each code. Call it before `send_code`, because of the order of the
    counters.
    """
    if network := rules.compute_network(ip):
        limit = Limit("places_together", network, *rules.PARTY_SPOTS_PER_NETWORK)
        limits.spend_limits(limits=[limit], now=now, count=count)
