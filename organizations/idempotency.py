"""The same request twice is done once and answered alike."""

import hashlib
import operator
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from http import HTTPStatus

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from organizations.models import IdempotentAnswer, linked_model

ANONYMOUS = "anonymous"
ANSWER_LIFETIME = timedelta(hours=24)

_KEY_PATTERN = re.compile(r"[\x21\x23-\x7e]{1,255}")  # printable, without the quotation mark
# 22 url-safe characters, or a UUID, hold 128 bits: nobody guesses their way to another's answer.
_STRONG_KEY_PATTERN = re.compile(r"[A-Za-z0-9._~+/=-]{22,255}")


class IdempotencyKeyMissing(ValidationError):
    """A request that needs a key came without a usable one: 400."""

    def __init__(self) -> None:
        message = _("Send an Idempotency-Key of 1 to 255 printable characters.")
        super().__init__(message, code="idempotency_key_missing")


class IdempotencyKeyWeak(ValidationError):
    """An anonymous key that could be guessed: 400."""

    def __init__(self) -> None:
        message = _("Send a random Idempotency-Key: a UUID, or at least 22 letters and digits.")
        super().__init__(message, code="idempotency_key_weak")


class IdempotencyKeyReused(ValidationError):
    """The key was sent before with another body: 422."""

    def __init__(self) -> None:
        message = _("This Idempotency-Key was already used for another request.")
        super().__init__(message, code="key_reused")


class RequestInProgress(ValidationError):
    """The same request is being worked on at this moment: 409 with Retry-After."""

    retry_after = timedelta(seconds=1)

    def __init__(self) -> None:
        message = _("The same request is still being worked on. Ask again in a moment.")
        super().__init__(message, code="request_in_progress")


class AnswerErased(ValidationError):
    """The first answer was about somebody who has been erased since: 410, and nothing is done again."""

    def __init__(self) -> None:
        super().__init__(_("This request was answered. What it was about has been erased since."), "answer_erased")


@dataclass(frozen=True)
class StoredAnswer:
    status: int
    body: str
    replayed: bool


StoreAnswer = Callable[[str], None]

_TRY_KEY_LOCK = "SELECT pg_try_advisory_xact_lock(%s)"
_COLUMNS = ("id", "body_hash", "status", "body", "created_at")
_SELECT_ANSWER = """
SELECT id, body_hash, status, body, created_at FROM organizations_idempotentanswer WHERE scope = %s AND key_hash = %s
"""
_INSERT_ANSWER = """
INSERT INTO organizations_idempotentanswer (scope, key_hash, body_hash, status, body, created_at)
VALUES (%s, %s, %s, %s, %s, %s)
"""


@transaction.atomic
def run_once(
    *,
    scope: str,
    key: str,
    body: bytes,
    now: datetime,
    work: Callable[[StoreAnswer], object],
) -> StoredAnswer:
    """Do the work unless the same caller sent the same key before; then give the first answer again.

    `scope` is who asks: "key:3", "user:7" or "anonymous" (whose keys must be strong). `work` gives its own answer (201)
    to `keep`, once: it is kept for 24 hours, written together with the work; work that raises keeps nothing. The key's
    advisory lock is the first of all locks and lasts as long as the transaction.
    """
    key_hash = linked_model.hash_token(_clean_key(scope, key))
    body_hash = hashlib.sha256(body).hexdigest()
    known = _lock_key(scope, key_hash, now)
    if known:
        if known.body_hash != body_hash:
            raise IdempotencyKeyReused
        if known.status == HTTPStatus.GONE:
            raise AnswerErased
        return StoredAnswer(known.status, known.body, replayed=True)
    said: list[str] = []

    def keep(text: str) -> None:
        said.append(text)
        with connection.cursor() as cursor:
            cursor.execute(_INSERT_ANSWER, [scope, key_hash, body_hash, HTTPStatus.CREATED.value, text, now])

    work(keep)
    return StoredAnswer(HTTPStatus.CREATED, "".join(said), replayed=False)


@transaction.atomic(savepoint=False)
def blank_answers(*, mentions: Collection[str]) -> int:
    """Blank the answers in which one of these stands; the same request again is not done again. Returns how many."""
    wanted = reduce(operator.or_, (Q(body__contains=text) for text in mentions if text), Q(pk=None))
    return IdempotentAnswer.objects.filter(wanted).update(status=HTTPStatus.GONE, body="")


@transaction.atomic
def purge_answers(*, now: datetime) -> int:
    """Forget the answers that are older than a day; returns how many."""
    return IdempotentAnswer.objects.filter(created_at__lte=now - ANSWER_LIFETIME).delete()[0]


def _clean_key(scope: str, key: str) -> str:
    # The IETF draft writes the key as a quoted string; most clients leave the quotes out. Both mean the same key.
    key = re.sub(r'^"(.*)"$', r"\1", key.strip())
    if not _KEY_PATTERN.fullmatch(key):
        raise IdempotencyKeyMissing
    if scope == ANONYMOUS and not _STRONG_KEY_PATTERN.fullmatch(key):
        raise IdempotencyKeyWeak
    return key


def _lock_key(scope: str, key_hash: str, now: datetime) -> IdempotentAnswer | None:
    """Take the key for this transaction, or refuse; then the answer that is kept for it, if any.

    A plain unique row would make the second caller wait instead; it stands behind the lock. Two statements: in one, the
    snapshot could be older than the first caller's commit, and the work, done again, be refused.
    """
    number = int.from_bytes(hashlib.sha256(f"{scope}:{key_hash}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute(_TRY_KEY_LOCK, [number])
        (is_locked,) = cursor.fetchone()
        if not is_locked:
            raise RequestInProgress
        cursor.execute(_SELECT_ANSWER, [scope, key_hash])
        row = cursor.fetchone()
    known = IdempotentAnswer(**dict(zip(_COLUMNS, row, strict=True))) if row else None
    if known and known.created_at <= now - ANSWER_LIFETIME:
        known.delete()
        return None
    return known
