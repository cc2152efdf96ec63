"""How somebody proves that a phone or mailbox is theirs: a six-digit code, then a browser that is remembered."""

import enum
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from notifications import envelopes, kinds, outbox
from notifications.envelopes import Addressee
from notifications.models import Channel
from notifications.notice import Notice
from organizations import queries as organizations_queries
from organizations.models import Organization, linked
from volunteers import limits, notices, rules
from volunteers.limits import Limit
from volunteers.models import Contact, ProofCode, ProvedBrowser, Registration

_INSERT = Path(__file__).with_name("insert_proof_code.sql").read_text()


class CodeResult(enum.Enum):
    OK = "ok"
    WRONG = "wrong"
    EXPIRED = "expired"  # or used, or never sent: the answer does not tell which
    NO_TRIES_LEFT = "no_tries_left"


def send_code(*, registration: Registration, bound_to: str, about: str, ip: str | None, now: datetime) -> ProofCode:
    """Queue a fresh code to the registration's contact; refuses with limits.TooMany.

    `bound_to` is a secret of whoever asked (a browser's session, a booking's token): only with it does the code count.
    A newer code of the same contact and asker makes the older ones useless. The same work is done whether the contact
    is known or not. Call it last: the organization's counter is locked until the transaction ends.
    """
    by_text = registration.identity == rules.identity(registration.phone)
    return send_code_to(
        organization=registration.organization,
        address=registration.phone if by_text else registration.email,
        language=registration.language,
        bound_to=bound_to,
        about=about,
        ip=ip,
        now=now,
    )


@transaction.atomic(savepoint=False)
def send_code_to(
    *,
    organization: Organization,
    address: str,
    language: str,
    bound_to: str,
    about: str,
    ip: str | None,
    now: datetime,
) -> ProofCode:
    """Queue a fresh code to a phone or mailbox, cleaned as the rules do it; as `send_code`."""
    budget = Limit("code_budget", str(organization.pk), organization.codes_per_day, rules.CODE_BUDGET_WINDOW)
    identity, digits, bound = rules.identity(address), _digits(), linked.token_digest(bound_to)
    _spend(identity, ip, budget, now)
    sent = _written(identity, bound, _code_hash(digits, identity, bound), ip, now, organization)
    _queue(sent, organization, address, language, digits, about=about, now=now)
    return sent


def contact_of(typed: str, *countries: str) -> str:
    """The phone number or mailbox that was typed into the field "contact"; refuses by that field what is neither.

    A national number is of the first of these countries in which it is one.
    """
    problems = rules.Problems()
    address: str = problems.judge("contact", lambda: rules.address(typed, countries), "")
    problems.refuse()
    return address


def spend_places(*, count: int, ip: str | None, now: datetime) -> None:
    """Count the places that a party keeps against its network, or refuse with limits.TooMany.

    The limit on codes alone would let one network keep six places for each code. Before `send_code`, for the order of
    the counters.
    """
    if network := rules.network(ip):
        places = Limit("places_together", network, *rules.PLACES_TOGETHER_PER_NETWORK)
        limits.spend_all(limits=[places], now=now, count=count)


@transaction.atomic(savepoint=False)
def ask(*, typed: str, bound_to: str, ip: str | None, now: datetime) -> str:
    """Note that somebody looks for what is booked under a contact; a worker sends the code (`send_waiting`).

    Returns the identity to prove. Nothing here looks at whether the contact is known: answer, work and time are the
    same for everybody. Refuses what is neither a phone nor a mailbox (by field), and with limits.TooMany: the contact,
    the network, and a budget of the whole service. A national number may be one of any organization's country.
    """
    identity = rules.identity(
        contact_of(typed, *organizations_queries.countries(), settings.PHONENUMBER_DEFAULT_REGION)
    )
    _spend(identity, ip, Limit("find_budget", "all", *rules.FINDS_A_DAY), now)
    _written(identity, linked.token_digest(bound_to), "", ip, now)
    return identity


def looked_for(limit: int, now: datetime) -> list[str]:
    """The identities of `ask` that no worker has seen to, who asked first first."""
    return list(_waiting(now).values_list("identity", flat=True)[:limit])


def waiting(identities: Collection[str], now: datetime) -> list[ProofCode]:
    """The rows of `ask` for these that no worker has seen to, locked; others skip them. In a caller's transaction."""
    return list(_waiting(now).filter(identity__in=identities).select_for_update(skip_locked=True))


@transaction.atomic(savepoint=False)
def send_waiting(*, asked: ProofCode, to: Contact | None, language: str, now: datetime) -> None:
    """Give what was asked for its code, and send it to the contact as its organization knows it; none: to nobody."""
    if to is None:
        ProofCode.objects.filter(pk=asked.pk).update(code_hash="-")
        return
    digits = _digits()
    code_hash = _code_hash(digits, asked.identity, asked.bound_to)
    ProofCode.objects.filter(pk=asked.pk).update(code_hash=code_hash, organization=to.organization)
    _queue(asked, to.organization, to.address, language, digits, about="find", now=now)


