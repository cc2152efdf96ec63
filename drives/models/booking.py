from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext_lazy as _

from drives.models.drive import Drive
from drives.models.holds import AbstractHold, HoldQuerySet
from drives.models.policy import Policy
from drives.models.share import ShareLink
from drives.models.slot import Slot
from organizations.models import Organization
from volunteers.models import Registration, Volunteer

WITH_DRIVE = (
    "drive__site",
    "drive__organization",
    "drive__policy",
    "drive__cause",
    "drive__center",
    "volunteer__phone",
    "volunteer__email",
)


class Visit(models.TextChoices):
    FIRST = "first", _("First visit")
    RETURN = "return", _("Return visit")


class BookingState(models.TextChoices):
    HELD = "held", _("held")
    LAPSED = "lapsed", _("lapsed")
    BOOKED = "booked", _("booked")
    CONFIRMED = "confirmed", _("confirmed")
    CHECKED_IN = "checked_in", _("checked in")
    DONATED = "donated", _("donated")
    INCOMPLETE = "incomplete", _("incomplete")
    DEFERRED = "deferred", _("deferred")
    LEFT = "left", _("left")
    NO_SHOW = "no_show", _("no-show")
    CANCELLED = "cancelled", _("cancelled")


ACTIVE_STATES = (BookingState.BOOKED, BookingState.CONFIRMED, BookingState.CHECKED_IN)
"""The visit is upcoming or in progress. A volunteer has at most one such booking at a drive."""
EXPECTED_STATES = (BookingState.BOOKED, BookingState.CONFIRMED)
"""The donor is expected but not checked in yet. They get reminders and notices of changes."""


class Source(models.TextChoices):
    ONLINE = "online", _("online")
    COORDINATOR = "coordinator", _("by a coordinator")
    WALK_IN = "walk_in", _("walk-in")
    WAITLIST = "waitlist", _("waiting list")
    API = "api", _("API")
    IMPORT = "import", _("import")


class CancelledBy(models.TextChoices):
    DONOR = "donor", _("by the donor")
    COORDINATOR = "coordinator", _("by a coordinator")
    DRIVE = "drive", _("when the drive was cancelled")


class BookingQuerySet(HoldQuerySet["Booking"]):
    def of(self, organization: Organization) -> "BookingQuerySet":
        return self.filter(drive__organization=organization)

    def active(self) -> "BookingQuerySet":
        return self.filter(state__in=ACTIVE_STATES)

    def match_messages(self) -> Func:
        """Return a condition for `Message.objects.filter` that matches the messages about these bookings.

        With `= ANY (ARRAY(…))`, PostgreSQL reads the bookings first and then the messages by their index. With `IN`, it
        may read all messages of the table.
        """
        about = Concat(Value("booking:"), Cast("pk", models.CharField()))
        abouts = ArraySubquery(self.order_by().values_list(about, flat=True))
        return Func(
            F("about"),
            Func(abouts, function="ANY"),
            template="%(expressions)s",
            arg_joiner=" = ",
            output_field=models.BooleanField(),
        )


