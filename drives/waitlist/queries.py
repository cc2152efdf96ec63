"""Load waitlist entries, positions and offers for the pages and the sweep."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from django.db import connection
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from drives.capacity import availability, counters, visit_length
from drives.capacity import rules as capacity_rules
from drives.domain import waitlist_matching
from drives.domain.grid import Footprint
from drives.domain.waitlist_matching import ArrivalWindow
from drives.models import (
    WAITLISTED_STATES,
    WITH_DRIVE,
    Booking,
    Drive,
    DriveState,
    Offer,
    OfferState,
    ReservedSpot,
    WaitlistEntry,
    WaitlistEntryState,
)
from drives.waitlist import rules
from drives.web import rules as web_rules
from organizations.models import Organization, linked_model


def build_window(entry: WaitlistEntry) -> ArrivalWindow:
    return ArrivalWindow(entry.window_from, entry.window_to)


def load_position(entry: WaitlistEntry) -> int:
    """Return the entry's position, starting at 1, or 0 if the entry is not on the waitlist. One query."""
    if entry.state not in WAITLISTED_STATES or entry.joined_at is None:
        return 0
    before = Q(joined_at__lt=entry.joined_at) | Q(joined_at=entry.joined_at, pk__lt=entry.pk)
    return 1 + WaitlistEntry.objects.filter(before, drive=entry.drive_id, state__in=WAITLISTED_STATES).count()


def load_waitlist_facts(
    *, drive_id: int, now: datetime, identity: str = "", volunteer_id: int | None = None
) -> capacity_rules.BookingFacts:
    held = WaitlistEntry.objects.held(now).filter(registration__identity=identity)
    drive = Drive.objects.get(pk=drive_id)
    bookings = Booking.objects.active().filter(drive=drive_id, volunteer=volunteer_id)
    return capacity_rules.BookingFacts(
        drive_state=DriveState(drive.state),
        drive_ends_at=drive.ends_at,
        is_slot_of_drive=False,
        is_slot_open=False,
        slot_starts_at=None,
        live_hold_count=held.count() if identity else 0,
        has_active_booking=volunteer_id is not None and bookings.exists(),
    )


def count_open_offers(organization: Organization, now: datetime) -> dict[int, int]:
    """Count by drive the organization's offers that wait for an answer. One query."""
    rows = Offer.objects.open().filter(entry__drive__organization=organization, deadline__gt=now)
    return dict(rows.order_by().values_list("entry__drive").annotate(Count("pk")))


@dataclass(frozen=True)
class WaitlistPage:
    entry: WaitlistEntry
    position: int
    offer: Offer | None  # the open offer, if there is one
    key: str = ""  # from the URL: a token or an id

    @property
    def is_held(self) -> bool:
        return self.entry.state == WaitlistEntryState.HELD

    @property
    def is_on_waitlist(self) -> bool:
        return self.entry.state in WAITLISTED_STATES


def load_waitlist_page(key: str, now: datetime, tokens: Sequence[str] = ()) -> WaitlistPage | None:
    """Load the entry for a link. Return None if the link is unknown or expired. Three queries.

    `key` is the entry's token, or its id. The id works only if the browser's cookie has the entry's token (`tokens`). A
    link expires 30 days after the drive. An entry that was not verified in time is returned as lapsed.
    """
    rows = filter_by_link(WaitlistEntry, key, tokens).select_related(*WITH_DRIVE, "registration")
    entry = rows.filter(drive__ends_at__gt=now - web_rules.LINK_VALID_FOR).first()
    if entry is None:
        return None
    if entry.is_overdue(now):
        entry.state = WaitlistEntryState.LAPSED
    offer = Offer.objects.open().filter(entry=entry, deadline__gt=now).first()
    return WaitlistPage(entry, load_position(entry), offer, key)


_FINGERPRINTS_SQL = Path(__file__).with_name("offer_fingerprints.sql").read_text()

Row = TypeVar("Row", WaitlistEntry, Offer)


