"""An organization's changes to the default message schedule and the default texts."""

from django.db import models
from django.db.models import Q

from drives.domain.message_kinds import ScheduledKind
from drives.models.drive import Drive
from notifications.kinds import ChannelChoice
from organizations.models import Organization


class ScheduleEntry(models.Model):
    """A changed entry of the message schedule, for all drives of an organization or for one drive.

    A kind without a row for the drive has the organization's row, or else the default.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="schedule_entries")
    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, null=True, blank=True, related_name="schedule_entries")
    kind = models.CharField(max_length=20, choices=ScheduledKind)
    is_enabled = models.BooleanField(default=True)
    channel_choice = models.CharField(max_length=4, choices=ChannelChoice)
    days = models.PositiveSmallIntegerField(default=0)  # before the visit, at the same wall-clock time
    hours = models.PositiveSmallIntegerField(default=0)  # elapsed hours before the visit

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ScheduledKind.values), name="schedule_entry_kind_is_known"),
            models.CheckConstraint(
                condition=Q(channel_choice__in=ChannelChoice.values), name="schedule_entry_channel_is_known"
            ),
            models.UniqueConstraint(
                fields=["organization", "kind"],
                condition=Q(drive=None),
                name="one_schedule_entry_per_organization_and_kind",
            ),
            models.UniqueConstraint(
                fields=["drive", "kind"], condition=Q(drive__isnull=False), name="one_schedule_entry_per_drive_and_kind"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}, {self.channel_choice}"


class CustomText(models.Model):
    """An organization's text for one kind of message in one language. A blank field means the default."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="custom_texts", db_index=False
    )
    kind = models.CharField(max_length=20)  # a key of drives.messaging.texts.wording.TEXTS
    language = models.CharField(max_length=8)
    text = models.CharField(max_length=400, blank=True)  # for the text message, with {variables}
    opening = models.CharField(max_length=600, blank=True)  # first line of the e-mail, with {variables}
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "language"], name="one_custom_text_per_kind_and_language"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}, {self.language}"


class InvitationCheck(models.Model):
    """The last sweep that looked at all donors of an organization to invite them.

    The sweep skips the organization until an upcoming drive changes, or the next day begins.
    """

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="invitation_check"
    )
    drives = models.JSONField()  # the ids and versions of the drives that had spots, and the day at their sites
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"invitations of {self.organization_id} at {self.checked_at:%Y-%m-%d %H:%M}"
