"""Make sure that only one worker at a time works on an import."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from drives.imports import rules
from drives.models import RUNNING_STATES, Import


class LeaseLost(Exception):
    """The lease has ended, for example because another worker took the import or a coordinator discarded it."""


def list_waiting_imports(now: datetime) -> list[int]:
    waiting = Import.objects.filter(_is_free(now), state__in=RUNNING_STATES).order_by("pk")
    return list(waiting.values_list("pk", flat=True)[: rules.IMPORTS_PER_RUN])


@transaction.atomic
def take_import(import_id: int, now: datetime) -> Import | None:
    """Take the import for one minute and return it. Return None if another worker has it or no work is left."""
    lease_until = now + rules.LEASE
    waiting = Import.objects.filter(_is_free(now), pk=import_id, state__in=RUNNING_STATES)
    if not waiting.update(lease_until=lease_until):
        return None
    return Import.objects.select_related("organization").get(pk=import_id)


def release_import(data_import: Import) -> None:
    Import.objects.filter(pk=data_import.pk, lease_until=data_import.lease_until).update(lease_until=None)


def lock_leased(data_import: Import) -> Import:
    """Lock and return the import's row. Raises LeaseLost if this worker no longer has the lease."""
    rows = Import.objects.filter(
        pk=data_import.pk, lease_until=data_import.lease_until, state=data_import.state, lease_until__isnull=False
    )
    locked = rows.select_related("organization").defer("content").select_for_update(no_key=True, of=("self",)).first()
    if locked is None:
        raise LeaseLost
    return locked


def _is_free(now: datetime) -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=now)
