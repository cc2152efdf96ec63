"""Bugs that the fault tests must detect. A simpler design of the service would have them."""

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from unittest.mock import patch

from django.db import connection

from drives.imports import rules as import_rules
from drives.imports.write import PeopleWrite
from drives.messaging import invitations
from drives.models import Import
from notifications import claim, reconciliation
from notifications.claimed import ClaimedMessage
from notifications.models import Message
from notifications.providers.base import Provider
from organizations import audit
from organizations.models import AuditEntry, Organization

BATCH = 99  # the first number of an advisory lock; no other lock uses it


def record_first() -> None:
    """Seed a bug: record a message as sent before the call to the provider.

    If a worker is killed in between, the message is lost.
    """
    gate = claim.admit_messages

    def hasty(**asked: Any) -> Sequence[ClaimedMessage]:
        passed = gate(**asked)
        Message.objects.filter(pk__in=[one.id for one in passed]).update(state="accepted", lease_until=None)
        return passed

    patch.object(claim, "admit_messages", hasty).start()


def no_token() -> None:
    """Seed a bug: skip the check that this worker still owns the message."""
    condition = "AND message.attempt_token = ours.token AND message.state || '' = 'claimed'"
    open_gate = claim.ADMIT.replace(condition, "")
    assert open_gate != claim.ADMIT
    patch.object(claim, "ADMIT", open_gate).start()


def no_look_up() -> Any:
    """Seed a bug: after a worker has died, send the message again without asking the provider about it.

    Return the patch, which the caller must start and stop.
    """

    def blind(message: Message, provider: Provider, now: Any) -> str:
        return reconciliation._resend_or_give_up(message, now, asked=True)

    return patch.object(reconciliation, "_resolve_doubt", blind)


def few_at_once() -> None:
    """Use small batches of invitations.

    Each batch first waits for a different lock: `BATCH` with the number of the batch. A test can thus kill a worker
    between two batches.
    """
    batch, numbers = invitations._queue_batch, itertools.count()

    def barred(*asked: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [BATCH, next(numbers)])
        return batch(*asked)

    patch.object(invitations, "BATCH_SIZE", 2).start()
    patch.object(invitations, "_queue_batch", barred).start()


def few_rows_at_once() -> None:
    """Check and import a file in batches of two rows."""
    patch.object(import_rules, "ROWS_CHECKED_PER_BATCH", 2).start()
    patch.object(import_rules, "ROWS_IMPORTED_PER_BATCH", 2).start()


def position_first() -> None:
    """Seed a bug: save how far an import is before the batch is written.

    If a worker is killed in between, the people of the batch are lost.
    """
    write = PeopleWrite.do_batch

    def hasty(work: PeopleWrite) -> bool:
        numbers, _identities = work._find_next_rows()
        if numbers:
            Import.objects.filter(pk=work.data_import.pk).update(done_until=numbers[-1])
        return write(work)

    patch.object(PeopleWrite, "do_batch", hasty).start()


def noted_first() -> Any:
    """Seed a bug: record a round of invitations before it is done.

    If a worker is killed in between, the round is lost. Return the patch, which the caller must stop.
    """
    invitation = invitations.invite_donors

    def hasty(*, organization: Organization, now: datetime, in_quiet_hours: bool = False) -> int:
        day = f"{now:%Y-%m-%d}"
        if AuditEntry.objects.filter(organization=organization, verb="invited", about=day).exists():
            return 0
        audit.add_audit_entry(organization=organization, actor="worker", verb="invited", about=day, now=now)
        return invitation(organization=organization, now=now, in_quiet_hours=in_quiet_hours)

    patched = patch.object(invitations, "invite_donors", hasty)
    patched.start()
    return patched
