from django.db import models
from django.utils.translation import gettext_lazy as _

from notifications.models.sender import Sender
from organizations.models import Organization


class Purpose(models.TextChoices):
    REMINDERS = "reminders", _("Reminders about your booking")
    NEWS = "news", _("News about upcoming drives")


class ConsentEntry(models.Model):
    """An entry of the consent ledger, with the wording that the donor saw.

    Entries are never deleted. An erasure replaces the contact with its hash.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="consent_entries", db_index=False
    )
    address = models.CharField(max_length=254)
    purpose = models.CharField(max_length=12, choices=Purpose)
    given = models.BooleanField()
    wording_version = models.CharField(max_length=20)
    wording = models.TextField(blank=True)
    source = models.CharField(max_length=20)  # online, page, api, coordinator, text, link, one_click, import
    actor = models.CharField(max_length=60)
    ip = models.GenericIPAddressField(null=True, blank=True)
    at = models.DateTimeField()
    # Whether `retention.hash_unknown_addresses` has found the contact, or the address is hashed.
    is_checked = models.BooleanField(db_default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(purpose__in=Purpose.values), name="consent_purpose_is_known")
        ]
        # `claim.ADMIT` reads the newest entry for a contact and purpose before each send.
        indexes = [
            models.Index(fields=["organization", "address", "purpose", "-at", "-id"], name="consent_newest_entry"),
            models.Index(fields=["at", "id"], condition=models.Q(is_checked=False), name="consent_not_checked"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {'given' if self.given else 'withdrawn'} {self.at:%Y-%m-%d}"


class OptOutBasis(models.TextChoices):
    KEYWORD = "keyword", _("texted STOP")  # the carrier blocks, too; only START undoes it
    SENTENCE = "sentence", _("asked for it in other words")  # a coordinator may undo it
    UNDECIDED = "undecided", _("may not want any more texts")  # texts pause until a coordinator decides


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def in_force(self) -> "SuppressionQuerySet":
        return self.exclude(basis=OptOutBasis.UNDECIDED)


class Suppression(models.Model):
    """An opt-out of a contact. The sender sends the contact no texts until it is lifted, for example by a START.

    While a possible opt-out is undecided, texts to the contact wait. After `decide_by`, it counts as an opt-out.
    """

    sender = models.ForeignKey(Sender, on_delete=models.CASCADE, related_name="suppressions", db_index=False)
    address = models.CharField(max_length=254)
    since = models.DateTimeField()
    basis = models.CharField(max_length=10, choices=OptOutBasis, default=OptOutBasis.KEYWORD)
    decide_by = models.DateTimeField(null=True, blank=True)
    is_checked = models.BooleanField(db_default=False)  # as in ConsentEntry

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sender", "address"], name="one_suppression_per_sender_and_address"),
            models.CheckConstraint(
                condition=models.Q(basis=OptOutBasis.UNDECIDED, decide_by__isnull=False)
                | (~models.Q(basis=OptOutBasis.UNDECIDED) & models.Q(decide_by__isnull=True)),
                name="undecided_suppression_has_a_deadline",
            ),
        ]
        indexes = [
            # opt_outs.settle_undecided.
            models.Index(
                fields=["decide_by"], condition=models.Q(decide_by__isnull=False), name="suppression_undecided"
            ),
            models.Index(fields=["since", "id"], condition=models.Q(is_checked=False), name="suppression_not_checked"),
        ]

    def __str__(self) -> str:
        return f"{self.sender} since {self.since:%Y-%m-%d}"
