"""Idempotency keys: a repeated request runs once and gets the same response."""

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

from organizations import rules
from organizations.models import IdempotentAnswer, linked_model

ANONYMOUS = "anonymous"

_KEY_PATTERN = re.compile(r"[\x21\x23-\x7e]{1,255}")  # printable characters except the quotation mark
# 22 URL-safe characters, or a UUID, have 128 bits. Another caller could guess a shorter key and get its response.
_STRONG_KEY_PATTERN = re.compile(r"[A-Za-z0-9._~+/=-]{22,255}")


class IdempotencyKeyMissing(ValidationError):
    """400: there is no usable key."""

    def __init__(self) -> None:
        message = _("Send an Idempotency-Key of 1 to 255 printable characters.")
        super().__init__(message, code="idempotency_key_missing")


class IdempotencyKeyWeak(ValidationError):
    """400: an anonymous caller sent a key that could be guessed."""

    def __init__(self) -> None:
        message = _("Send a random Idempotency-Key: a UUID, or at least 22 letters and digits.")
        super().__init__(message, code="idempotency_key_weak")


class IdempotencyKeyReused(ValidationError):
    """422: the key was used with another body."""

    def __init__(self) -> None:
        message = _("This Idempotency-Key was already used for another request. Send a new one.")
        super().__init__(message, code="key_reused")


class RequestInProgress(ValidationError):
    """409 with Retry-After: the first request with this key is still running."""

    retry_after = timedelta(seconds=1)

    def __init__(self) -> None:
        message = _("The same request is still in progress. Try again in a moment.")
        super().__init__(message, code="request_in_progress")


class AnswerErased(ValidationError):
    """410: the person in the stored response has been erased. The request is not run again."""

    def __init__(self) -> None:
        super().__init__(_("This request was already processed, and its data has since been erased."), "answer_erased")


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
    """Do the work, or return the stored response if the caller sent the same key before.

    `scope` is the caller: "key:3", "user:7" or "anonymous". Anonymous callers must send keys that cannot be guessed.
    `work` gets a function and must call it once with its response (201). The response is stored for 24 hours, in the
    same transaction. If `work` raises, nothing is stored. The advisory lock of the key is taken before all other locks
    and lasts until the transaction ends.

    Refuses: idempotency_key_missing, idempotency_key_weak, key_reused, request_in_progress, answer_erased.
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
    answers: list[str] = []

    def store_answer(text: str) -> None:
        answers.append(text)
        with connection.cursor() as cursor:
            cursor.execute(_INSERT_ANSWER, [scope, key_hash, body_hash, HTTPStatus.CREATED.value, text, now])

    work(store_answer)
    return StoredAnswer(HTTPStatus.CREATED, "".join(answers), replayed=False)


@transaction.atomic(savepoint=False)
def blank_answers(*, mentions: Collection[str]) -> int:
    """Blank the stored responses that contain any of these strings. Return their number.

    A repeated request then gets AnswerErased and does not run again.
    """
    condition = reduce(operator.or_, (Q(body__contains=text) for text in mentions if text), Q(pk=None))
    return IdempotentAnswer.objects.filter(condition).update(status=HTTPStatus.GONE, body="")


@transaction.atomic
def purge_answers(*, now: datetime) -> int:
    return IdempotentAnswer.objects.filter(created_at__lte=now - rules.ANSWER_LIFETIME).delete()[0]


def _clean_key(scope: str, key: str) -> str:
    # The IETF draft writes the key as a quoted string; most clients omit the quotes. Both forms are the same key.
    key = re.sub(r'^"(.*)"$', r"\1", key.strip())
    if not _KEY_PATTERN.fullmatch(key):
        raise IdempotencyKeyMissing
    if scope == ANONYMOUS and not _STRONG_KEY_PATTERN.fullmatch(key):
        raise IdempotencyKeyWeak
    return key


def _lock_key(scope: str, key_hash: str, now: datetime) -> IdempotentAnswer | None:
    """Lock the key for this transaction and return its stored response. Refuses: request_in_progress.

    If another caller has the lock, the function refuses at once instead of waiting. The lock and the read are two
    statements, because the snapshot of a single statement could be older than the first caller's commit. The work would
    then run again and fail on the unique row.
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
    if known and known.created_at <= now - rules.ANSWER_LIFETIME:
        known.delete()
        return None
    return known
