"""How somebody proves that a phone or mailbox is theirs: a six-digit code, then a browser that is remembered."""

import enum
import hashlib
import hmac
import secrets
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from notifications.actions import outbox
from notifications.models import Channel
from notifications.notice import Envelope, Notice
from organizations.models import Organization, insert, token_digest
from volunteers import notices, rules
from volunteers.actions import limits
from volunteers.actions.limits import Limit
from volunteers.models import ProofCode, ProvedBrowser, Registration


class CodeResult(enum.Enum):
    OK = "ok"
    WRONG = "wrong"
    EXPIRED = "expired"  # or used, or never sent: the answer does not tell which
    NO_TRIES_LEFT = "no_tries_left"


@transaction.atomic(savepoint=False)
def send_code(
    *,
    organization: Organization,
    registration: Registration,
    bound_to: str,
    booking_about: str,
    ip: str | None,
    now: datetime,
) -> ProofCode:
    """Queue a fresh code to the registration's contact; refuses with limits.TooMany.

    `bound_to` is a secret of whoever asked (a browser's session, a booking's token): only with it does the code count.
    A newer code of the same contact and asker makes the older ones useless. The same work is done whether the contact
    is known or not. Call it last: the organization's counter is locked until the transaction ends.
    """
    _spend(organization, registration.identity, ip, now)
    digits = f"{secrets.randbelow(1_000_000):06}"
    bound = token_digest(bound_to)
    row = ProofCode(
        organization=organization,
        identity=registration.identity,
        bound_to=bound,
        code_hash=_code_hash(digits, registration.identity, bound),
        expires_at=now + rules.CODE_LIFE,
        created_at=now,
    )
    sent = insert(row)
    notice = _notice(sent, registration, organization, booking_about, digits)
    outbox.queue(organization=organization, notices=[notice], now=now)
    return sent


@transaction.atomic(savepoint=False)
def try_code(*, identity: str, bound_to: str, code: str, now: datetime) -> CodeResult:
    """Judge one guess at the newest code of a contact and asker; at most five guesses are ever judged.

    A transaction of its own, so that a guess counts whatever becomes of the booking. The guess is counted and judged by
    one conditional UPDATE: of many guesses at once, five are judged. What cannot be a code costs no try.
    """
    digits, bound = rules.six_digits(code), token_digest(bound_to)
    if not digits:
        return CodeResult.WRONG
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE volunteers_proofcode SET tries = tries + 1,"
            " used_at = CASE WHEN code_hash = %s THEN %s::timestamptz END"
            " WHERE id = (SELECT id FROM volunteers_proofcode WHERE identity = %s AND bound_to = %s"
            " ORDER BY created_at DESC, id DESC LIMIT 1)"
            " AND used_at IS NULL AND expires_at > %s AND tries < %s RETURNING used_at IS NOT NULL",
            [_code_hash(digits, identity, bound), now, identity, bound, now, rules.CODE_TRIES],
        )
        judged = cursor.fetchone()
    if judged is None:
        return _why_not_judged(identity, bound, now)
    return CodeResult.OK if judged[0] else CodeResult.WRONG


@transaction.atomic(savepoint=False)
def remember_browser(*, token: str, identity: str, now: datetime) -> None:
    """Ask this browser for no code of this contact for 30 days from now. An empty token remembers nothing."""
    if not token:
        return
    proof = ProvedBrowser(
        token_hash=token_digest(token), identity=identity, proved_at=now, expires_at=now + rules.BROWSER_LIFE
    )
    ProvedBrowser.objects.bulk_create(
        [proof],
        update_conflicts=True,
        unique_fields=["token_hash", "identity"],
        update_fields=["proved_at", "expires_at"],
    )


@transaction.atomic(savepoint=False)
def forget_browser(*, token: str) -> None:
    """Ask this browser for codes again, of every contact it proved."""
    ProvedBrowser.objects.filter(token_hash=token_digest(token)).delete()


def _spend(organization: Organization, identity: str, ip: str | None, now: datetime) -> None:
    """Count the code against its contact, its network and the organization's budget, from the narrow to the wide."""
    codes = [
        Limit("code_contact", identity, *rules.CODES_PER_CONTACT),
        Limit("code_contact_day", identity, *rules.CODES_PER_CONTACT_A_DAY),
    ]
    # Without an address (a misconfigured proxy) everybody would share one counter: the other limits hold.
    if network := rules.network(ip):
        codes.append(Limit("code_network", network, *rules.CODES_PER_NETWORK))
    codes.append(Limit("code_budget", str(organization.pk), organization.codes_per_day, rules.CODE_BUDGET_WINDOW))
    limits.spend_all(limits=codes, now=now)


def _notice(sent: ProofCode, registration: Registration, organization: Organization, about: str, digits: str) -> Notice:
    channel = Channel.SMS if registration.identity == rules.identity(registration.phone) else Channel.EMAIL
    envelope = Envelope(
        key=f"code:{sent.pk}",
        kind="code",
        about=about,
        channel=channel,
        address=registration.phone if channel == Channel.SMS else registration.email,
        purpose="",
        language=registration.language,
        due_at=sent.created_at,
        expires_at=sent.expires_at,
    )
    return Notice(envelope, notices.code(organization, channel, registration.language, digits))


def _code_hash(digits: str, identity: str, bound: str) -> str:
    material = f"code:{digits}:{identity}:{bound}".encode()
    return hmac.new(settings.SECRET_KEY.encode(), material, hashlib.sha256).hexdigest()


def _why_not_judged(identity: str, bound: str, now: datetime) -> CodeResult:
    newest = (
        ProofCode.objects.filter(identity=identity, bound_to=bound)
        .order_by("-created_at", "-id")
        .values_list("tries", "used_at", "expires_at")
        .first()
    )
    if newest is None or newest[1] is not None or newest[2] <= now:
        return CodeResult.EXPIRED
    return CodeResult.NO_TRIES_LEFT
