from django.db import models

from organizations.models import Organization
from volunteers.models.volunteer import Volunteer


class Registration(models.Model):
    """The details that a visitor typed for a booking, a waitlist or news, before the contact is verified."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="registrations")
    name = models.CharField(max_length=120)
    phone = models.CharField(max_length=20, blank=True)  # E.164
    phone_as_typed = models.CharField(max_length=40, blank=True)
    email = models.EmailField(blank=True)
    identity = models.CharField(max_length=64)  # keyed hash of the contact that gets the code
    language = models.CharField(max_length=8, default="en")
    consents = models.JSONField(default=list)  # the purposes that the donor checked
    self_check = models.JSONField(default=list)  # confirmed codes of the policy's self-check
    source = models.CharField(max_length=20, default="page")
    # "I’m booking for someone else": the name is not that of the contact's owner.
    is_for_other = models.BooleanField(default=False, db_default=False)
    ip = models.GenericIPAddressField(null=True, blank=True)
    volunteer = models.ForeignKey(
        Volunteer, on_delete=models.CASCADE, null=True, blank=True, related_name="registrations"
    )
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(phone="") | ~models.Q(email=""), name="registration_has_a_contact"
            )
        ]
        # Used to count the live holds of a contact.
        indexes = [
            models.Index(fields=["identity", "-created_at"], name="registration_identity"),
            # The purge of registrations without a volunteer. Most registrations have one.
            models.Index(
                fields=["created_at", "id"],
                condition=models.Q(volunteer__isnull=True),
                name="registration_without_volunteer",
            ),
        ]

    def __str__(self) -> str:
        return f"registration {self.pk}"
