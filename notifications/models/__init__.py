from notifications.models.consent import ConsentEntry, OptOutBasis, Purpose, Suppression
from notifications.models.demo_inbox import Heartbeat, InboxItem
from notifications.models.limits import Allowance, Breaker, RefusalRun
from notifications.models.mailbox import MailboxRefusals
from notifications.models.message import UNSENT_STATES, Channel, Message, MessageState
from notifications.models.reply import InboundMessage, Report
from notifications.models.sender import Sender

__all__ = [
    "UNSENT_STATES",
    "Allowance",
    "Breaker",
    "Channel",
    "ConsentEntry",
    "Heartbeat",
    "InboundMessage",
    "InboxItem",
    "MailboxRefusals",
    "Message",
    "MessageState",
    "OptOutBasis",
    "Purpose",
    "RefusalRun",
    "Report",
    "Sender",
    "Suppression",
]
