from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drives.models.booking import Booking, Source, Visit
from drives.models.drive import Drive
from drives.models.holds import AbstractHold, HoldQuerySet
from drives.models.slot import Slot
from organizations.models import LinkedModel, Organization
from volunteers.models import Registration, Volunteer


class WaitlistEntryState(models.TextChoices):
    HELD = "held", _("waiting for the code")
    LAPSED = "lapsed", _("lapsed")
    WAITING = "waiting", _("waiting")
    OFFERED = "offered", _("offered a spot")
    BOOKED = "booked", _("has a spot")
    LEFT = "left", _("left the waiting list")
    CLOSED = "closed", _("waiting list closed")


WAITLISTED_STATES = (WaitlistEntryState.WAITING, WaitlistEntryState.OFFERED)
"""The entry has a position. A volunteer has at most one such entry at a drive."""


class WaitlistEntryQuerySet(HoldQuerySet["WaitlistEntry"]):
    def of(self, organization: Organization) -> "WaitlistEntryQuerySet":
        return self.filter(drive__organization=organization)

    def waitlisted(self) -> "WaitlistEntryQuerySet":
        return self.filter(state__in=WAITLISTED_STATES).order_by("joined_at", "pk")


class WaitlistEntry(AbstractHold):
    """A donor's entry on a drive's waitlist.

    `window_from` (inclusive) and `window_to` (exclusive) limit the arrival times that suit the donor, in UTC. None
    means no limit.
    """

    link_purpose = "waitlist"

    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, related_name="waitlist_entries")
    volunteer = models.ForeignKey(
        Volunteer, on_delete=models.CASCADE, null=True, blank=True, related_name="waitlist_entries"
    )
    # The donor's input. Used until the contact is verified.
    registration = models.ForeignKey(
        Registration, on_delete=models.SET_NULL, null=True, blank=True, related_name="waitlist_entries"
    )
    visit = models.CharField(max_length=6, choices=Visit)
    window_from = models.DateTimeField(null=True, blank=True)
    window_to = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=WaitlistEntryState)
    source = models.CharField(max_length=12, choices=Source)
    joined_at = models.DateTimeField(null=True, blank=True)  # determines the position; set again when an offer expires
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)

    objects = WaitlistEntryQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=WaitlistEntryState.values), name="waitlist_entry_state_is_known"
            ),
            models.UniqueConstraint(fields=["link_hash"], name="one_waitlist_entry_per_link"),
            models.CheckConstraint(condition=Q(visit__in=Visit.values), name="waitlist_entry_visit_is_known"),
            models.UniqueConstraint(
                fields=["volunteer", "drive"],
                condition=Q(state__in=["waiting", "offered"]),
                name="one_waitlist_entry_per_volunteer_and_drive",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["waiting", "offered"]) | Q(volunteer__isnull=False, joined_at__isnull=False),
                name="waitlisted_entry_has_a_volunteer_and_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(held_until__isnull=False), name="held_waitlist_entry_has_a_deadline"
            ),
            models.CheckConstraint(
                condition=Q(window_from__isnull=True) | Q(window_to__isnull=True) | Q(window_from__lt=F("window_to")),
                name="waitlist_entry_window_is_not_empty",
            ),
        ]
        indexes = [
            # Waiting entries, for positions, the offer sweep, and the decision to reserve a freed spot.
            models.Index(
                fields=["drive", "joined_at", "id"],
                condition=Q(state__in=["waiting", "offered"]),
                name="waitlist_entry_position",
            ),
            # Unverified entries, for the sweep that lapses them.
            models.Index(fields=["held_until"], condition=Q(state="held"), name="waitlist_entry_held"),
        ]

    def __str__(self) -> str:
        return f"waitlist entry {self.pk}"

    @property
    def about(self) -> str:
        return f"waitlist:{self.pk}"


class ReservedSpot(models.Model):
    """A freed spot that is reserved for the waitlist. The slots' counters include reserved spots.

    If the spot is offered, the offer's entry determines the donor. A spot freed by a move may have chair steps
    without screening steps, or the reverse.
    """

    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, related_name="reserved_spots")
    first_step = models.PositiveSmallIntegerField()
    screening_steps = models.PositiveSmallIntegerField()
    chair_from = models.PositiveSmallIntegerField()
    chair_to = models.PositiveSmallIntegerField()  # first step after the chair
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(chair_from__lt=F("chair_to")) | Q(chair_from=F("chair_to"), screening_steps__gte=1),
                name="reserved_spot_is_not_empty",
            ),
        ]

    def __str__(self) -> str:
        return f"reserved spot {self.pk}"


class OfferCheck(models.Model):
    """The last check of a drive's waitlist that found no donor for a spot.

    The offer sweep skips the drive until the fingerprint of its waiting entries and its free capacity changes. In any
    case, it checks the drive again after `OFFER_CHECK_INTERVAL`.
    """

    drive = models.OneToOneField(Drive, on_delete=models.CASCADE, primary_key=True, related_name="offer_check")
    fingerprint = models.CharField(max_length=32)  # computed in drives/waitlist/offer_fingerprints.sql
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"offers of {self.drive_id} at {self.checked_at:%Y-%m-%d %H:%M}"


class OfferState(models.TextChoices):
    OPEN = "open", _("open")
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")
    EXPIRED = "expired", _("no answer")
    WITHDRAWN = "withdrawn", _("withdrawn")


class OfferQuerySet(models.QuerySet["Offer"]):
    def open(self) -> "OfferQuerySet":
        return self.filter(state=OfferState.OPEN)


class Offer(LinkedModel):
    """A reserved spot that is offered to a donor on the waitlist until a deadline (UTC).

    The offer's link opens a page with buttons to accept and decline.
    """

    link_purpose = "offer"

    entry = models.ForeignKey(WaitlistEntry, on_delete=models.CASCADE, related_name="offers")
    reserved_spot = models.OneToOneField(
        ReservedSpot, on_delete=models.SET_NULL, null=True, blank=True, related_name="offer"
    )
    arrival = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="offers")
    starts_at = models.DateTimeField()  # start of the arrival slot
    deadline = models.DateTimeField()
    state = models.CharField(max_length=9, choices=OfferState, default=OfferState.OPEN)
    booking = models.ForeignKey(Booking, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OfferQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=OfferState.values), name="offer_state_is_known"),
            models.UniqueConstraint(fields=["link_hash"], name="one_offer_per_link"),
            models.UniqueConstraint(fields=["entry"], condition=Q(state="open"), name="one_open_offer_per_entry"),
            models.CheckConstraint(
                condition=Q(state="open", reserved_spot__isnull=False, ended_at__isnull=True)
                | (~Q(state="open") & Q(reserved_spot__isnull=True, ended_at__isnull=False)),
                name="open_offer_has_a_reserved_spot",
            ),
        ]
        indexes = [
            # Open offers, for the sweep that expires them.
            models.Index(fields=["deadline"], condition=Q(state="open"), name="offer_open"),
        ]

    def __str__(self) -> str:
        return f"offer {self.pk}"

    @property
    def about(self) -> str:
        return f"offer:{self.pk}"
