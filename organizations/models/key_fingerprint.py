from django.db import models


class KeyFingerprint(models.Model):
    """The fingerprint of a key that processes have used with this database. The key itself is not stored.

    IDENTITY_KEY has one row. SECRET_KEY has one row for each key that may have encrypted a link's token.
    """

    name = models.CharField(max_length=20)
    fingerprint = models.CharField(max_length=16)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "fingerprint"], name="one_row_per_key"),
            models.UniqueConstraint(fields=["name"], condition=models.Q(name="IDENTITY_KEY"), name="one_identity_key"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.fingerprint}"
