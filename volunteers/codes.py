"""Limit, hash, send and check verification codes. `verification` describes the whole flow."""

import enum
import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from django.db import connection, transaction
from django.db.models import QuerySet

from notifications import envelopes, kinds, outbox
from notifications import rules as notifications_rules
from notifications.envelopes import Addressee
from notifications.kinds import Withdrawal
from notifications.message_content import RenderedMessage
from notifications.models import Channel
from organizations import secret_keys
from organizations.models import Organization, linked_model
from volunteers import code_texts, limits, rules
from volunteers.limits import Limit
from volunteers.models import Contact, LimitCounter, VerificationCode

_INSERT = Path(__file__).with_name("insert_verification_code.sql").read_text()


class CodeResult(enum.Enum):
    OK = "ok"
    WRONG = "wrong"
    EXPIRED = "expired"  # or already used, or never sent; the donor is not told which
    NO_TRIES_LEFT = "no_tries_left"


@transaction.atomic(savepoint=False)
def queue_code(
    *,
    organization: Organization,
    address: str,
    language: str,
    bound_to: str,
    about: str,
    ip: str | None,
    now: datetime,
    holds: Sequence[Limit] = (),
) -> VerificationCode:
    """Queue a new code to a normalized phone number or e-mail address. Raises limits.RateLimitExceeded.

    The code works only together with the secret `bound_to`, such as a browser's or a booking's token. A new code
    invalidates older codes for the same contact and secret. Known and unknown contacts cause the same work. Call this
    last in a transaction, because it locks the organization's counter until the end.
    """
    budget = _build_budget(address, str(organization.pk), organization.codes_per_day)
    identity, digits, bound = rules.compute_identity(address), _generate_digits(), linked_model.hash_token(bound_to)
    networks = [*_build_unentered_limits(ip), *holds]
    _spend_code_limits(identity, networks, budget, now, organization)
    code_hash = _compute_code_hash(digits, identity, bound)
    sent, older = _insert_code(identity, bound, code_hash, networks, now, organization, takes_over=not holds)
    _queue_message(sent, organization, address, language, digits, about=about, now=now)
    _withdraw_older_codes(older, now)
    return sent


@transaction.atomic(savepoint=False)
def record_code_request(*, address: str, bound_to: str, ip: str | None, now: datetime) -> None:
    """Record a request for a code. A worker later sends the code if the contact is known (`queue_requested_code`).

    Requests are limited for each contact, each network and the whole service. Raises limits.RateLimitExceeded.
    """
    identity, networks = rules.compute_identity(address), _build_unentered_limits(ip)
    _spend_code_limits(identity, networks, _build_budget(address, "all", rules.SEARCH_CODES_PER_DAY), now)
    _insert_code(identity, linked_model.hash_token(bound_to), "", networks, now)


def list_requested_identities(limit: int, now: datetime) -> list[str]:
    return list(_filter_requested_codes(now).values_list("identity", flat=True)[:limit])


def lock_requested_codes(identities: Collection[str], now: datetime) -> list[VerificationCode]:
    return list(_filter_requested_codes(now).filter(identity__in=identities).select_for_update(skip_locked=True))


@transaction.atomic(savepoint=False)
def queue_requested_code(*, code: VerificationCode, contact: Contact | None, language: str, now: datetime) -> None:
    if contact is None:  # the contact is unknown, so no code is sent
        VerificationCode.objects.filter(pk=code.pk).update(code_hash="-")
        return
    digits = _generate_digits()
    code_hash = _compute_code_hash(digits, code.identity, code.bound_to)
    VerificationCode.objects.filter(pk=code.pk).update(code_hash=code_hash, organization=contact.organization)
    _queue_message(code, contact.organization, contact.address, language, digits, about="find", now=now)
    older = VerificationCode.objects.filter(
        identity=code.identity, bound_to=code.bound_to, expires_at__gt=now, pk__lt=code.pk
    )
    _withdraw_older_codes(older.values_list("pk", flat=True), now)


@transaction.atomic(savepoint=False)
def check_code(*, identity: str, bound_to: str, code: str, now: datetime) -> CodeResult:
    """Check a typed code against the newest code for a contact and secret. A code allows five guesses.

    A single UPDATE counts and checks the guess, so that parallel guesses cannot exceed five. Text that cannot be a code
    does not count as a guess. Each network has a limit on codes that are requested but never entered. A correct guess
    removes its code from this count.
    """
    digits, bound = rules.parse_code(code), linked_model.hash_token(bound_to)
    if not digits:
        return CodeResult.WRONG
    hashes = secret_keys.list_hashes(_write_code_material(digits, identity, bound))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE volunteers_verificationcode SET tries = tries + 1,"
            " used_at = CASE WHEN code_hash = ANY(%s) THEN %s::timestamptz END"
            " WHERE id = (SELECT id FROM volunteers_verificationcode WHERE identity = %s AND bound_to = %s"
            " ORDER BY created_at DESC, id DESC LIMIT 1)"
            " AND used_at IS NULL AND expires_at > %s AND tries < %s"
            " RETURNING used_at IS NOT NULL, refunds",
            [hashes, now, identity, bound, now, rules.CODE_TRIES],
        )
        row = cursor.fetchone()
    if row is None:
        return _explain_unchecked(identity, bound, now)
    is_right, refunds = row
    if is_right:
        limits.refund_limits(json.loads(refunds))
    return CodeResult.OK if is_right else CodeResult.WRONG


