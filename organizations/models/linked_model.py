"""Rows that have a link with an unguessable token."""

import base64
import hashlib
import hmac
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models


def build_link_token(purpose: str, row: uuid.UUID, epoch: int) -> str:
    """Derive a link's token (22 characters, 128 bits) from the row's uuid and purpose. The token is not stored."""
    material = f"{purpose}:{row}:{epoch}".encode()
    mac = hmac.digest(settings.SECRET_KEY.encode(), material, "sha256")
    return base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")


def hash_token(token: str) -> str:
    """Return the hash that is stored instead of a token, so that a stolen database opens no links."""
    return hashlib.sha256(token.encode()).hexdigest()


class LinkedModel(models.Model):
    """A row with a link. `build_renewed_link_fields` revokes the old link."""

    link_purpose: ClassVar[str]

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    epoch = models.PositiveSmallIntegerField(default=0)
    link_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        abstract = True

    @property
    def token(self) -> str:
        return build_link_token(self.link_purpose, self.uuid, self.epoch)

    @classmethod
    def build_link_fields(cls) -> dict[str, Any]:
        row = uuid.uuid4()
        return {"uuid": row, "epoch": 0, "link_hash": hash_token(build_link_token(cls.link_purpose, row, 0))}

    def build_renewed_link_fields(self) -> dict[str, Any]:
        epoch = self.epoch + 1
        return {"epoch": epoch, "link_hash": hash_token(build_link_token(self.link_purpose, self.uuid, epoch))}

    @classmethod
    def filter_by_token(cls, token: str) -> models.QuerySet[Self]:
        return cls._default_manager.filter(link_hash=hash_token(token))
