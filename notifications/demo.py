"""The past that a demo is given: what was due then went out then, to the demo's inbox and nowhere else."""

from datetime import datetime

from django.db import transaction

from notifications import claim, delivery, results
from notifications.models import Channel
from notifications.providers.inbox import InboxProvider

BATCH = 500


@transaction.atomic(savepoint=False)
def deliver_to_inbox(*, now: datetime) -> int:
    """Bring everything that is due at `now` through the gate and into the inbox, whatever provider is configured.

    Consent, opt-outs, quiet hours and expiry are judged at `now`. Returns how many were delivered.
    """
    return sum(_deliver_channel(channel, now) for channel in Channel.values)


def _deliver_channel(channel: str, now: datetime) -> int:
    provider, delivered = InboxProvider(), 0
    while True:
        claimed = claim.claim_messages(channel=channel, limit=BATCH, now=now)
        passed = claim.admit_messages(claimed=claimed, now=now)
        outcomes = [delivery.call_provider(provider, message, message.letter(now)) for message in passed]
        results.record_results(call_results=outcomes, now=now, chance=lambda: 0.0)
        delivered += len(outcomes)
        if len(claimed) < BATCH // 2:  # a claim shares itself out, so that a full one may come in parts
            return delivered
