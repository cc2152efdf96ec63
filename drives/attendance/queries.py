import string
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from drives.attendance import rules
from drives.booking import party as booking_party
from drives.booking import rules as booking_rules
from drives.booking.party import Party
from drives.messaging.reach import NOT_REACHED_STATES, REACHED_STATES
from drives.models import Booking, BookingState, Drive
from notifications import contact_address
from notifications import queries as notifications_queries
from notifications.models import Message, MessageState
from volunteers import queries as volunteers_queries
from volunteers.models import Contact

NUMBER_DIGITS = 8  # references are shorter, so text with at least 8 digits is a phone number


@dataclass(frozen=True)
class RosterRow:
    booking: Booking
    messages: list[Message] = field(default_factory=list)
    party: Party = field(default_factory=Party)

    @property
    def failed_messages(self) -> list[Message]:
        """List messages that failed, unless a message of the same kind was delivered on another channel."""
        delivered_kinds = {message.kind for message in self.messages if message.state in REACHED_STATES}
        return [
            message
            for message in self.messages
            if message.state in NOT_REACHED_STATES and message.kind not in delivered_kinds
        ]

    @property
    def newest_message(self) -> Message | None:
        """Return the message to show in the roster: one of the kind that was sent last.

        Prefers the first message of that kind that reached the donor. Scheduled and withdrawn messages are ignored.
        Returns None if no message is left.
        """
        planned = (MessageState.SCHEDULED, MessageState.WITHDRAWN)
        sent = [message for message in self.messages if message.state not in planned]
        same_kind = [message for message in sent if message.kind == sent[-1].kind]
        return next(
            (message for message in same_kind if message.state in REACHED_STATES), same_kind[-1] if same_kind else None
        )


@dataclass(frozen=True)
class CheckinRow:
    """A booking on the check-in list. `late_minutes` counts from the arrival time. Before the arrival time, it is 0."""

    booking: Booking
    late_minutes: int
    party: Party
    neighbor_id: int | None = None  # the next booking in its group, or the previous one if it is the last


@dataclass(frozen=True)
class CheckinList:
    due: list[CheckinRow]
    late: list[CheckinRow]
    checked_in: list[CheckinRow]
    upcoming: list[CheckinRow]
    finished: list[CheckinRow]


CHECKIN_GROUPS = tuple(each.name for each in fields(CheckinList))
LISTED_STATES = [state for state in BookingState if state not in (BookingState.HELD, BookingState.LAPSED)]
# The columns that the lists, the CSV file and the API show. Building complete rows took a third of a page's time.
_SHOWN = (
    "arrival",
    "checked_in_at",
    "created_at",
    "drive",
    "outcome_at",
    "override_reason",
    "party",
    "reference",
    "source",
    "starts_at",
    "state",
    "visit",
    "volunteer__email__address",
    "volunteer__language",
    "volunteer__name",
    "volunteer__phone__address",
)


def load_roster(drive: Drive) -> list[RosterRow]:
    return load_roster_rows(list(filter_roster(drive)))


def load_printed_roster(drive: Drive) -> list[RosterRow]:
    """Load the roster without cancelled bookings and without messages."""
    bookings = list(filter_roster(drive).exclude(state=BookingState.CANCELLED))
    parties = booking_party.load_parties(bookings)
    return [RosterRow(booking, party=parties[booking.pk]) for booking in bookings]


def filter_roster(drive: Drive, search: str = "", state: str = "", *, by_contact: bool = True) -> QuerySet[Booking]:
    """Return the drive's bookings that match. Phone numbers are searched only if `by_contact` is true."""
    found = _filter_bookings(drive, search, by_contact=by_contact)
    return found.filter(state__in=[state] if state else LISTED_STATES)


def load_roster_rows(bookings: Sequence[Booking]) -> list[RosterRow]:
    messages = notifications_queries.list_messages_about([booking.about for booking in bookings])
    parties = booking_party.load_parties(bookings)
    return [RosterRow(booking, messages.get(booking.about, []), parties[booking.pk]) for booking in bookings]


def load_checkin_list(drive: Drive, now: datetime, search: str = "") -> CheckinList:
    """Load the check-in list. At most two queries.

    `search` matches words of a name, a booking's reference, or the last digits of a phone number.
    """
    groups = CheckinList([], [], [], [], [])
    bookings = list(
        _filter_bookings(drive, search).filter(state__in=LISTED_STATES).exclude(state=BookingState.CANCELLED)
    )
    parties = booking_party.load_parties(bookings)
    for booking in bookings:
        late = max(0, (now - booking.starts_at) // timedelta(minutes=1))
        _choose_group(groups, booking, now).append(CheckinRow(booking, late, parties[booking.pk]))
    for name in CHECKIN_GROUPS:
        _link_neighbors(getattr(groups, name))
    return groups


def _link_neighbors(rows: list[CheckinRow]) -> None:
    for position, row in enumerate(rows):
        near = rows[position + 1 : position + 2] or rows[max(0, position - 1) : position]
        rows[position] = replace(row, neighbor_id=near[0].booking.pk if near else None)


def _choose_group(groups: CheckinList, booking: Booking, now: datetime) -> list[CheckinRow]:
    if booking.state == BookingState.CHECKED_IN:
        return groups.checked_in
    if booking.state not in booking_rules.UPCOMING_STATES:
        return groups.finished
    if now - booking.starts_at > rules.LATE_AFTER:
        return groups.late
    return groups.due if booking.starts_at - now <= rules.DUE_WITHIN else groups.upcoming


def _filter_bookings(drive: Drive, search: str, *, by_contact: bool = True) -> QuerySet[Booking]:
    rows = drive.bookings.select_related("volunteer__phone", "volunteer__email").only(*_SHOWN)
    typed = contact_address.clean_compatible_line(search)
    digits = "".join(character for character in typed if character.isdecimal())
    is_number = len(digits) >= NUMBER_DIGITS or not any(character.isalpha() for character in typed)
    if digits and is_number and not by_contact:
        return rows.filter(reference=digits).order_by("starts_at", "pk")
    if digits and is_number:  # a phone number in any format
        owners = Contact.objects.of(drive.organization).filter(address__endswith=digits).values("owner")
        matches = Q(volunteer__phone__address__endswith=digits) | Q(volunteer__in=owners) | Q(reference=digits)
        return rows.filter(matches).order_by("starts_at", "pk")
    for word in contact_address.split_words(typed):
        by_name = volunteers_queries.build_name_condition(word, "volunteer__")
        rows = rows.filter(by_name | Q(reference__iexact=word.strip(string.punctuation)))
    return rows.order_by("starts_at", "pk")
