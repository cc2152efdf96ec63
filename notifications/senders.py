"""Create, stop and resume the senders of texts."""

import logging
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from notifications import providers, queries
from notifications.models import Message, MessageState, Sender, Suppression
from notifications.providers.base import ProviderError
from organizations import audit
from organizations.models import Organization

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
    _lock_senders()  # several workers may start at the same time
    Sender.objects.filter(is_default=True).exclude(**configured).update(is_default=False)
    created: dict[str, Any] = {**configured, "is_default": True, "name": "Installation"}
    if settings.SMS_PROVIDER == "inbox":
        created |= UNLIMITED
    # If an organization already has a sender with this number, that sender becomes the default.
    return Sender.objects.update_or_create(**configured, defaults={"is_default": True}, create_defaults=created)[0]


def _read_sender_settings() -> dict[str, str]:
    service, number = settings.TWILIO_MESSAGING_SERVICE_SID, settings.TWILIO_FROM
    if service:
        return {"messaging_service": service}
    if settings.SMS_PROVIDER == "inbox":
        return {"number": number or DEMO_NUMBER}
    return {"number": number} if number else {}


@transaction.atomic
def set_own_sender(
    *, organization: Organization, number: str = "", messaging_service: str = "", actor: str, now: datetime
) -> Sender:
    """Send the organization's texts from this number or messaging service, including texts that are already queued.

    Opt-outs at the organization's previous sender count at the new one, too. Refuses the address of another
    organization's sender (`sender_taken`) and that of the installation (`sender_is_default`). Locks: the senders of all
    organizations.
    """
    _lock_senders()
    before = queries.find_sender(organization)
    address = {"messaging_service": messaging_service} if messaging_service else {"number": number}
    sender = Sender.objects.filter(**address).first() or Sender.objects.create(**address, name=organization.name)
    if sender.is_default:
        raise ValidationError(
            _("This number belongs to the installation. Enter a number of your own."), code="sender_is_default"
        )
    if sender.organizations.exclude(pk=organization.pk).exists():
        raise ValidationError(
            _("Another organization already sends its texts from this number. Enter a different one."),
            code="sender_taken",
        )
    _replace_sender(organization, before, sender, actor, now)
    return sender


@transaction.atomic
def use_default_sender(*, organization: Organization, actor: str, now: datetime) -> None:
    """Send the organization's texts from the number of the installation again.

    Opt-outs at the organization's own number count at the installation's number, too. Refuses if the installation has
    no number (`no_default_sender`). Locks: the senders of all organizations.
    """
    _lock_senders()
    default = Sender.objects.filter(is_default=True).first()
    if default is None:
        raise ValidationError(
            _("This installation has no number for texts. Enter a number of your own."), code="no_default_sender"
        )
    _replace_sender(organization, queries.find_sender(organization), default, actor, now)


def _replace_sender(
    organization: Organization, before: Sender | None, after: Sender, actor: str, now: datetime
) -> None:
    if before == after:
        return
    if before:
        opt_outs = Suppression.objects.filter(sender=before)
        copies = [
            Suppression(
                sender=after,
                address=one.address,
                since=one.since,
                basis=one.basis,
                decide_by=one.decide_by,
                is_checked=one.is_checked,
            )
            for one in opt_outs.iterator()
        ]
        Suppression.objects.bulk_create(copies, ignore_conflicts=True, batch_size=1_000)
    organization.senders.set([] if after.is_default else [after])
    about, fields = f"organization:{organization.pk}", ["sender"]
    audit.add_audit_entry(organization=organization, actor=actor, verb="changed", about=about, fields=fields, now=now)


def _lock_senders() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('notifications.senders', 0))")


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
