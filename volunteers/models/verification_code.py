from django.db import models

from organizations.models import Organization


class VerificationCode(models.Model):
    """A six-digit code sent to a contact. It lasts ten minutes, works once and allows five tries.

    The code works only with the secret in `bound_to`. For a booking search, there is no organization, and no hash until
    a worker has looked up the contact. Until then, guesses are checked as usual, but none matches.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="verification_codes"
    )
    identity = models.CharField(max_length=64)
    bound_to = models.CharField(max_length=64)  # hash of the browser's or the booking's token
    refunds = models.JSONField(default=list, db_default=[])  # `limits.Refund`s to its networks when it is entered
    code_hash = models.CharField(max_length=64)  # "": not sent yet; "-": the contact is unknown
    tries = models.PositiveSmallIntegerField(default=0)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(tries__lte=5), name="verification_code_has_at_most_five_tries")
        ]
        # `codes.check_code` reads the newest code of a contact and secret.
        indexes = [
            models.Index(fields=["identity", "bound_to", "-created_at"], name="verification_code_newest"),
            # `codes.list_requested_identities` reads the codes that are still to be sent.
            models.Index(fields=["id"], condition=models.Q(code_hash=""), name="verification_code_to_send"),
        ]

    def __str__(self) -> str:
        return f"code {self.pk}"


class VerifiedBrowser(models.Model):
    """A browser that has verified a contact. For 30 days, it needs no code for this contact."""

    token_hash = models.CharField(max_length=64)
    identity = models.CharField(max_length=64)
    verified_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)  # the hourly purge deletes by it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["token_hash", "identity"], name="one_verified_browser_per_token_and_identity"
            )
        ]
        # Erasure deletes the browsers of a contact; retention reads when one was last used.
        indexes = [models.Index(fields=["identity"], name="verified_browser_identity")]

    def __str__(self) -> str:
        return f"browser {self.pk}"
