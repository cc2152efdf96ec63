from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from drives.models.drive import Drive
from organizations.models import Organization


class ImportState(models.TextChoices):
    UPLOADED = "uploaded", _("Columns not matched yet")
    CHECKING = "checking", _("Checking the file")
    CHECKED = "checked", _("Ready to import")
    IMPORTING = "importing", _("Importing")
    FINISHED = "finished", _("Finished")
    DISCARDED = "discarded", _("Discarded")


RUNNING_STATES = (ImportState.CHECKING, ImportState.IMPORTING)
OPEN_STATES = (ImportState.UPLOADED, *RUNNING_STATES, ImportState.CHECKED)


class ImportQuerySet(models.QuerySet["Import"]):
    def of(self, organization: Organization) -> "ImportQuerySet":
        return self.filter(organization=organization)


class Import(models.Model):
    """One CSV file of people, or of bookings at a drive.

    The file and its rows are deleted when the import ends or expires. The counts stay.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="imports", db_index=False)
    # The drive of the bookings in the file. None for a file of people.
    drive = models.ForeignKey(Drive, on_delete=models.CASCADE, related_name="imports", null=True, blank=True)
    actor = models.CharField(max_length=60)
    state = models.CharField(max_length=10, choices=ImportState, default=ImportState.UPLOADED)
    file_name = models.CharField(max_length=120, blank=True)
    content = models.BinaryField(null=True)
    digest = models.CharField(max_length=64)  # hash of the content, so that a file sent twice becomes one import
    columns = models.JSONField(default=dict)  # column number, by field
    consent_wording = models.TextField(_("What they agreed to, in the words they saw"), max_length=2000, blank=True)
    consent_source = models.CharField(_("Where they agreed"), max_length=200, blank=True)
    consented_on = models.DateField(_("When they agreed"), null=True, blank=True)
    leaves_out_errors = models.BooleanField(default=False)
    row_count = models.PositiveIntegerField(default=0)
    checked_count = models.PositiveIntegerField(default=0)
    blank_count = models.PositiveIntegerField(default=0)  # cells such as #N/A, which count as blank
    new_count = models.PositiveIntegerField(default=0)
    known_count = models.PositiveIntegerField(default=0)
    repeated_count = models.PositiveIntegerField(default=0)
    error_count = models.PositiveIntegerField(default=0)
    done_count = models.PositiveIntegerField(default=0)
    done_until = models.PositiveIntegerField(default=0)  # number of the last imported row
    added_count = models.PositiveIntegerField(default=0)
    consent_count = models.PositiveIntegerField(default=0)
    refused_consent_count = models.PositiveIntegerField(default=0)  # consents that an earlier opt-out overrides
    lease_until = models.DateTimeField(null=True)  # end of the worker's lease
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)  # the file and its rows are deleted at this time
    finished_at = models.DateTimeField(null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ImportState.values), name="import_state_is_known"),
            models.UniqueConstraint(
                fields=["organization", "digest"], condition=Q(state__in=OPEN_STATES), name="one_open_import_per_file"
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"], name="import_newest"
            ),  # for the list of imports
            # Running imports, for the sweep every two seconds.
            models.Index(fields=["id"], condition=Q(state__in=RUNNING_STATES), name="import_running"),
            # Expired imports, for the purge.
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="import_to_purge"),
        ]

    def __str__(self) -> str:
        return self.about

    @property
    def about(self) -> str:
        return f"import:{self.pk}"

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING_STATES

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def good_count(self) -> int:
        return self.row_count - self.error_count

    @property
    def has_consents(self) -> bool:
        return bool(self.consent_wording)


class RowResult(models.TextChoices):
    NEW = "new", _("new")
    KNOWN = "known", _("already there")
    REPEATED = "repeated", _("same person as in an earlier row")
    ERROR = "error", _("error")


class ImportRow(models.Model):
    """A checked row of a file, with its cleaned values or its problems. Deleted with the file."""

    data_import = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows", db_index=False)
    number = models.PositiveIntegerField()  # the row number in the spreadsheet program
    result = models.CharField(max_length=8, choices=RowResult)
    values = models.JSONField(default=dict)
    problems = models.JSONField(default=list)  # {"field", "code", "value", "text"}

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(result__in=RowResult.values), name="import_row_result_is_known"),
            models.UniqueConstraint(fields=["data_import", "number"], name="one_row_per_number"),
        ]
        indexes = [
            # Rows with errors, for the preview.
            models.Index(fields=["data_import", "number"], condition=Q(result=RowResult.ERROR), name="import_row_error")
        ]

    def __str__(self) -> str:
        return f"row {self.number}"
