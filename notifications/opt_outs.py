"""Stop texts to a number, pause them until a coordinator decides, or resume them. Confirm a stop to the donor once."""

from datetime import datetime

from django.db import transaction

from notifications import consents, envelopes, kinds, outbox, queries, rules
from notifications.envelopes import Addressee
from notifications.message_content import MessageContent, RenderedMessage
from notifications.models import Channel, Message, OptOutBasis, Sender, Suppression
from organizations import sweeps
from organizations.models import Organization

# In both languages, because the service does not know which donor of a shared phone wrote. One GSM-7 segment with a
# name of 20 characters.
CONFIRMATION = (
    "{name}: You won't get more texts from us. Text START to undo. / No le enviaremos textos. START para volver."
)

MOST_SETTLED = 500  # in one sweep; the next sweep continues


@transaction.atomic(savepoint=False)
def stop_texts(
    *,
    sender: Sender,
    address: str,
    basis: OptOutBasis,
    source: str = "text",
    actor: str = "donor",
    is_confirmed_by_provider: bool = False,
    now: datetime,
) -> None:
    """Stop all texts of the sender to this number. Text the donor one confirmation, unless the provider sends it."""
    was_stopped = Suppression.objects.in_force().filter(sender=sender, address=address).exists()
    consents.suppress_address(sender=sender, address=address, basis=basis, source=source, actor=actor, now=now)
    if not was_stopped and not is_confirmed_by_provider:
        _queue_confirmation(Suppression.objects.get(sender=sender, address=address), now)


@transaction.atomic(savepoint=False)
def pause_texts(*, sender: Sender, address: str, now: datetime) -> None:
    """Let texts to this number wait until a coordinator decides. Does nothing if the number has opted out."""
    newest = _find_newest_text(sender, address)
    decide_by = rules.compute_decision_deadline(now, newest.zone if newest else "UTC")
    fresh = Suppression(sender=sender, address=address, since=now, basis=OptOutBasis.UNDECIDED, decide_by=decide_by)
    Suppression.objects.bulk_create([fresh], ignore_conflicts=True)


@transaction.atomic(savepoint=False)
def resume_texts(*, sender: Sender, address: str, basis: OptOutBasis, actor: str, now: datetime) -> bool:
    """Dismiss a possible opt-out, or undo an opt-out that was inferred from a sentence.

    Return False if there is none. An opt-out by keyword, such as STOP, stays.
    """
    if basis == OptOutBasis.KEYWORD:
        return False
    return consents.lift_suppression(
        sender=sender, address=address, bases=[basis], source="coordinator", actor=actor, now=now
    )


def settle_undecided(*, now: datetime, limit: int = MOST_SETTLED) -> int:
    """Stop texts to numbers for which no coordinator decided in time. Each number has its own transaction."""
    overdue = Suppression.objects.filter(decide_by__lte=now).order_by("decide_by", "pk")
    ids = overdue.values_list("pk", flat=True)[:limit]
    return sweeps.run_each("settle_opt_outs", ids, lambda pk: _settle(pk, now), now=now)


@transaction.atomic
def _settle(suppression_id: int, now: datetime) -> int:
    rows = Suppression.objects.filter(pk=suppression_id, decide_by__lte=now).select_related("sender")
    undecided = rows.select_for_update(skip_locked=True, of=("self",)).first()
    if undecided is None:
        return 0
    stop_texts(sender=undecided.sender, address=undecided.address, basis=OptOutBasis.SENTENCE, actor="service", now=now)
    return 1


def _queue_confirmation(suppression: Suppression, now: datetime) -> None:
    organization = _find_organization(suppression)
    if organization is None or not suppression.address.startswith("+"):  # an erased number has no address
        return
    (envelope,) = envelopes.build_envelopes(
        kinds.OPT_OUT,
        Addressee([(Channel.SMS, suppression.address)]),
        key=f"suppression:{suppression.pk}/{kinds.OPT_OUT.name}",
        about=f"suppression:{suppression.pk}",
        due_at=now,
    )
    content = MessageContent(text=CONFIRMATION.format(name=organization.sms_name))
    outbox.queue_messages(organization=organization, messages=[RenderedMessage(envelope, content)], now=now)


def _find_organization(suppression: Suppression) -> Organization | None:
    newest = _find_newest_text(suppression.sender, suppression.address)
    if newest is not None and newest.organization is not None:
        return newest.organization
    return queries.filter_organizations_of_sender(suppression.sender).order_by("pk").first()


def _find_newest_text(sender: Sender, address: str) -> Message | None:
    texts = Message.objects.filter(address=address, sender=sender, channel=Channel.SMS, sending_at__isnull=False)
    return texts.select_related("organization").order_by("-sending_at", "-pk").first()
