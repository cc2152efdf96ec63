"""Rows that are reached by an unguessable link."""

import base64
import hashlib
import hmac
import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models


def build_link_token(purpose: str, row: uuid.UUID, epoch: int) -> str:
    """The 22 characters (128 bits) of a row's link, derived from its uuid: bound to a purpose, never stored."""
    material = f"{purpose}:{row}:{epoch}".encode()
    mac = hmac.digest(settings.SECRET_KEY.encode(), material, "sha256")
    return base64.urlsafe_b64encode(mac[:16]).decode().rstrip("=")


def hash_token(token: str) -> str:
    """What a row keeps of a token, so that it can be found by it and a stolen table opens nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


class LinkedModel(models.Model):
    """A row with a link. Raising `epoch` with `link_hash` (`build_renewed_link_fields`) revokes the old link."""

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
        """The fields of a fresh link, for `create()`."""
        row = uuid.uuid4()
        return {"uuid": row, "epoch": 0, "link_hash": hash_token(build_link_token(cls.link_purpose, row, 0))}

    def build_renewed_link_fields(self) -> dict[str, Any]:
        """The fields that revoke the present link, for `update()`."""
        epoch = self.epoch + 1
        return {"epoch": epoch, "link_hash": hash_token(build_link_token(self.link_purpose, self.uuid, epoch))}

    @classmethod
    def filter_by_token(cls, token: str) -> models.QuerySet[Self]:
        """The row that this link opens, or none: cut, foreign and revoked tokens find nothing."""
        return cls._default_manager.filter(link_hash=hash_token(token))
