from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drives.domain import intervals
from drives.domain.grid import Grid
from drives.models.policy import Policy
from drives.models.site import CollectionCenter, Site
from organizations.models import Cause, Organization
from organizations.translated_text import TranslatedField


class DriveState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    CLOSED = "closed", _("Closed")  # closed for online booking, but still takes place
    COMPLETED = "completed", _("Completed")  # turnout is final
    CANCELLED = "cancelled", _("Cancelled")


class DriveQuerySet(models.QuerySet["Drive"]):
    def of(self, organization: Organization) -> "DriveQuerySet":
        return self.filter(organization=organization)

    def public(self) -> "DriveQuerySet":
        return self.exclude(state=DriveState.DRAFT)

    def open(self) -> "DriveQuerySet":
        return self.filter(state=DriveState.PUBLISHED)


def build_range_validators(least: int, most: int) -> list[MinValueValidator | MaxValueValidator]:
    return [MinValueValidator(least), MaxValueValidator(most)]


class Drive(models.Model):
    """One collection day at one site.

    `day`, `opens`, `closes` and `breaks` are wall-clock times at the site. Fields that end in `_at` are UTC. The
    editable fields are the drive's plan (`PLAN_FIELDS`). Forms and the API take labels and limits from these fields.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="drives", editable=False)
    slug = models.SlugField(max_length=80, unique=True, editable=False)
    state = models.CharField(max_length=10, choices=DriveState, default=DriveState.DRAFT, editable=False)

    title = TranslatedField(_("Drive name"), max_length=120)
    day = models.DateField(_("Day"))
    opens = models.TimeField(_("Opens"))
    closes = models.TimeField(_("Closes"))
    breaks = models.JSONField(default=list, blank=True)  # [["12:00:00", "12:30:00"], …]
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="drives", verbose_name=_("Location"))
    chairs = models.PositiveSmallIntegerField(_("Chairs"), validators=build_range_validators(1, 500))
    screening_stations = models.PositiveSmallIntegerField(
        _("Screening stations"), validators=build_range_validators(0, 500)
    )
    step_minutes = models.PositiveSmallIntegerField(
        _("Time between arrivals"), default=15, validators=build_range_validators(5, 60)
    )
    goal = models.PositiveSmallIntegerField(
        _("Donation goal"), null=True, blank=True, validators=build_range_validators(1, 5000)
    )
    policy = models.ForeignKey(
        Policy, on_delete=models.PROTECT, related_name="drives", verbose_name=_("Donation program")
    )
    # These rules may be stricter than the policy, but not looser (`drives.planning.plan_check.list_rule_problems`).
    stricter_hours = models.PositiveSmallIntegerField(
        _("Hours between donations"), null=True, blank=True, validators=build_range_validators(1, 9999)
    )
    stricter_days = models.PositiveSmallIntegerField(
        _("Days between donations"), null=True, blank=True, validators=build_range_validators(1, 366)
    )
    stricter_count = models.PositiveSmallIntegerField(
        _("Maximum number of donations"), null=True, blank=True, validators=build_range_validators(1, 366)
    )
    stricter_count_days = models.PositiveSmallIntegerField(
        _("Period for this maximum, in days"), null=True, blank=True, validators=build_range_validators(1, 366)
    )
    first_screening_steps = models.PositiveSmallIntegerField(validators=build_range_validators(0, 100))
    first_chair_steps = models.PositiveSmallIntegerField(validators=build_range_validators(1, 100))
    return_screening_steps = models.PositiveSmallIntegerField(validators=build_range_validators(0, 100))
    return_chair_steps = models.PositiveSmallIntegerField(validators=build_range_validators(1, 100))
    cause = models.ForeignKey(
        Cause, on_delete=models.SET_NULL, null=True, blank=True, related_name="drives", verbose_name=_("Cause")
    )
    center = models.ForeignKey(
        CollectionCenter,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="drives",
        verbose_name=_("Collection center"),
    )
    description = TranslatedField(_("Information for donors"), max_length=4000, blank=True)
    bring = TranslatedField(_("What to bring"), max_length=200, blank=True)
    phone = models.CharField(_("Phone number for questions"), max_length=20, blank=True)
    # The close-out runs this long after the end of the drive.
    grace_minutes = models.PositiveSmallIntegerField(
        _("Minutes from the end of the drive to the turnout report"),
        default=60,
        validators=build_range_validators(0, 1440),
    )

    starts_at = models.DateTimeField(editable=False)
    ends_at = models.DateTimeField(editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)  # the ETag; increases with every edit
    # Part of the reminders' keys. Increases when reminders are rescheduled.
    schedule_revision = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(editable=False)
    changed_at = models.DateTimeField(editable=False)
    published_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    waitlist_closed_at = models.DateTimeField(null=True, editable=False)  # from then on, no spots are offered
    cancelled_at = models.DateTimeField(null=True, editable=False)
    cancel_reason = models.CharField(max_length=300, blank=True, editable=False)
    closed_out_at = models.DateTimeField(null=True, editable=False)  # time of the close-out
    under_filled_alert_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager["Drive"]] = DriveQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DriveState.values), name="drive_state_is_known"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="drive_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(chairs__gte=1), name="drive_has_a_chair"),
            models.CheckConstraint(condition=Q(goal__gte=1), name="drive_goal_is_at_least_one"),
            models.CheckConstraint(
                condition=Q(first_chair_steps__gte=1, return_chair_steps__gte=1),
                name="drive_visits_need_a_chair",
            ),
            models.CheckConstraint(
                condition=Q(step_minutes__gte=5, step_minutes__lte=60), name="drive_step_is_5_to_60_minutes"
            ),
        ]
        indexes = [
            # The next published drives, for public lists.
            models.Index(fields=["starts_at", "id"], condition=Q(state="published"), name="drive_next_published"),
            # An organization's next and last drives, for coordinators' lists.
            models.Index(fields=["organization", "starts_at", "id"], name="drive_of_an_organization"),
            # Ended drives, for the close-out sweep.
            models.Index(fields=["ends_at"], condition=Q(closed_out_at__isnull=True), name="drive_not_closed_out"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.day}"

    @property
    def rules(self) -> intervals.IntervalRules:
        """Return the interval rules for bookings at this drive: the policy's rules and the drive's stricter ones."""
        window = (self.stricter_count, self.stricter_count_days) if self.stricter_count else None
        tightened = self.policy.rules.tighten(self.stricter_hours, self.stricter_days, window)  # type: ignore[arg-type]
        steps = max(
            self.first_screening_steps + self.first_chair_steps, self.return_screening_steps + self.return_chair_steps
        )
        return replace(tightened, visit_minutes=steps * self.step_minutes)

    @property
    def close_out_at(self) -> datetime:
        return self.ends_at + timedelta(minutes=self.grace_minutes)

    @property
    def plan(self) -> dict[str, Any]:
        return {field.attname: field.value_from_object(self) for field in PLAN_FIELDS}

    def build_copy(self, **changes: Any) -> "Drive":
        return Drive(organization=self.organization, **{**self.plan, **changes})

    @property
    def grid(self) -> Grid:
        return Grid(
            day=self.day,
            opens=self.opens,
            closes=self.closes,
            zone=self.site.timezone,
            step_minutes=self.step_minutes,
            breaks=tuple((time.fromisoformat(starts), time.fromisoformat(ends)) for starts, ends in self.breaks),
            chairs=self.chairs,
            screening_stations=self.screening_stations,
        )


PLAN_FIELDS: tuple["models.Field[Any, Any]", ...] = tuple(
    field for field in Drive._meta.concrete_fields if field.editable and not field.primary_key
)
