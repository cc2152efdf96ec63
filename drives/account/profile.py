"""A donor's new phone or mailbox: it counts once it is proved, and then everywhere they are known."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from drives.capacity import locks
from organizations.models import Organization
from volunteers import profile, verification
from volunteers import queries as volunteers_queries
from volunteers.models import Volunteer


@transaction.atomic
def save_details(*, people: Sequence[Volunteer], name: str, language: str) -> None:
    """Give a person another name or language, everywhere they are known; refuses by field."""
    profile.update_name_and_language(volunteer_ids=[person.pk for person in people], name=name, language=language)


@transaction.atomic
def request_contact_code(
    *, organization: Organization, typed: str, language: str, browser: str, bound_to: str, ip: str | None, now: datetime
) -> str:
    """Send a code to a new phone or mailbox, unless this browser proved it before; returns it as it is kept.

    Nothing changes yet. Refuses (by field "contact") what is neither, and limits.RateLimitExceeded.
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
    """Verify a new phone or mailbox, then reach a person there; raises CodeWrong and `profile.ContactTaken`.

    People reached through the old contact are reached there, too. A person erased meanwhile stays erased.
    Locks: the identities of all of them and the new one.
    """
    identity = volunteers_queries.compute_contact_identity(address)
    verification.verify_contact(identity=identity, code=code, bound_to=bound_to, browser=browser, now=now)
    with transaction.atomic():
        own = [person.pk for person in people]
        known = (
            volunteers_queries.list_person_identities(volunteer_id=pk)
            for pk in (*own, *volunteers_queries.filter_contact_sharers(own).values_list("pk", flat=True))
        )
        locks.lock_identities({identity}.union(*known))
        still = Volunteer.objects.known().filter(pk__in=[person.pk for person in people])
        profile.change_contact(people=list(still.select_related("organization")), address=address, now=now)
