"""What is deleted because it has done its work."""

from datetime import datetime, timedelta

from django.db import transaction

from volunteers.actions import limits
from volunteers.models import ProofCode, ProvedBrowser, Registration

UNPROVED_LIFE = timedelta(days=1)
_BATCH = 1_000


@transaction.atomic
def purge(*, now: datetime) -> dict[str, int]:
    """Delete expired codes and browsers, counters whose window is over, and up to 1,000 old unproved registrations.

    A registration that a held booking still uses stays. Returns how many of each went.
    """
    return {
        # A used code is the proof that `queries.proved_here` reads: it outlives its ten minutes.
        "codes": ProofCode.objects.filter(expires_at__lte=now - timedelta(hours=1)).delete()[0],
        "browsers": ProvedBrowser.objects.filter(expires_at__lte=now).delete()[0],
        "counters": limits.purge(now=now),
        "registrations": _unproved(now),
    }


def _unproved(now: datetime) -> int:
    old = Registration.objects.filter(proved_at=None, created_at__lt=now - UNPROVED_LIFE)
    batch = old.exclude(bookings__state="held").order_by("created_at", "id").values_list("pk", flat=True)[:_BATCH]
    return Registration.objects.filter(pk__in=list(batch)).delete()[1].get("volunteers.Registration", 0)
