"""The audit log. It has an entry for each change of a plan, a person or a setting."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from organizations.models import AuditEntry, Organization


@transaction.atomic(savepoint=False)
def add_audit_entry(
    *, organization: Organization, actor: str, verb: str, about: str, fields: Sequence[str] = (), now: datetime
) -> AuditEntry:
    """Add an audit entry. Pass only ids and field names, never personal data."""
    return AuditEntry.objects.create(
        organization=organization, actor=actor, verb=verb, about=about, fields=list(fields), at=now
    )


@transaction.atomic(savepoint=False)
def add_admin_entries(
    *, organization_ids: Collection[int | None], actor: str, verb: str, about: str, now: datetime
) -> list[AuditEntry]:
    """Add an entry for each organization. The id None is for rows that belong to no organization."""
    entries = [AuditEntry(organization_id=pk, actor=actor, verb=verb, about=about, at=now) for pk in organization_ids]
    return AuditEntry.objects.bulk_create(entries)
