"""Delete personal data after its retention period. All functions can be interrupted and repeated."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from drives.models import Conversation
from drives.privacy import erase, inactive, rules
from drives.privacy.erase import ErasureReason
from drives.refusals import Refusal
from notifications import erasure
from notifications import rules as notifications_rules
from organizations import sweeps
from volunteers import retention
from volunteers.models import Contact

MAX_PER_RUN = 500
REMEMBERED_AT_ONCE = 1_000


def apply_retention(*, now: datetime) -> dict[str, int]:
    """Erase inactive volunteers, delete old texts, and hash or delete contacts that no volunteer uses."""
    return {
        "erased": erase_inactive_volunteers(now=now),
        "texts": erasure.purge_old_texts(now=now),
        "conversations": _delete_old_conversations(now),
        "contacts": retention.purge_orphan_contacts(),
        "hashed": retention.hash_unknown_addresses(before=now - rules.HASH_CONTACTS_AFTER),
    }


def erase_inactive_volunteers(*, now: datetime, limit: int = MAX_PER_RUN) -> int:
    """Erase up to `limit` inactive volunteers, each in its own transaction. Return the number of erasures.

    If one erasure fails, the others still run.
    """
    while inactive.remember_active_volunteers(now, REMEMBERED_AT_ONCE):
        pass
    volunteer_ids = inactive.list_inactive_volunteers(now, limit)
    return sweeps.run_each("erase_inactive", volunteer_ids, lambda pk: _erase_inactive(pk, now), now=now)


def _erase_inactive(volunteer_id: int, now: datetime) -> bool:
    try:
        erase.erase_volunteer(volunteer_id=volunteer_id, reason=ErasureReason.INACTIVE, actor="worker", now=now)
    except Refusal:
        return False
    return True


@transaction.atomic
def _delete_old_conversations(now: datetime) -> int:
    known = Contact.objects.filter(organization=OuterRef("organization"), address=OuterRef("address"))
    old = Conversation.objects.filter(~Exists(known), last_text_at__lt=now - notifications_rules.TEXTS_KEPT_FOR)
    return old.delete()[1].get("drives.Conversation", 0)
