"""Limit, hash, send and check verification codes. `verification` describes the whole flow."""

import enum
import hmac
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from notifications import envelopes, kinds, outbox
from notifications.envelopes import Addressee
from notifications.kinds import Withdrawal
from notifications.message_content import RenderedMessage
from notifications.models import Channel
from organizations.models import Organization, linked_model
from volunteers import limits, message_texts, rules
from volunteers.limits import Limit
from volunteers.models import Contact, VerificationCode

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
) -> VerificationCode:
    """Queue a new code to a normalized phone number or mailbox. Raises limits.RateLimitExceeded.

    `bound_to` is a secret of the caller, such as a browser's or a booking's token. The code works only with it. A new
    code invalidates older ones for the same contact and secret. The work is the same for known and unknown contacts.
    Call this last, because it locks the organization's counter until the transaction ends.
    """
    budget = Limit("code_budget", str(organization.pk), organization.codes_per_day, rules.CODE_BUDGET_WINDOW)
    identity, digits, bound = rules.compute_identity(address), _generate_digits(), linked_model.hash_token(bound_to)
    _spend_code_limits(identity, ip, budget, now)
    sent, older = _insert_code(identity, bound, _compute_code_hash(digits, identity, bound), ip, now, organization)
    _queue_message(sent, organization, address, language, digits, about=about, now=now)
    _withdraw_older_codes(older, now)
    return sent


@transaction.atomic(savepoint=False)
def record_code_request(*, identity: str, bound_to: str, ip: str | None, now: datetime) -> None:
    """Record a request for a code. A worker sends the code if the contact is known (`queue_requested_code`).

    Each contact, each network and the whole service have a limit. Raises limits.RateLimitExceeded.
    """
    _spend_code_limits(identity, ip, Limit("find_budget", "all", *rules.SEARCH_CODES_PER_DAY), now)
    _insert_code(identity, linked_model.hash_token(bound_to), "", ip, now)


def list_requested_identities(limit: int, now: datetime) -> list[str]:
    return list(_filter_requested_codes(now).values_list("identity", flat=True)[:limit])


def lock_requested_codes(identities: Collection[str], now: datetime) -> list[VerificationCode]:
    return list(_filter_requested_codes(now).filter(identity__in=identities).select_for_update(skip_locked=True))


@transaction.atomic(savepoint=False)
def queue_requested_code(*, code: VerificationCode, contact: Contact | None, language: str, now: datetime) -> None:
    if contact is None:  # unknown: only mark the request as done
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
    """Check one guess at the newest code for a contact and secret. At most five guesses are checked.

    One conditional UPDATE counts and checks the guess, so that parallel guesses cannot exceed five. Text that cannot be
    a code does not count as a guess. A correct code no longer counts toward its network's limit on codes that are never
    entered.
    """
    digits, bound = rules.parse_code(code), linked_model.hash_token(bound_to)
    if not digits:
        return CodeResult.WRONG
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE volunteers_verificationcode SET tries = tries + 1,"
            " used_at = CASE WHEN code_hash = %s THEN %s::timestamptz END"
            " WHERE id = (SELECT id FROM volunteers_verificationcode WHERE identity = %s AND bound_to = %s"
            " ORDER BY created_at DESC, id DESC LIMIT 1)"
            " AND used_at IS NULL AND expires_at > %s AND tries < %s"
            " RETURNING used_at IS NOT NULL, network, created_at",
            [_compute_code_hash(digits, identity, bound), now, identity, bound, now, rules.CODE_TRIES],
        )
        row = cursor.fetchone()
    if row is None:
        return _explain_unchecked(identity, bound, now)
    is_right, network, sent_at = row
    if is_right and network:
        unentered = _build_unentered_limit("")
        limits.refund_limit(scope=unentered.scope, digest=network, window_start=unentered.compute_window_start(sent_at))
    return CodeResult.OK if is_right else CodeResult.WRONG


def _filter_requested_codes(now: datetime) -> QuerySet[VerificationCode]:
    return VerificationCode.objects.filter(code_hash="", expires_at__gt=now).order_by("pk")


def _spend_code_limits(identity: str, ip: str | None, budget: Limit, now: datetime) -> None:
    codes = [
        Limit("code_contact", identity, *rules.CODES_PER_CONTACT),
        Limit("code_contact_day", identity, *rules.CODES_PER_CONTACT_PER_DAY),
    ]
    # If a misconfigured proxy hides the IP address, all donors would share one counter. The other limits still apply.
    if network := rules.compute_network(ip):
        codes += [_build_unentered_limit(network), Limit("code_network", network, *rules.CODES_PER_NETWORK)]
    limits.spend_limits(limits=[*codes, budget], now=now)


def _build_unentered_limit(network: str) -> Limit:
    # Counts the codes that a network requested. `check_code` subtracts each code that a donor enters.
    return Limit("code_not_entered", network, *rules.CODES_NOT_ENTERED_PER_NETWORK)


def _insert_code(
    identity: str,
    bound: str,
    code_hash: str,
    ip: str | None,
    now: datetime,
    organization: Organization | None = None,
) -> tuple[VerificationCode, list[int]]:
    network = rules.compute_network(ip)
    row = VerificationCode(
        network=_build_unentered_limit(network).digest if network else "",
        organization=organization,
        identity=identity,
        bound_to=bound,
        code_hash=code_hash,
        expires_at=now + kinds.CODE_LIFETIME,
        created_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, vars(row))
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
    message = RenderedMessage(
        envelope, message_texts.render_code_message(organization, channel, language, digits, about)
    )
    outbox.queue_messages(organization=organization, messages=[message], now=now)


def _withdraw_older_codes(older: Iterable[int], now: datetime) -> None:
    for pk in older:
        outbox.withdraw_messages_by_key(key_prefix=f"code:{pk}/", cause=Withdrawal.NEWER_CODE, now=now)


def _generate_digits() -> str:
    return f"{secrets.randbelow(1_000_000):06}"


def _compute_code_hash(digits: str, identity: str, bound: str) -> str:
    material = f"code:{digits}:{identity}:{bound}".encode()
    return hmac.digest(settings.SECRET_KEY.encode(), material, "sha256").hex()


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
