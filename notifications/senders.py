"""Create, stop and resume the senders of texts."""

import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from notifications import providers, queries
from notifications.models import Message, MessageState, Sender
from notifications.providers.base import ProviderError

DEMO_NUMBER = "+12025550100"  # in the range reserved for fiction

UNLIMITED = {"per_minute": 0, "per_day": 0}  # the demo inbox has no carrier limits

logger = logging.getLogger(__name__)


def ensure_default_sender() -> Sender | None:
    configured = _read_sender_settings()
    present = Sender.objects.filter(is_default=True).first()
    if not configured or (present and all(getattr(present, name) == value for name, value in configured.items())):
        return present
    return _create_default_sender(configured)


@transaction.atomic(savepoint=False)
def _create_default_sender(configured: dict[str, str]) -> Sender:
    # Several workers may start at the same time.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('notifications.default_sender', 0))")
    Sender.objects.filter(is_default=True).exclude(**configured).update(is_default=False)
    created: dict[str, Any] = {**configured, "is_default": True, "name": "Installation"}
    if settings.SMS_PROVIDER == "inbox":
        created |= UNLIMITED
    # If an organization already has a sender with this number, that sender becomes the default.
    sender, _ = Sender.objects.update_or_create(**configured, defaults={"is_default": True}, create_defaults=created)
    return sender


def _read_sender_settings() -> dict[str, str]:
    service, number = settings.TWILIO_MESSAGING_SERVICE_SID, settings.TWILIO_FROM
    if service:
        return {"messaging_service": service}
    if settings.SMS_PROVIDER == "inbox":
        return {"number": number or DEMO_NUMBER}
    return {"number": number} if number else {}


def check_channel(channel: str, number: str = "") -> str:
    """Ask the provider whether our account works and has this number. Return the code of the problem, or ""."""
    try:
        providers.get_provider(channel).check(number)
    except ProviderError as error:
        return error.reason
    return ""


@transaction.atomic(savepoint=False)
def stop_sender(*, sender_id: int, reason: str, now: datetime) -> None:
    if Sender.objects.filter(pk=sender_id, stopped_at=None).update(stopped_at=now, stopped_reason=reason):
        logger.error("sender %s is stopped: %s", sender_id, reason)


@transaction.atomic(savepoint=False)
def resume_sender(*, sender: Sender, now: datetime) -> int:
    Sender.objects.filter(pk=sender.pk).update(stopped_at=None, stopped_reason="")
    blocked = Message.objects.filter(sender=sender, state=MessageState.BLOCKED, reason="sender_stopped")
    current = queries.exclude_outdated(blocked.filter(expires_at__gt=now))
    return current.update(state=MessageState.QUEUED, reason="", settled_at=None)
