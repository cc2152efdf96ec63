"""Deliver the demo's past messages to the demo inbox."""

from datetime import datetime

from django.db import transaction

from notifications import claim, delivery, results
from notifications.models import Channel
from notifications.providers.inbox import InboxProvider

BATCH = 500


@transaction.atomic(savepoint=False)
def deliver_to_inbox(*, now: datetime) -> int:
    """Deliver all messages due at `now` to the inbox, even if another provider is configured. Return their number.

    Consent, opt-outs, quiet hours and expiry are checked as of `now`.
    """
    return sum(_deliver_channel(channel, now) for channel in Channel.values)


def _deliver_channel(channel: str, now: datetime) -> int:
    provider, delivered = InboxProvider(), 0
    while True:
        claimed = claim.claim_messages(channel=channel, limit=BATCH, now=now)
        passed = claim.admit_messages(claimed=claimed, now=now)
        call_results = [
            delivery.call_provider(provider, message, message.build_outgoing_message(now)) for message in passed
        ]
        results.record_results(call_results=call_results, now=now, chance=lambda: 0.0)
        delivered += len(call_results)
        if len(claimed) < BATCH // 2:  # claims are shared among organizations, so a batch may not be full
            return delivered
