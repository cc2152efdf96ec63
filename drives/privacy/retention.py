"""Nothing personal is kept for longer than it is of use: sweeps that may run twice and be killed in the middle."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from drives.models import Conversation
from drives.privacy import erase, inactive
from drives.privacy.erase import Because
from drives.refusals import Refusal
from notifications import erasure
from notifications.erasure import TEXTS_KEPT
from volunteers import retention
from volunteers.models import Contact

MOST_AT_ONCE = 500
GRACE = timedelta(days=1)  # what is younger may belong to somebody who is just being entered

log = logging.getLogger(__name__)


def forget(*, now: datetime) -> dict[str, int]:
    """Erase who was not heard of, blank old texts, and hash or delete the addresses that belong to nobody any more."""
    return {
        "erased": erase_silent(now=now),
        "texts": erasure.forget_old_texts(now=now),
        "conversations": _forget_talks(now),
        "contacts": retention.forget_orphans(),
        "hashed": retention.hash_strangers(before=now - GRACE),
    }


def erase_silent(*, now: datetime, limit: int = MOST_AT_ONCE) -> int:
    """Erase up to `limit` people whose last contact is longer ago than their organization keeps people.

    Each in a transaction of its own; one who cannot be erased does not hold up the others. Returns how many were.
    """
    return sum(_erase(volunteer_id, now) for volunteer_id in inactive.silent(now, limit))


def _erase(volunteer_id: int, now: datetime) -> bool:
    try:
        erase.erase(volunteer_id=volunteer_id, because=Because.SILENT, actor="worker", now=now)
    except Refusal:
        return False
    except Exception as error:
        log.error("volunteer %s cannot be erased: %s", volunteer_id, type(error).__name__)
        return False
    return True


@transaction.atomic
def _forget_talks(now: datetime) -> int:
    """Conversations with numbers that the organization does not know, 90 days after their last word."""
    known = Contact.objects.filter(organization=OuterRef("organization"), address=OuterRef("address"))
    old = Conversation.objects.filter(~Exists(known), newest_at__lt=now - TEXTS_KEPT)
    return old.delete()[1].get("drives.Conversation", 0)
