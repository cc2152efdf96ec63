"""The limit on unverified bookings that one phone number or mailbox may hold at once."""

from django.utils.translation import gettext as _

from drives.refusals import Reason

MAX_HOLDS_PER_CONTACT = 2


def reasons_against_more_holds(live_hold_count: int) -> list[Reason]:
    if live_hold_count < MAX_HOLDS_PER_CONTACT:
        return []
    text = _(
        "We’re already holding %(count)s times for this phone or e-mail. Finish booking one of them, or wait until they"
        " expire."
    )
    return [Reason("too_many_holds", text % {"count": MAX_HOLDS_PER_CONTACT})]
