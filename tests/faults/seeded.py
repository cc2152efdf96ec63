"""The bugs that the faults must catch: each is what a simpler program would do."""

from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

from notifications.actions import delivery, handover, reconciliation
from notifications.actions.claimed import Claimed
from notifications.gateways import Gateway
from notifications.models import Message


def record_first() -> None:
    """A message counts as sent before the provider was called: a kill in between loses it."""
    gate = delivery.gate

    def hasty(**asked: Any) -> Sequence[Claimed]:
        passed = gate(**asked)
        Message.objects.filter(pk__in=[one.id for one in passed]).update(state="accepted", lease_until=None)
        return passed

    patch.object(delivery, "gate", hasty).start()


def no_token() -> None:
    """The gate does not ask whether a message is still ours."""
    condition = "AND message.attempt_token = ours.token AND message.state || '' = 'claimed'"
    open_gate = handover.GATE.replace(condition, "")
    assert open_gate != handover.GATE
    patch.object(handover, "GATE", open_gate).start()


def no_look_up() -> Any:
    """What a worker died with is sent again without asking the provider; gives the patch, to be ended."""

    def blind(message: Message, gateway: Gateway, now: Any) -> str:
        return reconciliation._unknown(message, now, asked=True)

    return patch.object(reconciliation, "_resolve", blind)
