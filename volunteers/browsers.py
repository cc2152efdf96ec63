"""Browsers that verified a contact: for 30 days they are not asked for a code of it again."""

from datetime import datetime

from django.db import transaction

from organizations.models import linked
from volunteers import rules
from volunteers.models import ProvedBrowser


@transaction.atomic(savepoint=False)
def remember(*, token: str, identity: str, now: datetime) -> None:
    """Ask this browser for no code of this contact for 30 days from now. An empty token remembers nothing."""
    if not token:
        return
    verified = ProvedBrowser(
        token_hash=linked.token_digest(token), identity=identity, proved_at=now, expires_at=now + rules.BROWSER_LIFE
    )
    ProvedBrowser.objects.bulk_create(
        [verified],
        update_conflicts=True,
        unique_fields=["token_hash", "identity"],
        update_fields=["proved_at", "expires_at"],
    )


@transaction.atomic(savepoint=False)
def renew(*, old: str, new: str, now: datetime) -> None:
    """Let another token of the same browser stand for what it verified before, until the same days."""
    verified = ProvedBrowser.objects.filter(token_hash=linked.token_digest(old), expires_at__gt=now)
    kept = [
        ProvedBrowser(
            token_hash=linked.token_digest(new),
            identity=one.identity,
            proved_at=one.proved_at,
            expires_at=one.expires_at,
        )
        for one in verified
    ]
    ProvedBrowser.objects.bulk_create(kept, ignore_conflicts=True)


@transaction.atomic(savepoint=False)
def forget(*, token: str) -> None:
    """Ask this browser for codes again, of every contact it verified."""
    ProvedBrowser.objects.filter(token_hash=linked.token_digest(token)).delete()
