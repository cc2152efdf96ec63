"""Revoke all links of an organization, or encrypt all links with a new SECRET_KEY.

Both functions work in batches, each in its own transaction. An interrupted call can be repeated.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction

from drives.models import Booking, Offer, WaitlistEntry
from notifications import outbox
from organizations import audit, key_fingerprints, secret_keys
from organizations.models import LinkedModel, Organization, linked_model
from volunteers.models import Contact, Volunteer

BATCH = 500
_ORGANIZATION_PATHS: dict[type[LinkedModel], str] = {
    Booking: "drive__organization",
    WaitlistEntry: "drive__organization",
    Offer: "entry__drive__organization",
    Volunteer: "organization",
    Contact: "organization",
}


@dataclass(frozen=True)
class ResealResult:
    resealed: int
    unreadable: int  # encrypted with an unknown key


def revoke_links(*, organization: Organization, actor: str, now: datetime) -> int:
    """Give every row of the organization a new link. Return the number of rows.

    Unsent messages get the new links, except messages that are queued while this function runs. Later messages about
    older bookings contain a notice that earlier links no longer work.
    """
    _record_revocation(organization, actor, now)
    unsent = outbox.list_unsent_tokens(organization=organization)

    def renew(rows: Sequence[LinkedModel]) -> int:
        replaced: dict[int, list[tuple[str, str]]] = defaultdict(list)
        for row in rows:
            old_hash = row.link_hash
            for name, value in row.build_renewed_link_fields().items():
                setattr(row, name, value)
            for message_id, token in unsent.get(old_hash, ()):
                replaced[message_id].append((token, row.token))
        type(rows[0])._default_manager.bulk_update(rows, ["epoch", "link_hash", "link_seal"])
        outbox.replace_tokens(replaced=replaced)
        return len(rows)

    return sum(
        _change_in_batches(model._default_manager.filter(**{path: organization}), renew)
        for model, path in _ORGANIZATION_PATHS.items()
    )


def reseal_links() -> ResealResult:
    """Encrypt (seal) every link with the current SECRET_KEY. The links stay the same."""
    unreadable = 0

    def reseal(rows: Sequence[LinkedModel]) -> int:
        nonlocal unreadable
        stale = [row for row in rows if not secret_keys.is_sealed_with_current_key(row.link_seal)]
        tokens = [(row, secret_keys.unseal(row.link_seal)) for row in stale]
        readable = [
            (row, token)
            for row, token in tokens
            if token is not None and linked_model.hash_token(token) == row.link_hash
        ]
        for row, token in readable:
            row.link_seal = secret_keys.seal(token)
        unreadable += len(stale) - len(readable)
        if readable:
            type(rows[0])._default_manager.bulk_update([row for row, _token in readable], ["link_seal"])
        return len(readable)

    resealed = sum(_change_in_batches(model._default_manager.all(), reseal) for model in _ORGANIZATION_PATHS)
    if not unreadable:
        key_fingerprints.keep_only_current_secret_key()
    return ResealResult(resealed, unreadable)


@transaction.atomic
def _record_revocation(organization: Organization, actor: str, now: datetime) -> None:
    Organization.objects.filter(pk=organization.pk).update(links_revoked_at=now)
    about = f"organization:{organization.pk}"
    audit.add_audit_entry(organization=organization, actor=actor, verb="links_revoked", about=about, now=now)


def _change_in_batches(rows: models.QuerySet[LinkedModel], change: Callable[[Sequence[LinkedModel]], int]) -> int:
    """Call `change` with batches of locked rows. Return the sum of its results.

    Rows that another transaction has locked are skipped, and later locked one by one. So the function never waits for a
    lock while it holds another one, and cannot cause a deadlock.
    """
    ids = list(rows.order_by("pk").values_list("pk", flat=True))
    model, changed, busy = rows.model, 0, []
    for start in range(0, len(ids), BATCH):
        batch = ids[start : start + BATCH]
        with transaction.atomic():
            locked = list(
                model._default_manager.filter(pk__in=batch)
                .order_by("pk")
                .select_for_update(no_key=True, skip_locked=True, of=("self",))
            )
            changed += change(locked) if locked else 0
        busy += sorted(set(batch) - {row.pk for row in locked})
    for pk in busy:
        with transaction.atomic():
            locked = list(model._default_manager.filter(pk=pk).select_for_update(no_key=True, of=("self",)))
            changed += change(locked) if locked else 0
    return changed
