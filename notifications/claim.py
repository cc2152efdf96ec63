"""Claim due messages and admit them for sending, each in its own transaction.

No statement waits for a locked message, so messages cannot be part of a deadlock. Messages that another transaction has
locked are skipped and tried again later (`list_still_claimed`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from notifications import consents, contact_address, kinds, mailboxes, throttle
from notifications.claimed import ClaimedMessage
from notifications.kinds import Budget, Lane
from notifications.models import MessageState, Purpose
from notifications.pace import Deferral
from notifications.rules import MAX_REFUSALS, PAUSE_CHECK

LEASE = timedelta(seconds=30)  # longer than the longest provider call
_TRANSACTIONAL: Mapping[str, Any] = {
    "transactional": list(kinds.list_kind_names(lambda kind: kind.is_transactional)),
    "purposes": len(Purpose),
    "opt_out": kinds.OPT_OUT.name,
    "answers": list(kinds.list_kind_names(lambda kind: kind.budget == Budget.CODES)),
    "paused": consents.PAUSED,
    "mailbox_refuses": mailboxes.BLOCKED_REASON,
    "refusals": MAX_REFUSALS,
}


def claim_messages(*, channel: str, limit: int, now: datetime, lane: Lane | None = None) -> list[ClaimedMessage]:
    """Claim due messages by priority, in one lane or all. Each message gets a lease and a new attempt token.

    Organizations get equal shares of a batch, so that a large one does not delay a small one.
    """
    first, last = lane.value if lane else (Lane.CODES.value[0], Lane.OTHERS.value[1])
    asked: dict[str, Any] = {"channel": channel, "limit": limit, "now": now, "first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, {**asked, "lease": now + LEASE})
        return [ClaimedMessage(*row) for row in cursor.fetchall()]


def admit_messages(*, claimed: Sequence[ClaimedMessage], now: datetime) -> list[ClaimedMessage]:
    """Return the messages that may be sent now. Their state is `sending`, and the caller must send them at once.

    The other messages are

    - blocked or expired, for example after an opt-out, without a consent or past the expiry time
    - queued again with a reason, for example because of quiet hours, a rate limit or a failing provider
    - unchanged: withdrawn, or no longer claimed by this worker
    """
    if not claimed:
        return []
    quiet = {one.id: Deferral(until, "quiet_hours") for one in claimed if (until := one.compute_resume_time(now))}
    leaving = [one for one in claimed if one.id not in quiet and one.expires_at > now]
    broken = throttle.list_broken_subjects()
    if not broken and not any(one.is_limited for one in leaving):
        return _write_verdicts(claimed, quiet, now)
    with transaction.atomic(savepoint=False):
        limiter = throttle.RateLimiter(leaving, broken, now)
        passed = _write_verdicts(claimed, {**quiet, **limiter.deferrals}, now)
        limiter.record_sent(passed)
    return passed


def _write_verdicts(
    claimed: Sequence[ClaimedMessage], deferrals: Mapping[int, Deferral], now: datetime
) -> list[ClaimedMessage]:
    columns: dict[str, list[Any]] = {
        "ids": [one.id for one in claimed],
        "tokens": [one.token for one in claimed],
        "until": [deferrals[one.id].until if one.id in deferrals else None for one in claimed],
        "why": [deferrals[one.id].reason if one.id in deferrals else "" for one in claimed],
        "hashes": [contact_address.compute_identity(one.address) for one in claimed],
    }
    with connection.cursor() as cursor:
        cursor.execute(
            ADMIT, {**columns, **_TRANSACTIONAL, "now": now, "lease": now + LEASE, "again": now + PAUSE_CHECK}
        )
        passed = {message_id for message_id, state in cursor.fetchall() if state == MessageState.SENDING}
    return [one for one in claimed if one.id in passed]


def list_still_claimed(*, claimed: Sequence[ClaimedMessage]) -> list[ClaimedMessage]:
    if not claimed:
        return []
    with connection.cursor() as cursor:
        cursor.execute(STILL_CLAIMED, [[one.id for one in claimed], [one.token for one in claimed]])
        ids = {message_id for (message_id,) in cursor.fetchall()}
    return [one for one in claimed if one.id in ids]


def release_messages(*, claimed: Sequence[ClaimedMessage]) -> None:
    # Locked rows are skipped. They are queued again when the lease ends.
    if claimed:
        with connection.cursor() as cursor:
            cursor.execute(RELEASE, [[one.id for one in claimed], [one.token for one in claimed]])


# ORDER BY ... LIMIT 1 and the array make the planner use the partial index and the primary key, even with a large
# table and stale statistics. Otherwise it reads the whole table for each batch.
CLAIM = """
WITH busy AS (
    SELECT organization.id FROM organizations_organization AS organization
     WHERE (SELECT message.id FROM notifications_message AS message
             WHERE message.channel = %(channel)s AND message.organization_id = organization.id
               AND message.state = 'queued' AND message.due_at <= %(now)s
           AND message.priority BETWEEN %(first)s AND %(last)s
             ORDER BY message.priority, message.due_at, message.id LIMIT 1) IS NOT NULL
), share AS (
    SELECT greatest(1, %(limit)s / greatest(1, (SELECT count(*) FROM busy))) AS size
), due AS (
    SELECT own.id FROM busy CROSS JOIN LATERAL (
        SELECT message.id FROM notifications_message AS message
         WHERE message.channel = %(channel)s AND message.organization_id = busy.id
           AND message.state = 'queued' AND message.due_at <= %(now)s
           AND message.priority BETWEEN %(first)s AND %(last)s
         ORDER BY message.priority, message.due_at, message.id
         LIMIT (SELECT size FROM share) FOR NO KEY UPDATE SKIP LOCKED) AS own
    UNION ALL
    SELECT account_mail.id FROM (
        SELECT message.id FROM notifications_message AS message
         WHERE message.channel = %(channel)s AND message.organization_id IS NULL
           AND message.state = 'queued' AND message.due_at <= %(now)s
           AND message.priority BETWEEN %(first)s AND %(last)s
         ORDER BY message.priority, message.due_at, message.id
         LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED) AS account_mail
), claimed AS (
    UPDATE notifications_message AS message
       SET state = 'claimed', lease_until = %(lease)s, provider_id = '', error_code = '', check_at = NULL,
           attempt_token = replace(gen_random_uuid()::text, '-', ''),
           sender_id = CASE WHEN message.channel <> 'sms' THEN NULL ELSE coalesce(
               message.sender_id,
               (SELECT own.sender_id FROM notifications_sender_organizations AS own
                  JOIN notifications_sender AS sender ON sender.id = own.sender_id
                 WHERE own.organization_id = message.organization_id
                 ORDER BY sender.stopped_at IS NOT NULL, sender.id LIMIT 1),
               (SELECT sender.id FROM notifications_sender AS sender WHERE sender.is_default)) END
     WHERE message.id = ANY(ARRAY(SELECT due.id FROM due)) AND message.state = 'queued'
    RETURNING message.*
)
SELECT claimed.id, claimed.attempt_token, claimed.key, claimed.channel, claimed.address, claimed.text, claimed.subject,
       claimed.html, claimed.calendar, claimed.calendar_method, claimed.unsubscribe_url, claimed.zone,
       claimed.keeps_quiet_hours, claimed.expires_at, claimed.attempts, claimed.priority, claimed.reason,
       claimed.sender_id, claimed.organization_id, coalesce(sender.number, ''), coalesce(sender.messaging_service, ''),
       coalesce(sender.per_minute, 0), coalesce(sender.per_day, 0),
       coalesce(organization.name, ''), coalesce(organization.email, ''),
       coalesce(organization.quiet_until_hour, 0), coalesce(organization.quiet_from_hour, 24),
       coalesce(organization.messages_per_day, 0)
  FROM claimed
  LEFT JOIN notifications_sender AS sender ON sender.id = claimed.sender_id
  LEFT JOIN organizations_organization AS organization ON organization.id = claimed.organization_id
 ORDER BY claimed.priority, claimed.due_at, claimed.id
