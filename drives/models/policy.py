from django.db import models
from django.utils.translation import gettext_lazy as _

from drives.domain import intervals
from organizations.models import Organization


class DonationKind(models.TextChoices):
    PLASMA = intervals.PLASMA, _("Plasma")
    WHOLE_BLOOD = "whole_blood", _("Whole blood")
    PLATELETS = "platelets", _("Platelets")
    DOUBLE_RED_CELLS = "double_red_cells", _("Double red cells")


class PolicyQuerySet(models.QuerySet["Policy"]):
    def offered_to(self, organization: Organization) -> "PolicyQuerySet":
        return self.filter(models.Q(organization=None) | models.Q(organization=organization))


class Policy(models.Model):
    """One version of a donation program's rules. A version is never edited. A drive may be stricter (`Drive.rules`)."""

    # None means that the policy is offered to every organization.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="policies", db_index=False
    )
    code = models.CharField(max_length=30)
    version = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20, choices=DonationKind, default=DonationKind.PLASMA)
    min_hours = models.PositiveSmallIntegerField(null=True, blank=True)  # elapsed time
    min_days = models.PositiveSmallIntegerField(null=True, blank=True)  # difference of local dates
    windows = models.JSONField(default=list)  # [[count, days], …]: at most count donations in that many days in a row
    cross_days = models.JSONField(default=dict)  # {"whole_blood": 56}: days after another kind of donation
    lapse_after_days = models.PositiveSmallIntegerField(default=180)
    self_check = models.JSONField(default=list)  # codes that donors confirm: ["age_18", "weight_50kg", "photo_id"]
    first_minutes = models.PositiveSmallIntegerField()  # length of the whole visit, as shown to donors
    return_minutes = models.PositiveSmallIntegerField()
    first_screening_minutes = models.PositiveSmallIntegerField()
    return_screening_minutes = models.PositiveSmallIntegerField()
    chair_minutes = models.PositiveSmallIntegerField()
    unenforced = models.TextField(blank=True)  # description of the limits that the service cannot check
    source = models.TextField()
    verified = models.BooleanField(default=False)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "code", "version"],
                nulls_distinct=False,
                name="one_policy_per_code_and_version",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} (v{self.version})"

    @property
    def rules(self) -> intervals.IntervalRules:
        return intervals.IntervalRules(self.kind, self.min_hours, self.min_days, self.windows, self.cross_days)
