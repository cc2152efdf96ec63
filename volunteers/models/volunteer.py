from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from organizations.models import LinkedModel, Organization
from volunteers import person_names


class ContactKind(models.TextChoices):
    PHONE = "phone", _("Phone")
    EMAIL = "email", _("E-mail")


class VolunteerQuerySet(models.QuerySet["Volunteer"]):
    def of(self, organization: Organization) -> "VolunteerQuerySet":
        return self.filter(organization=organization)

    def known(self) -> "VolunteerQuerySet":
        return self.filter(erased_at=None)


class FoldedNameField(models.TextField):  # type: ignore[type-arg]
    """The name in the form that searches use. `save` sets it.

    Code that calls `update` on a queryset must set it, too.
    """

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        folded = person_names.fold_name(model_instance.name)  # type: ignore[attr-defined]
        setattr(model_instance, self.attname, folded)
        return folded


class Volunteer(LinkedModel):
    """A donor or helper of one organization. The volunteer's link opens the personal calendar feed."""

    link_purpose = "feed"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="volunteers", db_index=False)
    name = models.CharField(max_length=120)
    folded_name = FoldedNameField(editable=False)
    language = models.CharField(max_length=8, default="en")
    phone = models.ForeignKey("Contact", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    email = models.ForeignKey("Contact", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    # The last activity that `drives.privacy.inactive` found. It looks again when this is past the retention period.
    active_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)  # anonymized: the row stays for the counts

    objects = VolunteerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["link_hash"], name="one_volunteer_per_link")]
        indexes = [
            # The list of people in order of their names, and people with the same name.
            models.Index(fields=["organization", "folded_name", "id"], name="volunteer_by_folded_name"),
            # drives.privacy.inactive: volunteers without activity for a long time.
            models.Index(
                "organization",
                Coalesce("active_at", "created_at"),
                condition=models.Q(erased_at__isnull=True),
                name="volunteer_last_active",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ContactQuerySet(models.QuerySet["Contact"]):
    def of(self, organization: Organization) -> "ContactQuerySet":
        return self.filter(organization=organization)


class Contact(LinkedModel):
    """A phone number (E.164) or e-mail address (lower case) in one organization. It has at most one owner.

    Its link opens the page that stops messages.
    """

    link_purpose = "stop"

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="contacts", db_index=False)
    kind = models.CharField(max_length=5, choices=ContactKind)
    address = models.CharField(max_length=254)
    identity = models.CharField(max_length=64)  # keyed hash of `address`, the same in every organization
    owner = models.ForeignKey(
        Volunteer, on_delete=models.SET_NULL, null=True, blank=True, related_name="owned_contacts"
    )
    verified_at = models.DateTimeField(null=True, blank=True)

    objects = ContactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "address"], name="one_contact_per_address"),
            models.UniqueConstraint(fields=["link_hash"], name="one_contact_per_link"),
            models.CheckConstraint(condition=models.Q(kind__in=ContactKind.values), name="contact_kind_is_known"),
        ]
        # The interval check finds a person's bookings across organizations.
        indexes = [models.Index(fields=["identity"], name="contact_identity")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
