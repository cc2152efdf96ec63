from django.db import models
from django.db.models import Q

from drives.models.drive import Drive
from notifications import kinds
from notifications.models import Purpose
from organizations.models import Organization


class BroadcastKind(models.TextChoices):
    MESSAGE = kinds.BROADCAST.name, kinds.BROADCAST.label
    LATE = kinds.LATE.name, kinds.LATE.label


class BroadcastQuerySet(models.QuerySet["Broadcast"]):
    def of(self, organization: Organization) -> "BroadcastQuerySet":
        return self.filter(drive__organization=organization)


class Broadcast(models.Model):
    """A broadcast: one message to many donors of a drive, with its audience, counts and cost."""

    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, related_name="broadcasts", db_index=False)
    kind = models.CharField(max_length=10, choices=BroadcastKind)
    purpose = models.CharField(max_length=12, choices=Purpose)
    texts = models.JSONField(default=dict)  # by language, as typed; empty for a running-late notice
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)  # in a running-late notice
    states = models.JSONField(default=list)
    from_at = models.DateTimeField(null=True, blank=True)  # start of the audience's arrival times
    until_at = models.DateTimeField(null=True, blank=True)  # end of the audience's arrival times (exclusive)
    people_count = models.PositiveIntegerField()
    text_count = models.PositiveIntegerField()
    email_count = models.PositiveIntegerField()  # one e-mail for people with the same contact and text
    unreached_count = models.PositiveIntegerField()  # donors without a usable contact
    cost = models.DecimalField(max_digits=9, decimal_places=4)
    currency = models.CharField(max_length=3)
    actor = models.CharField(max_length=60)
    request_key = models.CharField(max_length=64)  # new for each form, so that a second tap sends nothing
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()  # start of sending; until then, the broadcast can be stopped
    stopped_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.CharField(max_length=60, blank=True)
    stopped_count = models.PositiveIntegerField(default=0)

    objects = BroadcastQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["drive", "request_key"], name="one_broadcast_per_drive_and_request"),
            models.CheckConstraint(condition=Q(kind__in=BroadcastKind.values), name="broadcast_kind_is_known"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="broadcast_purpose_is_known"),
            models.CheckConstraint(
                condition=~Q(kind=BroadcastKind.LATE) | Q(minutes__isnull=False), name="late_notice_says_how_late"
            ),
        ]

    def __str__(self) -> str:
        return self.about

    @property
    def about(self) -> str:
        """Return the broadcast's name in the audit log. The keys of its messages start with this name."""
        return f"broadcast:{self.pk}"

    @property
    def message_count(self) -> int:
        return self.text_count + self.email_count
