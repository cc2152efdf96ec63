"""Rows that have a link with an unguessable token."""

import hashlib
import secrets
import uuid
from typing import Any, ClassVar, Self

from django.core.exceptions import ImproperlyConfigured
from django.db import models

from organizations import secret_keys

LINK_FIELDS = ("uuid", "epoch", "link_hash", "link_seal")
TOKEN_BYTES = 16  # 22 characters


def hash_token(token: str) -> str:
    """Return the hash that we store instead of a token, so that a stolen database reveals no links."""
    return hashlib.sha256(token.encode()).hexdigest()


class LinkedModel(models.Model):
    """A row with a link that contains a random token. Saving `build_renewed_link_fields` revokes the old link.

    The row is found by the token's hash. The seal is the token, encrypted with SECRET_KEY, so that a later message can
    contain the link.
    """

    link_purpose: ClassVar[str]

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    epoch = models.PositiveSmallIntegerField(default=0)  # how often the link was renewed
    link_hash = models.CharField(max_length=64)  # each subclass has a unique constraint
    link_seal = models.CharField(max_length=160, editable=False)

    class Meta:
        abstract = True

    @property
    def token(self) -> str:
        token = secret_keys.unseal(self.link_seal)
        if token is None:
            raise ImproperlyConfigured(
                "A link was encrypted with another SECRET_KEY. Add the earlier key to SECRET_KEY_FALLBACKS, or revoke"
                " the"
                " links with `manage.py revoke_links`."
            )
        return token

    @classmethod
    def build_link_fields(cls) -> dict[str, Any]:
        return {"uuid": uuid.uuid4(), "epoch": 0, **_build_token_fields()}

    def build_renewed_link_fields(self) -> dict[str, Any]:
        return {"epoch": self.epoch + 1, **_build_token_fields()}

    @classmethod
    def filter_by_token(cls, token: str) -> models.QuerySet[Self]:
        return cls._default_manager.filter(link_hash=hash_token(token))


def _build_token_fields() -> dict[str, Any]:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    return {"link_hash": hash_token(token), "link_seal": secret_keys.seal(token)}
