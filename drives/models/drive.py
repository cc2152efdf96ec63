"""Collection days."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from drives.domain import intervals
from drives.models.policy import Policy
from drives.models.site import Collector, Site
from organizations.models import Cause, Organization


class DriveState(models.TextChoices):
    DRAFT = "draft", _("Draft")
    PUBLISHED = "published", _("Published")
    CLOSED = "closed", _("Closed")  # takes no more bookings online; the day goes on
    COMPLETED = "completed", _("Completed")  # turnout is final
    CANCELLED = "cancelled", _("Cancelled")


class DriveQuerySet(models.QuerySet["Drive"]):
    def of(self, organization: Organization) -> "DriveQuerySet":
        return self.filter(organization=organization)

    def public(self) -> "DriveQuerySet":
        """Drives whose page anybody may see."""
        return self.exclude(state=DriveState.DRAFT)

    def open(self) -> "DriveQuerySet":
        return self.filter(state=DriveState.PUBLISHED)


class Drive(models.Model):
    """One collection day at one site. `on`, `opens`, `closes` and `breaks` are wall time at the site; `_at` is UTC."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="drives")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="drives")
    cause = models.ForeignKey(Cause, on_delete=models.SET_NULL, null=True, blank=True, related_name="drives")
    collector = models.ForeignKey(Collector, on_delete=models.SET_NULL, null=True, blank=True, related_name="drives")
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="drives")
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=120)
    description = models.TextField(blank=True)
    bring = models.CharField(max_length=200, blank=True)
    # The same in Spanish, where it was written; `drives.models.languages` chooses.
    description_es = models.TextField(blank=True, default="", db_default="")
    bring_es = models.CharField(max_length=200, blank=True, default="", db_default="")
    phone = models.CharField(max_length=20, blank=True)
    state = models.CharField(max_length=10, choices=DriveState, default=DriveState.DRAFT)
    goal = models.PositiveSmallIntegerField(null=True, blank=True)  # donations

    on = models.DateField()
    opens = models.TimeField()
    closes = models.TimeField()
    breaks = models.JSONField(default=list)  # [["12:00", "12:30"], …]
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    step_minutes = models.PositiveSmallIntegerField(default=15)
    chairs = models.PositiveSmallIntegerField()
    screening_places = models.PositiveSmallIntegerField()
    first_screening_steps = models.PositiveSmallIntegerField()
    first_chair_steps = models.PositiveSmallIntegerField()
    return_screening_steps = models.PositiveSmallIntegerField()
    return_chair_steps = models.PositiveSmallIntegerField()
    # Stricter than the policy, where the coordinator says so; never looser (`drives.planning.plan.looser`).
    stricter_hours = models.PositiveSmallIntegerField(null=True, blank=True)
    stricter_days = models.PositiveSmallIntegerField(null=True, blank=True)
    stricter_count = models.PositiveSmallIntegerField(null=True, blank=True)  # at most so many donations…
    stricter_count_days = models.PositiveSmallIntegerField(null=True, blank=True)  # …in any so many days
    grace_minutes = models.PositiveSmallIntegerField(default=60)  # after the end, until the close-out

    version = models.PositiveIntegerField(default=1)  # ETag; rises with every edit
    plan_revision = models.PositiveIntegerField(default=0)  # rises when reminders are planned anew; in their keys
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    line_closed_at = models.DateTimeField(null=True, blank=True)  # nobody in line is offered anything since
    cancelled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=300, blank=True)
    closed_out_at = models.DateTimeField(null=True, blank=True)  # no-shows marked, report computed
    completed_at = models.DateTimeField(null=True, blank=True)
    under_filled_alert_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["Drive"]] = DriveQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=DriveState.values), name="drive_state_is_known"),
            models.CheckConstraint(condition=Q(starts_at__lt=F("ends_at")), name="drive_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(chairs__gte=1), name="drive_has_a_chair"),
            models.CheckConstraint(
                condition=Q(first_chair_steps__gte=1, return_chair_steps__gte=1),
                name="drive_visits_need_a_chair",
            ),
            models.CheckConstraint(
                condition=Q(step_minutes__gte=5, step_minutes__lte=60), name="drive_step_is_5_to_60_minutes"
            ),
        ]
        indexes = [
            # Public lists: the next published drives.
            models.Index(fields=["starts_at", "id"], condition=Q(state="published"), name="drive_next_published"),
            # The close-out sweep: drives whose end has passed.
            models.Index(fields=["ends_at"], condition=Q(closed_out_at__isnull=True), name="drive_not_closed_out"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.on}"

    @property
    def rules(self) -> intervals.Rules:
        """What is judged with every booking here: the policy, as strict as this drive makes it."""
        window = (self.stricter_count, self.stricter_count_days) if self.stricter_count else None
        return self.policy.rules.stricter(self.stricter_hours, self.stricter_days, window)  # type: ignore[arg-type]
