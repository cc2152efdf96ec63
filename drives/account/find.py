"""How somebody without an account finds what they booked: a code to their contact, whoever knows it."""

from datetime import datetime

from django.db import transaction

from drives.account import queries
from drives.booking.verify import CodeWrong
from drives.capacity import locks
from volunteers import queries as volunteers_queries
from volunteers import verification
from volunteers.models import Contact


@transaction.atomic
def ask(*, typed: str, browser: str, fresh: str, bound_to: str, ip: str | None, now: datetime) -> str:
    """Have a code sent to a phone or mailbox that a volunteer is known by; returns the identity to verify.

    The answer and the work do not depend on who is known. `fresh` is the browser's token from here on, made for this
    proof: one that somebody planted there before proves nothing. Refuses as `verification.ask`.
    """
    verification.renew_browser(old=browser, new=fresh, now=now)
    return verification.ask(typed=typed, bound_to=bound_to, ip=ip, now=now)


def prove(*, identity: str, code: str, bound_to: str, browser: str, now: datetime) -> None:
    """Believe that this browser's user holds the contact, for 30 days; raises CodeWrong.

    What an organization noted for a person under this contact counts as proved from here on. A second tap answers as
    the first. Locks: identity.
    """
    # A wrong try counts although it is refused.
    with transaction.atomic():
        locks.identities([identity])
        result = verification.try_code(identity=identity, bound_to=bound_to, code=code, now=now)
        is_proved = result == verification.CodeResult.OK or volunteers_queries.proved_here(identity, bound_to, now)
        if is_proved:
            verification.remember_browser(token=browser, identity=identity, now=now)
            Contact.objects.filter(identity=identity, proved_at=None).exclude(owner=None).update(proved_at=now)
    if not is_proved:
        raise CodeWrong(result)


@transaction.atomic
def send_codes(*, now: datetime, limit: int = 100) -> int:
    """Send the codes that people asked for; returns how many. Who is not known gets nothing, and is not told.

    Locks: identities, for nothing is sent to somebody who is being erased; then the rows of who asked.
    """
    locks.identities(looked_for := verification.looked_for(limit, now))
    waiting = verification.waiting(looked_for, now)
    known = queries.newest_contacts([asked.identity for asked in waiting])
    for asked in waiting:
        contact, language = known.get(asked.identity, (None, ""))
        verification.send_waiting(asked=asked, to=contact, language=language, now=now)
    return sum(asked.identity in known for asked in waiting)