class Booking(AbstractHold):
    """One donor's visit at a drive. Times are UTC.

    A booking stores its footprint, so that a later edit of the drive's plan does not change the steps of the visit.
    """

    link_purpose = "booking"

    reference = models.CharField(max_length=8)
    drive = models.ForeignKey(Drive, on_delete=models.PROTECT, related_name="bookings", db_index=False)
    arrival = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="arrivals")
    starts_at = models.DateTimeField()  # start of the arrival slot
    volunteer = models.ForeignKey(
        Volunteer, on_delete=models.CASCADE, null=True, blank=True, related_name="bookings", db_index=False
    )
    # The donor's input. Used until the contact is verified.
    registration = models.ForeignKey(
        Registration, on_delete=models.SET_NULL, null=True, blank=True, related_name="bookings"
    )
    party = models.UUIDField(null=True, blank=True)  # the same for all bookings that were made together
    visit = models.CharField(max_length=6, choices=Visit)
    state = models.CharField(max_length=10, choices=BookingState)
    source = models.CharField(max_length=12, choices=Source)
    # The recruiter's link that the donor followed.
    share_link = models.ForeignKey(
        ShareLink, on_delete=models.SET_NULL, null=True, blank=True, related_name="bookings", db_index=False
    )

    first_step = models.PositiveSmallIntegerField()  # `n` of the arrival slot
    screening_steps = models.PositiveSmallIntegerField()
    chair_from = models.PositiveSmallIntegerField()  # first step in the chair
    chair_to = models.PositiveSmallIntegerField()  # first step after the chair
    is_counted = models.BooleanField(default=True)  # whether the slots' counters include the booking
    # The SEQUENCE of the calendar event. Unsent messages of older revisions are withdrawn.
    revision = models.PositiveIntegerField(default=0)

    self_check_policy = models.ForeignKey(Policy, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    self_check = models.JSONField(default=list)  # the confirmed codes of that policy, or "will_ask"
    override_reason = models.CharField(max_length=200, blank=True)
    overridden_rules = models.JSONField(
        default=list
    )  # the rules that the reason covers, each with its first allowed time
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)
    checked_in_at = models.DateTimeField(null=True, blank=True)
    donated_at = models.DateTimeField(null=True, blank=True)  # time of the donation, not of the entry
    outcome_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=12, choices=CancelledBy, blank=True)
    cancelled_late = models.BooleanField(default=False)  # less than a day before the visit

    objects = BookingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=BookingState.values), name="booking_state_is_known"),
            models.UniqueConstraint(fields=["link_hash"], name="one_booking_per_link"),
            models.CheckConstraint(condition=Q(visit__in=Visit.values), name="booking_visit_is_known"),
            models.UniqueConstraint(
                fields=["volunteer", "drive"],
                condition=Q(state__in=["booked", "confirmed", "checked_in"]),
                name="one_active_booking_per_volunteer_and_drive",
            ),
            models.UniqueConstraint(fields=["drive", "reference"], name="one_booking_per_drive_and_reference"),
            models.CheckConstraint(
                condition=Q(volunteer__isnull=False) | Q(state__in=["held", "lapsed"]),
                name="booking_has_a_volunteer_once_verified",
            ),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(held_until__isnull=False), name="held_booking_has_a_deadline"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["held", "booked", "confirmed", "checked_in"], is_counted=True)
                | Q(state__in=["lapsed", "cancelled"], is_counted=False)
                | Q(state__in=["donated", "incomplete", "deferred", "left", "no_show"]),
                name="booking_is_counted_while_it_is_active",
            ),
            models.CheckConstraint(condition=Q(chair_from__lt=F("chair_to")), name="booking_has_chair_time"),
            models.CheckConstraint(
                condition=Q(chair_from=F("first_step") + F("screening_steps")),
                name="booking_takes_the_chair_after_screening",
            ),
            models.CheckConstraint(
                condition=~Q(state="cancelled") | Q(cancelled_at__isnull=False),
                name="cancelled_booking_has_a_time",
            ),
        ]
        indexes = [
            # Roster, check-in list and feeds of a drive, in order of arrival.
            models.Index(fields=["drive", "starts_at", "id"], name="booking_of_a_drive"),
            # Overdue holds, for each new booking at the drive and for the sweep.
            models.Index(fields=["drive", "held_until"], condition=Q(state="held"), name="booking_held_at_a_drive"),
            # A donor's history and future bookings, for the interval rules.
            models.Index(fields=["volunteer", "-starts_at"], name="booking_of_a_volunteer"),
            # The bookings of a party, for donors' pages and shared texts.
            models.Index(fields=["party"], condition=Q(party__isnull=False), name="booking_of_a_party"),
            # Holds and bookings through a recruiter's link.
            models.Index(fields=["share_link"], condition=Q(share_link__isnull=False), name="booking_of_a_share_link"),
        ]

    def __str__(self) -> str:
        return f"booking {self.pk}"

    @property
    def about(self) -> str:
        return f"booking:{self.pk}"

    # Django's own methods translate the labels of all choices in each call, which took half the time for a roster.
    def get_state_display(self) -> str:  # type: ignore[no-redef]
        return str(BookingState(self.state).label)

    def get_visit_display(self) -> str:  # type: ignore[no-redef]
        return str(Visit(self.visit).label)

    def get_source_display(self) -> str:  # type: ignore[no-redef]
        return str(Source(self.source).label)


class BookingChange(models.Model):
    """One entry in a booking's history. Entries are never edited."""

    booking = models.ForeignKey(Booking, on_delete=models.CASCADE, related_name="changes")
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10)
    from_arrival = models.ForeignKey(Slot, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    to_arrival = models.ForeignKey(Slot, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    actor = models.CharField(max_length=60)  # "donor", "user:7", "key:3", "worker"
    reason = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            # Recent cancellations and restored bookings, for `drives.booking.cancellation_digests`.
            models.Index(
                fields=["at"],
                condition=Q(to_state="cancelled") | Q(from_state="cancelled"),
                name="booking_change_cancellation",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.booking_id}: {self.from_state} → {self.to_state}"


OUTCOMES = frozenset({BookingState.DONATED, BookingState.INCOMPLETE, BookingState.DEFERRED, BookingState.LEFT})