"""

# `state || ''` makes the planner use the primary key. It would underestimate the cost of the partial indexes.
ADMIT = """
WITH judged AS (
    SELECT message.id, ours.until, ours.why, CASE
        WHEN message.expires_at <= %(now)s THEN 'expired'
        WHEN message.channel = 'sms' AND sender.id IS NULL THEN 'no_sender'
        WHEN sender.stopped_at IS NOT NULL THEN 'sender_stopped'
        WHEN message.address = '' THEN 'erased'
        WHEN message.kind <> %(opt_out)s AND EXISTS (
            SELECT 1 FROM notifications_suppression AS suppression
             WHERE suppression.sender_id = message.sender_id AND suppression.basis <> 'undecided'
               AND suppression.address IN (message.address, ours.hash))
            THEN 'opted_out'
        WHEN message.channel = 'email' AND message.kind <> ALL(%(answers)s) AND EXISTS (
            SELECT 1 FROM notifications_mailboxrefusals AS refusals
             WHERE refusals.organization_id = message.organization_id AND refusals.address_hash = ours.hash
               AND refusals.count >= %(refusals)s)
            THEN %(mailbox_refuses)s
        WHEN message.purpose <> '' AND NOT coalesce(
            (SELECT entry.given FROM notifications_consententry AS entry
              WHERE entry.organization_id = message.organization_id AND entry.address = message.address
                AND entry.purpose = message.purpose
              ORDER BY entry.at DESC, entry.id DESC LIMIT 1),
            (SELECT nullif(entry.given, true) FROM notifications_consententry AS entry  -- once erased, only a no counts
              WHERE entry.organization_id = message.organization_id AND entry.address = ours.hash
                AND entry.purpose = message.purpose
              ORDER BY entry.at DESC, entry.id DESC LIMIT 1),
            message.channel = 'email' AND message.purpose = 'reminders')  -- needs no yes, but respects a no
            THEN 'no_consent'
        -- Transactional texts need no consent, but a donor who took back every consent has ended all texts.
        WHEN message.channel = 'sms' AND message.purpose = '' AND message.kind = ANY(%(transactional)s) AND (
            SELECT count(*) FROM (
                SELECT DISTINCT ON (entry.purpose) entry.given FROM notifications_consententry AS entry
                 WHERE entry.organization_id = message.organization_id AND entry.address IN (message.address, ours.hash)
                 ORDER BY entry.purpose, entry.address = message.address DESC, entry.at DESC, entry.id DESC) AS newest
             WHERE NOT newest.given) = %(purposes)s
            THEN 'consent_withdrawn'
        -- While a coordinator decides on a possible opt-out, only codes and answers leave.
        WHEN message.channel = 'sms' AND message.kind <> ALL(%(answers)s) AND EXISTS (
            SELECT 1 FROM notifications_suppression AS suppression
             WHERE suppression.sender_id = message.sender_id AND suppression.basis = 'undecided'
               AND suppression.address IN (message.address, ours.hash))
            THEN 'paused'
        WHEN ours.until >= message.expires_at THEN 'too_late'
        WHEN ours.until IS NOT NULL THEN 'later'
        ELSE 'go' END AS verdict
      FROM unnest(%(ids)s::bigint[], %(tokens)s::text[], %(until)s::timestamptz[], %(why)s::text[],
                  %(hashes)s::text[]) AS ours (id, token, until, why, hash)
      JOIN notifications_message AS message
        ON message.id = ours.id AND message.attempt_token = ours.token AND message.state || '' = 'claimed'
      LEFT JOIN notifications_sender AS sender ON sender.id = message.sender_id
       FOR NO KEY UPDATE OF message SKIP LOCKED
)
UPDATE notifications_message AS message
   SET state = CASE WHEN verdict = 'go' THEN 'sending' WHEN verdict IN ('later', 'paused') THEN 'queued'
                    WHEN verdict IN ('expired', 'too_late') THEN 'expired' ELSE 'blocked' END,
       reason = CASE WHEN verdict = 'go' THEN '' WHEN verdict = 'paused' THEN %(paused)s
                     WHEN verdict IN ('later', 'too_late') THEN judged.why ELSE verdict END,
       due_at = CASE WHEN verdict = 'later' THEN judged.until
                     WHEN verdict = 'paused' THEN least(%(again)s, message.expires_at) ELSE message.due_at END,
       lease_until = CASE WHEN verdict = 'go' THEN %(lease)s::timestamptz END,
       sending_at = CASE WHEN verdict = 'go' THEN %(now)s ELSE message.sending_at END,
       attempts = message.attempts + CASE WHEN verdict = 'go' THEN 1 ELSE 0 END,
       settled_at = CASE WHEN verdict NOT IN ('go', 'later', 'paused') THEN %(now)s END
  FROM judged
 WHERE message.id = judged.id
RETURNING message.id, message.state
"""

STILL_CLAIMED = """
SELECT message.id
  FROM unnest(%s::bigint[], %s::text[]) AS ours (id, token)
  JOIN notifications_message AS message
    ON message.id = ours.id AND message.attempt_token = ours.token AND message.state || '' = 'claimed'
"""

RELEASE = f"""
UPDATE notifications_message AS message
   SET state = 'queued', lease_until = NULL, attempt_token = ''
 WHERE message.id = ANY(ARRAY({STILL_CLAIMED} FOR NO KEY UPDATE OF message SKIP LOCKED))
"""  # noqa: S608  made of constants