@transaction.atomic(savepoint=False)
def try_code(*, identity: str, bound_to: str, code: str, now: datetime) -> CodeResult:
    """Judge one guess at the newest code of a contact and asker; at most five guesses are ever judged.

    A transaction of its own, so that a guess counts whatever becomes of the booking. The guess is counted and judged by
    one conditional UPDATE: of many guesses at once, five are judged. What cannot be a code costs no try.
    """
    digits, bound = rules.six_digits(code), linked.token_digest(bound_to)
    if not digits:
        return CodeResult.WRONG
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE volunteers_proofcode SET tries = tries + 1,"
            " used_at = CASE WHEN code_hash = %s THEN %s::timestamptz END"
            " WHERE id = (SELECT id FROM volunteers_proofcode WHERE identity = %s AND bound_to = %s"
            " ORDER BY created_at DESC, id DESC LIMIT 1)"
            " AND used_at IS NULL AND expires_at > %s AND tries < %s"
            " RETURNING used_at IS NOT NULL, network, created_at",
            [_code_hash(digits, identity, bound), now, identity, bound, now, rules.CODE_TRIES],
        )
        judged = cursor.fetchone()
    if judged is None:
        return _why_not_judged(identity, bound, now)
    is_right, network, sent_at = judged
    if is_right and network:
        counted = _not_entered("")
        limits.give_back(scope=counted.scope, digest=network, window_start=counted.starts(sent_at))
    return CodeResult.OK if is_right else CodeResult.WRONG


@transaction.atomic(savepoint=False)
def remember_browser(*, token: str, identity: str, now: datetime) -> None:
    """Ask this browser for no code of this contact for 30 days from now. An empty token remembers nothing."""
    if not token:
        return
    proof = ProvedBrowser(
        token_hash=linked.token_digest(token), identity=identity, proved_at=now, expires_at=now + rules.BROWSER_LIFE
    )
    ProvedBrowser.objects.bulk_create(
        [proof],
        update_conflicts=True,
        unique_fields=["token_hash", "identity"],
        update_fields=["proved_at", "expires_at"],
    )


@transaction.atomic(savepoint=False)
def renew_browser(*, old: str, new: str, now: datetime) -> None:
    """Let another token of the same browser stand for what it proved before, until the same days."""
    proofs = ProvedBrowser.objects.filter(token_hash=linked.token_digest(old), expires_at__gt=now)
    kept = [
        ProvedBrowser(
            token_hash=linked.token_digest(new),
            identity=proof.identity,
            proved_at=proof.proved_at,
            expires_at=proof.expires_at,
        )
        for proof in proofs
    ]
    ProvedBrowser.objects.bulk_create(kept, ignore_conflicts=True)


@transaction.atomic(savepoint=False)
def forget_browser(*, token: str) -> None:
    """Ask this browser for codes again, of every contact it proved."""
    ProvedBrowser.objects.filter(token_hash=linked.token_digest(token)).delete()


def _waiting(now: datetime) -> QuerySet[ProofCode]:
    return ProofCode.objects.filter(code_hash="", expires_at__gt=now).order_by("pk")


def _spend(identity: str, ip: str | None, budget: Limit, now: datetime) -> None:
    """Count the code against its contact, its network and a budget, from the narrow to the wide."""
    codes = [
        Limit("code_contact", identity, *rules.CODES_PER_CONTACT),
        Limit("code_contact_day", identity, *rules.CODES_PER_CONTACT_A_DAY),
    ]
    # Without an address (a misconfigured proxy) everybody would share one counter: the other limits hold.
    if network := rules.network(ip):
        codes += [_not_entered(network), Limit("code_network", network, *rules.CODES_PER_NETWORK)]
    limits.spend_all(limits=[*codes, budget], now=now)


def _not_entered(network: str) -> Limit:
    """Codes that a network asked for and nobody has entered: an entered one is given back (`try_code`)."""
    return Limit("code_not_entered", network, *rules.CODES_NOT_ENTERED_PER_NETWORK)


def _written(
    identity: str,
    bound: str,
    code_hash: str,
    ip: str | None,
    now: datetime,
    organization: Organization | None = None,
) -> ProofCode:
    network = rules.network(ip)
    row = ProofCode(
        network=_not_entered(network).digest if network else "",
        organization=organization,
        identity=identity,
        bound_to=bound,
        code_hash=code_hash,
        expires_at=now + kinds.CODE_LIFE,
        created_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, vars(row))
        (row.pk,) = cursor.fetchone()
    row._state.adding = False
    return row


def _queue(
    sent: ProofCode, organization: Organization, address: str, language: str, digits: str, *, about: str, now: datetime
) -> None:
    channel = Channel.EMAIL if "@" in address else Channel.SMS
    (envelope,) = envelopes.make(
        kinds.CODE, Addressee([(channel, address)], language=language), key=f"code:{sent.pk}", about=about, due_at=now
    )
    notice = Notice(envelope, notices.code(organization, channel, language, digits, about))
    outbox.queue(organization=organization, notices=[notice], now=now)


def _digits() -> str:
    return f"{secrets.randbelow(1_000_000):06}"


def _code_hash(digits: str, identity: str, bound: str) -> str:
    material = f"code:{digits}:{identity}:{bound}".encode()
    return hmac.digest(settings.SECRET_KEY.encode(), material, "sha256").hex()


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
