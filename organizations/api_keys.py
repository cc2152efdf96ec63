"""Issue and revoke API keys. Only a hash of the secret is stored."""

import re
import secrets
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from organizations import audit, rules
from organizations.models import ApiKey, Organization, Role, linked_model

# 22 URL-safe characters have 128 bits, too many to guess.
_TOKEN_PATTERN = re.compile(r"pd_(?P<prefix>[A-Za-z0-9]{4,12})_(?P<secret>[A-Za-z0-9_-]{22,80})")


class ApiKeyTokenMalformed(ValidationError):
    """The token does not have the form pd_<prefix>_<secret>."""

    def __init__(self) -> None:
        super().__init__("A key looks like pd_<prefix>_<at least 22 letters and digits>.", code="token_malformed")


@transaction.atomic
def issue_api_key(
    *,
    organization: Organization,
    name: str,
    role: str = Role.COORDINATOR,
    now: datetime,
    expires_at: datetime | None = None,
    token: str | None = None,
    actor: str = "system",
) -> tuple[ApiKey, str]:
    """Create a key. The returned token is not stored, so it cannot be shown again."""
    token = token or f"pd_{secrets.token_hex(5)}_{secrets.token_urlsafe(32)}"
    parts = _TOKEN_PATTERN.fullmatch(token)
    if parts is None:
        raise ApiKeyTokenMalformed
    key = ApiKey.objects.create(
        organization=organization,
        name=name,
        prefix=parts["prefix"],
        secret_hash=linked_model.hash_token(parts["secret"]),
        role=Role(role),
        created_at=now,
        expires_at=expires_at,
    )
    audit.add_audit_entry(organization=organization, actor=actor, verb="issued", about=f"key:{key.pk}", now=now)
    return key, token


@transaction.atomic
def revoke_api_key(*, key: ApiKey, now: datetime, actor: str = "system") -> ApiKey:
    """Revoke a key. A second call does not change `revoked_at`."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        audit.add_audit_entry(
            organization=key.organization, actor=actor, verb="revoked", about=f"key:{key.pk}", now=now
        )
    key.refresh_from_db(fields=["revoked_at"])
    return key


def record_use(*, key: ApiKey, now: datetime) -> None:
    """Save the time at which a key was used, at most once a minute."""
    before = now - rules.KEY_USE_RECORDED_EVERY
    if key.last_used_at is None or key.last_used_at <= before:
        # Check again in the statement, because several requests may have read the same old time.
        stale = Q(last_used_at=None) | Q(last_used_at__lte=before)
        ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=now)
