"""Change a donor's details in all their organizations. A new contact must be verified first."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from drives.capacity import locks
from organizations.models import Organization
from volunteers import limits, profile, verification
from volunteers import queries as volunteers_queries
from volunteers.models import Volunteer


@transaction.atomic
def save_details(*, people: Sequence[Volunteer], name: str, language: str, now: datetime) -> None:
    """Save a donor's name and language in all their organizations. Raises limits.TooManyChanges."""
    _spend_change(people, now)
    profile.update_name_and_language(volunteer_ids=[person.pk for person in people], name=name, language=language)


@transaction.atomic
def request_contact_code(
    *, organization: Organization, typed: str, language: str, browser: str, bound_to: str, ip: str | None, now: datetime
) -> str:
    """Send a code to a new contact, unless this browser has already verified it. Return the normalized contact.

    The donor's details do not change yet. Refuses text that is not a phone number or e-mail address (field "contact").
    Raises limits.RateLimitExceeded.
    """
    address = verification.parse_contact(typed, organization.country)
    verification.send_code_to_address(
        organization=organization,
        address=address,
        language=language,
        bound_to=bound_to,
        browser=browser,
        about="contact",
        ip=ip,
        now=now,
    )
    return address


def save_verified_contact(
    *, people: Sequence[Volunteer], address: str, code: str, browser: str, bound_to: str, now: datetime
) -> None:
    """Verify a new contact, then replace the donor's old one with it.

    Other people with the old contact get the new one, too. Erased volunteers are skipped. Raises CodeWrong,
    `profile.ContactTaken` and limits.TooManyChanges. Locks: identities of these people and of the new contact.
    """
    identity = volunteers_queries.compute_contact_identity(address)
    verification.verify_contact(identity=identity, code=code, bound_to=bound_to, browser=browser, now=now)
    with transaction.atomic():
        locks.lock_contact_change([person.pk for person in people], identity)
        _spend_change(people, now)
        present = Volunteer.objects.known().filter(pk__in=[person.pk for person in people])
        profile.change_contact(people=list(present.select_related("organization")), address=address, now=now)


def _spend_change(people: Sequence[Volunteer], now: datetime) -> None:
    person = people[0]
    limits.spend_change(
        organization=person.organization,
        record="volunteer",
        pk=person.pk,
        identity=limits.find_limited_identity(person),
        now=now,
    )
