"""Rules for message times, retries, delivery reports, unverified mailboxes, possible opt-outs and worker limits.

Nothing here queries the database.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from notifications.models import MessageState

# Times of messages -----------------------------------------------------------------------------------------------

CODE_LIFETIME = timedelta(minutes=10)
USEFUL_AT_LEAST = timedelta(minutes=30)  # how long a message about a visit that has begun may still be sent
QUIET_HOURS_MARGIN = timedelta(minutes=15)  # from a text that is moved to the evening before, to quiet hours
NOON_HOUR = 12  # a text about a visit before noon leaves during quiet hours, too

# Retries ---------------------------------------------------------------------------------------------------------

MOST_ATTEMPTS = 10
MAX_REFUSALS = 3  # permanent refusals in a row, after which a mailbox gets only codes
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(minutes=30)


def compute_pause(attempt: int, chance: float, retry_after: timedelta = timedelta()) -> timedelta:
    """Return the pause after failed attempt number `attempt`. Each pause doubles the last one, up to `LONGEST_PAUSE`.

    If the provider asked us to wait, no pause is shorter than `retry_after`.

    `chance` is a random number from 0 to 1. It picks a moment in the second half of the pause, so that the retries of
    many messages do not all come at the same time.
    """
    whole: timedelta = min(FIRST_PAUSE * 2 ** min(attempt - 1, 16), LONGEST_PAUSE)
    return max(whole * (0.5 + chance / 2), retry_after + whole * (chance / 10))


# Reports ---------------------------------------------------------------------------------------------------------

_STATES: Mapping[str, MessageState] = MappingProxyType(
    {
        "accepted": MessageState.ACCEPTED,
        "scheduled": MessageState.ACCEPTED,
        "queued": MessageState.ACCEPTED,
        "sending": MessageState.ACCEPTED,
        "sent": MessageState.SENT,
        "failed": MessageState.FAILED,
        "canceled": MessageState.FAILED,
        "undelivered": MessageState.UNDELIVERED,
        "delivered": MessageState.DELIVERED,
        "read": MessageState.DELIVERED,
    }
)
# Reports come in any order, and the highest rank wins. A queued retry has the rank of the failure that caused it.
_RANKS: Mapping[str, int] = MappingProxyType(
    {
        MessageState.SENDING: 0,
        MessageState.IN_DOUBT: 0,
        MessageState.ACCEPTED: 1,
        MessageState.SENT: 2,
        MessageState.FAILED: 3,
        MessageState.UNDELIVERED: 4,
        MessageState.QUEUED: 4,
        MessageState.CLAIMED: 4,
        MessageState.DELIVERED: 5,
    }
)
FINAL = frozenset({MessageState.FAILED, MessageState.UNDELIVERED, MessageState.DELIVERED})


def parse_status(status: str) -> MessageState | None:
    return _STATES.get(status.lower())


def is_forward_move(current: str, reported: str) -> bool:
    # Withdrawn, expired and blocked messages have no rank, so they never change.
    return current in _RANKS and _RANKS[reported] > _RANKS[current]


# Unverified mailboxes --------------------------------------------------------------------------------------------

EMAILS_TO_UNVERIFIED_MAILBOX = 2  # about one booking or waitlist entry: the confirmation and one more

# Possible opt-outs -----------------------------------------------------------------------------------------------

DECIDE_WITHIN_BUSINESS_DAYS = 2
PAUSE_CHECK = timedelta(minutes=15)  # how often a paused message is tried again
_SATURDAY = 5


def compute_decision_deadline(asked_at: datetime, zone: str) -> datetime:
    """Return the time by which a coordinator must decide on a possible opt-out: two business days later, same hour."""
    local, days = asked_at.astimezone(ZoneInfo(zone)), 0
    while days < DECIDE_WITHIN_BUSINESS_DAYS:
        local += timedelta(days=1)
        days += local.weekday() < _SATURDAY
    return local.astimezone(asked_at.tzinfo)


# Limits of the workers --------------------------------------------------------------------------------------------

BREAKER_FAILURES = 10  # in a row; then the breaker opens
BREAKER_OPEN_DURATIONS = (timedelta(seconds=15), timedelta(seconds=30), timedelta(seconds=60))
PROBE_TIMEOUT = timedelta(seconds=15)  # longer than the longest call; ends the probe of a worker that has died

PROVIDER_LIST_DELAY = timedelta(seconds=60)  # a message may take this long to appear in the provider's list
LOOKUP_WINDOW = timedelta(days=3)  # long, because clocks may jump; number and text identify a message
MOST_RESENDS = 5  # if the provider says that it has no such message
MOST_BLIND_RESENDS = 2  # if the provider cannot be asked; each resend may be a duplicate
LOOKUP_TIMEOUT = timedelta(minutes=10)  # how long we try to look up one message
STATUS_POLLED_FOR = timedelta(days=1)
RECONCILIATION_RUN_SECONDS = 20
CHECK_LEASE = timedelta(seconds=45)  # keeps other workers away; longer than a run
RETRY_UNREACHABLE_AFTER = timedelta(seconds=30)

OVERDUE_AFTER = timedelta(minutes=5)  # then `/readyz` fails and the administrators get an alert
MANY_REFUSALS = 5  # in a row; then `/readyz` fails and the administrators get an alert, too
MESSAGE_LATE_AFTER, MIN_TRIES_FOR_ALERT = timedelta(minutes=2), 4
MIN_TEXTS_FOR_LOSS_RATE, MAX_LOST_PERCENT = 20, 20  # an alert if more than this share of the last texts is lost

TEXTS_KEPT_FOR = timedelta(days=90)  # then the text of a message is erased
