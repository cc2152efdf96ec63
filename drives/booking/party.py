from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from drives.booking import rules
from drives.models import ACTIVE_STATES, Booking, BookingState, Visit


@dataclass(frozen=True)
class PartyMember:
    booking: Booking

    @property
    def name(self) -> str:
        person = self.booking.volunteer or self.booking.registration
        return person.name if person else ""

    @property
    def may_change(self) -> bool:
        return self.booking.state in rules.CHANGEABLE_STATES


@dataclass(frozen=True)
class Party:
    """The members of a booking's party, including the booking itself, in the order they were entered.

    The leader is the first member with a live booking. The booking pages of the leader and of the first member show all
    members. The pages of the other members show only their own booking.
    """

    members: Sequence[PartyMember] = ()
    leader: Booking | None = None
    is_shown: bool = False
    others: Sequence[PartyMember] = ()  # the other members who are coming or have come

    @property
    def first_visits(self) -> int:
        return sum(member.booking.visit == Visit.FIRST for member in self.members)

    @property
    def changeable_bookings(self) -> list[Booking]:
        return [member.booking for member in self.members if member.may_change]

    @property
    def may_change_all(self) -> bool:
        return len(self.changeable_bookings) > 1


def find_first_arrival(party: Iterable[Booking]) -> Booking:
    """Return the booking with the earliest arrival. Its arrival time is the one that the donor chose for the party."""
    return min(party, key=lambda booking: (booking.starts_at, booking.pk))


def load_party(booking: Booking) -> Party:
    return load_parties([booking])[booking.pk]


def load_parties(bookings: Iterable[Booking]) -> dict[int, Party]:
    """Load the party of each booking, keyed by booking id. One query, or none if no booking has a party."""
    requested = list(bookings)
    party_ids = {booking.party for booking in requested if booking.party}
    rows = Booking.objects.filter(party__in=party_ids).exclude(state=BookingState.LAPSED)
    rows_by_party: dict[UUID | None, list[Booking]] = {}
    for row in rows.select_related("volunteer", "registration").order_by("pk"):
        rows_by_party.setdefault(row.party, []).append(row)
    return {booking.pk: _build_party(booking, rows_by_party.get(booking.party, [])) for booking in requested}


def _build_party(booking: Booking, rows: Sequence[Booking]) -> Party:
    if booking.party is None:
        return Party()
    leader = next((row for row in rows if row.state in (BookingState.HELD, *ACTIVE_STATES)), None)
    leads = leader is not None and leader.pk == booking.pk
    is_first = bool(rows) and rows[0].pk == booking.pk
    gone = (BookingState.HELD, BookingState.CANCELLED, BookingState.NO_SHOW)
    others = [PartyMember(row) for row in rows if row.pk != booking.pk and row.state not in gone]
    return Party([PartyMember(row) for row in rows], leader, (leads or is_first) and len(rows) > 1, others)
