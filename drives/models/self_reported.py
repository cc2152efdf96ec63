from django.db import models
from django.db.models import Q

from drives.domain import intervals
from drives.models.policy import DonationKind
from volunteers.models import Registration, Volunteer


class SelfReportedDonation(models.Model):
    """The donor's last donation elsewhere. Only its date and kind are stored.

    The row belongs to a registration until the contact is verified, and then to the volunteer. A new report replaces
    the row.
    """

    registration = models.OneToOneField(
        Registration, on_delete=models.CASCADE, null=True, blank=True, related_name="self_reported_donation"
    )
    volunteer = models.OneToOneField(
        Volunteer, on_delete=models.CASCADE, null=True, blank=True, related_name="self_reported_donation"
    )
    kind = models.CharField(max_length=20, choices=DonationKind)
    donated_on = models.DateField()  # local date at the place of the donation
    actor = models.CharField(max_length=60)  # "donor", "user:7", "key:3"
    reported_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(registration__isnull=True) ^ Q(volunteer__isnull=True),
                name="self_reported_donation_has_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=DonationKind.values), name="self_reported_donation_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"self-reported donation {self.pk}"

    @property
    def self_reported(self) -> intervals.SelfReported:
        return intervals.SelfReported(self.kind, self.donated_on)
