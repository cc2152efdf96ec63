"""Let donors find their bookings without an account, by a code sent to their contact."""

from datetime import datetime

from django.db import transaction

from drives.account import queries
from drives.capacity import locks
from organizations import sweeps
from volunteers import browsers, codes, verification
from volunteers.models import Contact


@transaction.atomic
def request_find_code(
    *, typed: str, browser: str, new_browser: str, bound_to: str, ip: str | None, now: datetime
) -> str:
    """Request a code for a phone number or e-mail address. Return the contact's identity.

    Known and unknown contacts get the same result and cause the same work. `new_browser` replaces the browser's old
    token, because an attacker may have set the old token. Raises the same errors as `verification.request_code`.
    """
    browsers.replace_browser_token(old=browser, new=new_browser, now=now)
    return verification.request_code(typed=typed, bound_to=bound_to, browser=new_browser, ip=ip, now=now)


def verify_found_contact(*, identity: str, code: str, bound_to: str, browser: str, now: datetime) -> None:
    """Verify the contact for this browser, and mark it as verified for its owner in every organization.

    Raises CodeWrong. Locks: identity.
    """
    verification.verify_contact(identity=identity, code=code, bound_to=bound_to, browser=browser, now=now)
    with transaction.atomic():
        locks.lock_identities([identity])
        Contact.objects.filter(identity=identity, verified_at=None).exclude(owner=None).update(verified_at=now)


@transaction.atomic
def send_find_codes(*, now: datetime, limit: int = 100) -> int:
    """Send the requested codes to the known contacts. Return the number sent.

    Locks: identities, so that no code is sent to a volunteer during an erasure; then the requests.
    """
    locks.lock_identities(identities := codes.list_requested_identities(limit, now))
    requested = codes.lock_requested_codes(identities, now)
    contacts = queries.load_newest_contacts([code.identity for code in requested])
    by_id = {code.pk: code for code in requested}

    @transaction.atomic
    def send(pk: int) -> bool:
        contact, language = contacts.get(by_id[pk].identity, (None, ""))
        codes.queue_requested_code(code=by_id[pk], contact=contact, language=language, now=now)
        return contact is not None

    return sweeps.run_each("search_codes", by_id, send, now=now)
