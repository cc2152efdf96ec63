"""Change an organization's own settings, and mark set-up steps as done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from organizations import audit
from organizations.models import Organization, OrganizationLogo


@transaction.atomic
def change_organization(
    *,
    organization: Organization,
    values: Mapping[str, Any],
    logo: bytes = b"",
    step: str,
    actor: str,
    now: datetime,
) -> list[str]:
    """Save these fields, and mark the set-up step as done. Return the names of the changed fields.

    `logo` is the PNG for a new `logo_digest`.
    """
    row = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    row.setup_steps = [*(one for one in row.setup_steps if one != step), step]
    row.save(update_fields=[*changed, "setup_steps"])
    if "logo_digest" in changed:
        OrganizationLogo.objects.filter(organization=row).delete()
        if row.logo_digest:
            OrganizationLogo.objects.create(organization=row, content=logo)
    if changed:
        about = f"organization:{row.pk}"
        audit.add_audit_entry(organization=row, actor=actor, verb="changed", about=about, fields=changed, now=now)
    return changed


def finish_setup_step(*, organization: Organization, step: str) -> None:
    _add_setup_mark(organization, step)


def skip_setup_step(*, organization: Organization, step: str) -> None:
    _add_setup_mark(organization, build_skipped_mark(step))


def build_skipped_mark(step: str) -> str:
    return f"skipped:{step}"


@transaction.atomic
def _add_setup_mark(organization: Organization, mark: str) -> None:
    row = Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if mark not in row.setup_steps:
        row.setup_steps = [*row.setup_steps, mark]
        row.save(update_fields=["setup_steps"])
