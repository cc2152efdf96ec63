"""The roster of a drive and the list at its door."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from drives.booking import party as booking_party
from drives.booking import rules as booking_rules
from drives.booking.party import Party
from drives.messaging.reach import NOT_REACHED_STATES, REACHED_STATES
from drives.models import Booking, BookingState, Drive
from notifications import queries as notifications_queries
from notifications.models import Message, MessageState
from volunteers.models import Contact

DUE_WITHIN = timedelta(minutes=30)
LATE_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class RosterRow:
    """A booking with the newest word on its messages."""

    booking: Booking
    messages: list[Message] = field(default_factory=list)
    party: Party = field(default_factory=Party)

    @property
    def trouble(self) -> list[Message]:
        """Messages that did not reach this person, while none of the same kind did through another channel."""
        came = {message.kind for message in self.messages if message.state in REACHED_STATES}
        return [
            message for message in self.messages if message.state in NOT_REACHED_STATES and message.kind not in came
        ]

    @property
    def newest(self) -> Message | None:
        """The last message that was to go out, in the channel that reached the person if one did."""
        planned = (MessageState.SCHEDULED, MessageState.WITHDRAWN)
        gone = [message for message in self.messages if message.state not in planned]
        last = [message for message in gone if message.kind == gone[-1].kind]
        return next((message for message in last if message.state in REACHED_STATES), last[-1] if last else None)


@dataclass(frozen=True)
class CheckinRow:
    """A booking at the door; `late_minutes` counts from the arrival time while nobody has come."""

    booking: Booking
    late_minutes: int
    party: Party


@dataclass(frozen=True)
class CheckinList:
    """The day in the order in which it is worked: due now, late, in, to come, finished."""

    due: list[CheckinRow]
    late: list[CheckinRow]
    checked_in: list[CheckinRow]
    coming: list[CheckinRow]
    finished: list[CheckinRow]


LISTED_STATES = [state for state in BookingState if state not in (BookingState.HELD, BookingState.LAPSED)]


def load_roster(drive: Drive, search: str = "", state: str = "") -> list[RosterRow]:
    """A drive's bookings in order of arrival with contacts, messages and who comes along. Three queries."""
    rows = _filter_bookings(drive, search).filter(state__in=[state] if state else LISTED_STATES)
    bookings = list(rows)
    messages = notifications_queries.list_messages_about([booking.about for booking in bookings])
    parties = booking_party.load_parties(bookings)
    return [RosterRow(booking, messages.get(booking.about, []), parties[booking.pk]) for booking in bookings]


def load_checkin_list(drive: Drive, now: datetime, search: str = "") -> CheckinList:
    """Who is due, late, in and still to come; `search` matches a name or the last digits of a phone. Two queries."""
    groups = CheckinList([], [], [], [], [])
    bookings = list(
        _filter_bookings(drive, search).filter(state__in=LISTED_STATES).exclude(state=BookingState.CANCELLED)
    )
    parties = booking_party.load_parties(bookings)
    for booking in bookings:
        late = max(0, (now - booking.starts_at) // timedelta(minutes=1))
        _choose_group(groups, booking, now).append(CheckinRow(booking, late, parties[booking.pk]))
    return groups


def _choose_group(groups: CheckinList, booking: Booking, now: datetime) -> list[CheckinRow]:
    if booking.state == BookingState.CHECKED_IN:
        return groups.checked_in
    if booking.state not in booking_rules.UPCOMING_STATES:
        return groups.finished
    if now - booking.starts_at > LATE_AFTER:
        return groups.late
    return groups.due if booking.starts_at - now <= DUE_WITHIN else groups.coming


def _filter_bookings(drive: Drive, search: str) -> QuerySet[Booking]:
    rows = drive.bookings.select_related("volunteer__phone", "volunteer__email", "arrival")
    digits = "".join(letter for letter in search if letter.isdecimal())
    if digits and not any(letter.isalpha() for letter in search):  # a phone number, however it is typed
        owners = Contact.objects.of(drive.organization).filter(address__endswith=digits).values("owner")
        matches = Q(volunteer__phone__address__endswith=digits) | Q(volunteer__in=owners) | Q(reference=digits)
        return rows.filter(matches).order_by("starts_at", "pk")
    for word in search.split():
        rows = rows.filter(Q(volunteer__name__icontains=word) | Q(reference__iexact=word))
    return rows.order_by("starts_at", "pk")
