"""Find bookings without an account: a code to the donor's contact, in every organization that knows it."""

from datetime import datetime

from django.db import transaction

from drives.account import queries
from drives.capacity import locks
from volunteers import browsers, codes, verification
from volunteers.models import Contact


@transaction.atomic
def request_find_code(
    *, typed: str, browser: str, new_browser: str, bound_to: str, ip: str | None, now: datetime
) -> str:
    """Have a code sent to a phone or mailbox that a volunteer is known by; returns the identity to verify.

    Known and unknown contacts get the same answer and work. `fresh` is the browser's token from here on, made for this
    proof: a token that another person planted there before verifies nothing. Refuses as `verification.request_code`.
    """
    browsers.replace_browser_token(old=browser, new=new_browser, now=now)
    return verification.request_code(typed=typed, bound_to=bound_to, browser=new_browser, ip=ip, now=now)


def verify_found_contact(*, identity: str, code: str, bound_to: str, browser: str, now: datetime) -> None:
    """Verify that this browser's user holds the contact; raises CodeWrong.

    What an organization noted for a person under this contact counts as verified from here on. Locks: identity.
    """
    verification.verify_contact(identity=identity, code=code, bound_to=bound_to, browser=browser, now=now)
    with transaction.atomic():
        locks.lock_identities([identity])
        Contact.objects.filter(identity=identity, verified_at=None).exclude(owner=None).update(verified_at=now)


@transaction.atomic
def send_find_codes(*, now: datetime, limit: int = 100) -> int:
    """Send the codes that people asked for; returns how many. Who is not known gets nothing, and is not told.

    Locks: identities, for nothing is sent to somebody who is being erased; then the rows of who asked.
    """
    locks.lock_identities(identities := codes.list_requested_identities(limit, now))
    requested = codes.lock_requested_codes(identities, now)
    known = queries.load_newest_contacts([code.identity for code in requested])
    for code in requested:
        contact, language = known.get(code.identity, (None, ""))
        codes.queue_requested_code(code=code, contact=contact, language=language, now=now)
    return sum(code.identity in known for code in requested)
