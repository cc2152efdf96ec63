"""The provider of the demo. It stores messages for /demo/inbox/ and sends nothing."""

from datetime import datetime

from notifications.models import InboxItem, MessageState
from notifications.providers.base import OutgoingMessage, ProviderMessage, Receipt


class InboxProvider:
    parallel_calls = 0
    can_look_up = False

    def send(self, message: OutgoingMessage) -> Receipt:
        item = InboxItem.objects.create(
            channel=message.channel,
            sender=message.number or message.messaging_service or message.name,
            to=message.address,
            subject=message.subject,
            text=message.text,
            html=message.html,
            calendar=message.calendar,
            at=message.at,
        )
        return Receipt(f"inbox-{item.pk}", MessageState.DELIVERED)

    def find(self, message: OutgoingMessage, since: datetime) -> list[ProviderMessage]:
        return []

    def fetch(self, provider_id: str) -> ProviderMessage | None:
        return None

    def check(self, number: str) -> None:
        pass

    def close(self) -> None:
        pass
