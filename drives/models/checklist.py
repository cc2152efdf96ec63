"""Checklists: the organization's template, the tasks of a single drive, and the tasks that are done."""

import secrets

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from drives.models.drive import Drive
from drives.models.share import CODE_LETTERS
from organizations.models import Organization
from organizations.translated_text import TranslatedField

MAX_DAYS = 365


class ChecklistCheck(models.TextChoices):
    """The conditions that the service can test. Members cannot check off a task that has one of them."""

    CENTER = "center", _("The plan has a collection center")
    GOAL = "goal", _("The plan has a goal")
    PUBLISHED = "published", _("The drive is published")
    RECRUITERS = "recruiters", _("A recruiter has their own link")
    BOOKINGS = "bookings", _("There are enough bookings to reach the goal")
    REMINDERS = "reminders", _("Reminders are turned on")
    TEXTS = "texts", _("Texts have a working sender")


def generate_code() -> str:
    return "t" + "".join(secrets.choice(CODE_LETTERS) for _position in range(7))


class ChecklistItem(models.Model):
    """A task of all drives of an organization, or of one drive.

    Rows for all drives are edited only to change the position. Any other change ends the row (`removed_at`) and adds a
    row with the same `code`, so that past drives keep their tasks. If no such row is in force, the default template
    applies. `code` also links a task to its ticks.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="checklist_items")
    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, null=True, blank=True, related_name="checklist_items")
    code = models.CharField(max_length=10, default=generate_code)
    title = TranslatedField(_("Task"), max_length=120)
    days = models.PositiveSmallIntegerField(_("Days before the drive"), validators=[MaxValueValidator(MAX_DAYS)])
    check_kind = models.CharField(_("Checked by the service"), max_length=10, choices=ChecklistCheck, blank=True)
    position = models.PositiveSmallIntegerField(default=0)  # among the tasks that are due on the same day
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "code"],
                condition=Q(drive=None, removed_at=None),
                name="one_checklist_item_per_organization_and_code",
            ),
            models.UniqueConstraint(
                fields=["drive", "code"], condition=Q(drive__isnull=False), name="one_checklist_item_per_drive_and_code"
            ),
            models.CheckConstraint(condition=Q(days__lte=MAX_DAYS), name="checklist_item_is_at_most_a_year_before"),
            models.CheckConstraint(
                condition=Q(check_kind__in=["", *ChecklistCheck.values]), name="checklist_item_check_is_known"
            ),
            models.CheckConstraint(
                condition=Q(drive=None) | Q(check_kind=""), name="checklist_item_of_a_drive_is_done_by_hand"
            ),
        ]

    def __str__(self) -> str:
        return str(self.title)


class ChecklistTick(models.Model):
    """A task of a drive that a member has checked off."""

    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, related_name="checklist_ticks", db_index=False)
    code = models.CharField(max_length=10)  # the task's code
    actor = models.CharField(max_length=60)
    done_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["drive", "code"], name="one_checklist_tick_per_drive_and_task")]

    def __str__(self) -> str:
        return f"{self.drive_id}: {self.code}"
