"""The demo's provider: messages are shown at /demo/inbox/ and leave the machine never."""

from datetime import datetime

from notifications.models import InboxItem, MessageState
from notifications.providers.base import Found, Letter, Receipt


class InboxGateway:
    """Delivers at once."""

    parallel = 0
    can_look_up = False

    def send(self, letter: Letter) -> Receipt:
        item = InboxItem.objects.create(
            channel=letter.channel,
            sender=letter.number or letter.messaging_service or letter.name,
            to=letter.address,
            subject=letter.subject,
            text=letter.text,
            html=letter.html,
            calendar=letter.calendar,
            at=letter.at,
        )
        return Receipt(f"inbox-{item.pk}", MessageState.DELIVERED)

    def find(self, letter: Letter, since: datetime) -> list[Found]:
        return []

    def fetch(self, provider_id: str) -> Found | None:
        return None

    def close(self) -> None:
        pass
