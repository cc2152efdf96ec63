"""How a contact is proved: a six-digit code, or a browser that proved it before."""

from django.db import models

from organizations.models import Organization


class VerificationCode(models.Model):
    """A code that was sent to a contact: six digits, ten minutes, one use, five tries, bound to who asked.

    Who looks for their bookings asks no organization in particular: such a row waits, with no code, until a worker has
    seen whether the contact is known. It is judged like any other meanwhile, and nothing that is typed matches.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="verification_codes"
    )
    identity = models.CharField(max_length=64)
    bound_to = models.CharField(max_length=64)  # hash of the browser's session or of the booking's token
    network = models.CharField(max_length=64, blank=True, default="", db_default="")  # a hash: who asked, for a limit
    code_hash = models.CharField(max_length=64)  # empty: to be sent; "-": nobody is known under the contact
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(tries__lte=5), name="proof_code_has_at_most_five_tries")
        ]
        # Checking a code reads the newest one of a contact and its asker.
        indexes = [
            models.Index(fields=["identity", "bound_to", "-created_at"], name="proof_code_newest"),
            # The sweep that sends what was asked for by people who look for their bookings.
            models.Index(fields=["id"], condition=models.Q(code_hash=""), name="proof_code_to_send"),
        ]

    def __str__(self) -> str:
        return f"code {self.pk}"


class VerifiedBrowser(models.Model):
    """A browser that proved a contact: for 30 days it is not asked again."""

    token_hash = models.CharField(max_length=64)
    identity = models.CharField(max_length=64)
    verified_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)  # the nightly purge

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["token_hash", "identity"], name="one_proof_per_browser_and_contact")
        ]
        # Erasure forgets the browsers of a contact; retention asks when one was last used.
        indexes = [models.Index(fields=["identity"], name="proved_browser_identity")]

    def __str__(self) -> str:
        return f"browser {self.pk}"