def filter_by_link(model: type[Row], key: str, tokens: Sequence[str]) -> QuerySet[Row]:
    """Filter the rows by a link's key, which is a token or an id.

    An id matches only if `tokens` contains the row's token.
    """
    if not re.fullmatch(r"[0-9]{1,18}", key):
        return model.filter_by_token(key)
    hashes = [linked_model.hash_token(token) for token in tokens]
    return model._default_manager.filter(pk=int(key), link_hash__in=hashes)


def list_waitlist_pages(volunteers: Collection[int], now: datetime) -> list[WaitlistPage]:
    before = Q(joined_at__lt=OuterRef("joined_at")) | Q(joined_at=OuterRef("joined_at"), pk__lt=OuterRef("pk"))
    ahead = WaitlistEntry.objects.filter(before, drive=OuterRef("drive"), state__in=WAITLISTED_STATES)
    ahead_count = ahead.order_by().values("drive").annotate(people=Count("pk")).values("people")
    rows = WaitlistEntry.objects.filter(volunteer__in=volunteers, state__in=WAITLISTED_STATES, drive__ends_at__gt=now)
    entries = list(
        rows.select_related(*WITH_DRIVE)
        .annotate(ahead=Coalesce(Subquery(ahead_count), 0))
        .order_by("drive__starts_at", "pk")
    )
    open_now = Offer.objects.open().filter(entry__in=entries, deadline__gt=now)
    offers = {offer.entry_id: offer for offer in open_now}
    return [
        WaitlistPage(entry, 1 + entry.ahead, offers.get(entry.pk), entry.token)  # type: ignore[attr-defined]
        for entry in entries
    ]


@dataclass(frozen=True)
class OfferPage:
    offer: Offer
    position: int
    is_open: bool
    key: str


def load_offer_page(key: str, now: datetime, tokens: Sequence[str] = ()) -> OfferPage | None:
    """Load the offer for a link. Return None if the link is unknown or expired. Two queries.

    `key` is the offer's token or its id, as for `load_waitlist_page`.
    """
    related = [f"entry__{name}" for name in WITH_DRIVE]
    rows = filter_by_link(Offer, key, tokens).select_related(*related, "booking")
    offer = rows.filter(entry__drive__ends_at__gt=now - web_rules.LINK_VALID_FOR).first()
    if offer is None:
        return None
    is_open = offer.state == OfferState.OPEN and offer.deadline > now
    if offer.state == OfferState.OPEN and not is_open:
        offer.state = OfferState.EXPIRED
    return OfferPage(offer, load_position(offer.entry), is_open, key)


def load_offer(offer_id: int) -> Offer:
    return Offer.objects.select_related(*(f"entry__{name}" for name in WITH_DRIVE)).get(pk=offer_id)


@dataclass(frozen=True)
class Waitlist:
    drive: Drive
    entries: list[WaitlistEntry]
    steps: waitlist_matching.StepRows
    reserved_spots: dict[int, Footprint]
    refused_slots: dict[int, set[int]]  # ids of the slots of declined and expired offers, by entry id

    def list_fits(self, entry: WaitlistEntry, now: datetime) -> Sequence[waitlist_matching.SpotMatch]:
        """List the matches that can still be offered to the entry, starting with the best.

        They are in the entry's arrival window and far enough in the future. Slots of declined and expired offers are
        left out.
        """
        window, soonest = build_window(entry), rules.compute_earliest_offered_arrival(now)
        refused = self.refused_slots.get(entry.pk, set())
        matches = waitlist_matching.find_matches(
            self.steps, self.reserved_spots, visit_length.compute_visit_shape(self.drive, entry.visit)
        )
        return [
            fit
            for fit in matches
            if fit.starts_at >= soonest and window.contains(fit.starts_at) and fit.slot_id not in refused
        ]