def _filter_requested_codes(now: datetime) -> QuerySet[VerificationCode]:
    return VerificationCode.objects.filter(code_hash="", expires_at__gt=now).order_by("pk")


def _spend_code_limits(
    identity: str, networks: Sequence[Limit], budget: Limit, now: datetime, organization: Organization | None = None
) -> None:
    codes = [
        Limit("code_contact", identity, *rules.CODES_PER_CONTACT),
        Limit("code_contact_day", identity, *rules.CODES_PER_CONTACT_PER_DAY),
    ]
    known_to = organization.pk if organization else None
    limits.spend_limits(limits=[*codes, *networks, budget], now=now, identity=identity, organization_id=known_to)


def _build_unentered_limits(ip: str | None) -> list[Limit]:
    # Counts the codes that a network requested. `check_code` subtracts each code that a donor enters.
    return [
        Limit(f"code_not_entered_{length}", network, rules.CODES_NOT_ENTERED_PER_HOUR[length], rules.NETWORK_WINDOW)
        for length, network in rules.compute_networks(ip)
    ]


def count_codes_of_today(*, organization: Organization, now: datetime) -> int:
    """Return how many codes the organization has sent by text today. They count against its daily budget."""
    budget = _build_budget("", str(organization.pk), organization.codes_per_day)
    window_start = budget.compute_window_start(now)
    rows = LimitCounter.objects.filter(scope=budget.scope, subject=budget.digest, window_start=window_start)
    return rows.values_list("count", flat=True).first() or 0


def _build_budget(address: str, subject: str, most: int) -> Limit:
    # E-mail costs nothing, so requests for codes by e-mail must not use up the budget for texts.
    scope = "code_budget_email" if "@" in address else "code_budget_sms"
    return Limit(scope, subject, most, rules.CODE_BUDGET_WINDOW, reserved=most // rules.RESERVED_SHARE)


def _insert_code(
    identity: str,
    bound: str,
    code_hash: str,
    networks: Sequence[Limit],
    now: datetime,
    organization: Organization | None = None,
    *,
    takes_over: bool = False,
) -> tuple[VerificationCode, list[int]]:
    row = VerificationCode(
        refunds=[list(limit.build_refund(now)) for limit in networks],
        organization=organization,
        identity=identity,
        bound_to=bound,
        code_hash=code_hash,
        expires_at=now + notifications_rules.CODE_LIFETIME,
        created_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {**vars(row), "refunds": json.dumps(row.refunds), "takes_over": takes_over})
        row.pk, older = cursor.fetchone()
    row._state.adding = False
    return row, older


def _queue_message(
    sent: VerificationCode,
    organization: Organization,
    address: str,
    language: str,
    digits: str,
    *,
    about: str,
    now: datetime,
) -> None:
    channel = Channel.EMAIL if "@" in address else Channel.SMS
    (envelope,) = envelopes.build_envelopes(
        kinds.CODE, Addressee([(channel, address)], language=language), key=f"code:{sent.pk}", about=about, due_at=now
    )
    message = RenderedMessage(envelope, code_texts.render_code_message(organization, channel, language, digits, about))
    outbox.queue_messages(organization=organization, messages=[message], now=now)


def _withdraw_older_codes(older: Iterable[int], now: datetime) -> None:
    for pk in older:
        outbox.withdraw_messages_by_key(key_prefix=f"code:{pk}/", cause=Withdrawal.NEWER_CODE, now=now)


def _generate_digits() -> str:
    return f"{secrets.randbelow(1_000_000):06}"


def _compute_code_hash(digits: str, identity: str, bound: str) -> str:
    return secret_keys.compute_hash(_write_code_material(digits, identity, bound))


def _write_code_material(digits: str, identity: str, bound: str) -> str:
    return f"code:{digits}:{identity}:{bound}"


def _explain_unchecked(identity: str, bound: str, now: datetime) -> CodeResult:
    newest = (
        VerificationCode.objects.filter(identity=identity, bound_to=bound)
        .order_by("-created_at", "-id")
        .values_list("tries", "used_at", "expires_at")
        .first()
    )
    if newest is None or newest[1] is not None or newest[2] <= now:
        return CodeResult.EXPIRED
    return CodeResult.NO_TRIES_LEFT
