"""Browsers that have verified a contact. For 30 days, they need no code for this contact."""

from datetime import datetime

from django.db import transaction

from organizations.models import linked_model
from volunteers import rules
from volunteers.models import VerifiedBrowser


@transaction.atomic(savepoint=False)
def save_verified_browser(*, token: str, identity: str, now: datetime) -> None:
    if not token:
        return
    verified = VerifiedBrowser(
        token_hash=linked_model.hash_token(token),
        identity=identity,
        verified_at=now,
        expires_at=now + rules.BROWSER_LIFETIME,
    )
    VerifiedBrowser.objects.bulk_create(
        [verified],
        update_conflicts=True,
        unique_fields=["token_hash", "identity"],
        update_fields=["verified_at", "expires_at"],
    )


@transaction.atomic(savepoint=False)
def replace_browser_token(*, old: str, new: str, now: datetime) -> None:
    verified = VerifiedBrowser.objects.filter(token_hash=linked_model.hash_token(old), expires_at__gt=now)
    copies = [
        VerifiedBrowser(
            token_hash=linked_model.hash_token(new),
            identity=one.identity,
            verified_at=one.verified_at,
            expires_at=one.expires_at,
        )
        for one in verified
    ]
    VerifiedBrowser.objects.bulk_create(copies, ignore_conflicts=True)


@transaction.atomic(savepoint=False)
def delete_verified_browser(*, token: str) -> None:
    VerifiedBrowser.objects.filter(token_hash=linked_model.hash_token(token)).delete()