def load_waitlist(drive_id: int, entry_id: int | None = None) -> Waitlist:
    """Load a drive's waitlist with its free and reserved spots. Five queries.

    Entries with an open offer are left out. `entry_id` limits the result to this entry.
    """
    drive = Drive.objects.select_related("site", "organization", "policy").get(pk=drive_id)
    waiting = WaitlistEntry.objects.waitlisted().filter(drive=drive_id, state=WaitlistEntryState.WAITING)
    entries = list(waiting if entry_id is None else waiting.filter(pk=entry_id))
    before = Offer.objects.filter(entry__in=entries, state__in=rules.REFUSED_OFFER_STATES).values_list(
        "entry", "arrival"
    )
    refused: dict[int, set[int]] = {}
    for pk, slot_id in before:
        refused.setdefault(pk, set()).add(slot_id)
    return Waitlist(drive, entries, availability.list_slots(drive_id), _load_reserved_spots(drive_id), refused)


def _load_reserved_spots(drive_id: int) -> dict[int, Footprint]:
    rows = ReservedSpot.objects.filter(drive=drive_id, offer=None).order_by("pk")
    return {row.pk: counters.build_footprint(row) for row in rows}


def list_drives_to_offer(now: datetime) -> list[int]:
    """List the ids of the drives to check for spots to offer.

    These are the drives that have a reserved spot without an offer, and the drives where the waitlist or the free
    capacity has changed since the last check. Each waitlist is also checked after `OFFER_CHECK_INTERVAL`.
    """
    return sorted({drive_id for drive_id, _fingerprint, is_due in _load_offer_fingerprints(now) if is_due})


def compute_offer_fingerprint(drive_id: int, now: datetime) -> str:
    """Return a hash of the drive's waitlist and free capacity, or "" if no donor is waiting."""
    return next((fingerprint for _drive, fingerprint, _is_due in _load_offer_fingerprints(now, drive_id)), "")


def _load_offer_fingerprints(now: datetime, drive_id: int | None = None) -> list[tuple[int, str, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(_FINGERPRINTS_SQL, {"drive": drive_id, "since": now - rules.OFFER_CHECK_INTERVAL})
        return list(cursor.fetchall())


def list_waitlists_to_close(now: datetime) -> list[int]:
    waitlisted = WaitlistEntry.objects.filter(state__in=WAITLISTED_STATES).values("drive")
    held = WaitlistEntry.objects.filter(state=WaitlistEntryState.HELD).values("drive")
    takes_place = Q(state__in=(DriveState.PUBLISHED, DriveState.CLOSED))
    shut = ~takes_place | Q(waitlist_closed_at__isnull=False) | Q(ends_at__lte=now)
    # Each part of the union uses its own partial index. A single filter would read every old entry.
    drive_ids = list(waitlisted.union(held).values_list("drive", flat=True))
    return list(Drive.objects.filter(shut, pk__in=drive_ids).order_by("pk").values_list("pk", flat=True))


@dataclass(frozen=True)
class WaitlistRow:
    position: int
    entry: WaitlistEntry
    offers: list[Offer]


def list_waitlist_entries(drive: Drive) -> QuerySet[WaitlistEntry]:
    rows = WaitlistEntry.objects.waitlisted().filter(drive=drive)
    return rows.select_related("volunteer__phone", "volunteer__email")


def load_waitlist_rows(entries: Sequence[WaitlistEntry], first_position: int = 1) -> list[WaitlistRow]:
    offers: dict[int, list[Offer]] = {entry.pk: [] for entry in entries}
    for offer in Offer.objects.filter(entry__in=entries).order_by("created_at", "pk"):
        offers[offer.entry_id].append(offer)
    return [WaitlistRow(number, entry, offers[entry.pk]) for number, entry in enumerate(entries, start=first_position)]


@dataclass(frozen=True)
class WaitlistCounts:
    people: int
    offered: int


def count_waitlist(drive: Drive) -> WaitlistCounts:
    counts = filter_waitlist(drive).aggregate(
        people=Count("pk"), offered=Count("pk", filter=Q(state=WaitlistEntryState.OFFERED))
    )
    return WaitlistCounts(**counts)


def filter_waitlist(drive: Drive) -> QuerySet[WaitlistEntry]:
    return WaitlistEntry.objects.filter(drive=drive, state__in=WAITLISTED_STATES)
