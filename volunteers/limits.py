"""Rate limits, counted in database rows. The updates are atomic, so parallel requests cannot exceed a limit."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notifications import contact_address
from organizations import secret_keys
from organizations.models import Organization
from volunteers import rules
from volunteers.models import LimitCounter, Volunteer

LONGEST_WINDOW = timedelta(days=1)
SHOW_MINUTES_UP_TO = 90  # longer waits are shown in hours


class RateLimitExceeded(ValidationError):
    """A rate limit is reached. Views return 429 with Retry-After."""

    def __init__(self, retry_at: datetime, now: datetime, text: str = "", code: str = "too_many_codes") -> None:
        self.retry_at, self.retry_after = retry_at, retry_at - now
        super().__init__(text or f"{_('Too many requests.')} {self._format_wait()}", code=code)

    def _format_wait(self) -> str:
        minutes = max(1, ceil(self.retry_after.total_seconds() / 60))
        if minutes <= SHOW_MINUTES_UP_TO:
            text = ngettext("Try again in %(count)s minute.", "Try again in %(count)s minutes.", minutes)
            return text % {"count": minutes}
        hours = ceil(minutes / 60)
        return ngettext("Try again in %(count)s hour.", "Try again in %(count)s hours.", hours) % {"count": hours}


class TooManyChanges(RateLimitExceeded):
    """A donor changed one booking too often, or too many bookings. A coordinator can still change them."""

    def __init__(self, retry_at: datetime, now: datetime, organization: Organization, phone: str) -> None:
        if phone or organization.phone:
            text = _("You’ve made many changes in a short time. Please call us at %(phone)s to make this change.")
            said = text % {"phone": contact_address.format_phone(phone or organization.phone)}
        else:
            text = _("You’ve made many changes in a short time. Please write to %(email)s to make this change.")
            said = text % {"email": organization.email}
        super().__init__(retry_at, now, said, "too_many_changes")


Refund = tuple[str, str, str, int]
"""What to take back from a counter: scope, digest, start of the window, count."""


class Limit(NamedTuple):
    """A rate limit: at most `limit` per `window` for a subject. `scope` names what is counted."""

    scope: str
    subject: str
    limit: int
    window: timedelta
    amount: int = 1  # how much one request spends
    reserved: int = 0  # the part that only known contacts may use
    at: datetime | None = None  # counts in the window of this moment instead of now

    def compute_window_start(self, now: datetime) -> datetime:
        # All windows of a limit start at fixed times, so that an upsert can raise the counter without reading it first.
        seconds = int(self.window.total_seconds())
        return datetime.fromtimestamp(int((self.at or now).timestamp()) // seconds * seconds, UTC)

    def list_windows(self, since: datetime, until: datetime) -> list["Limit"]:
        """Return a copy of this limit for each window between `since` and `until`."""
        start, windows = self.compute_window_start(since), []
        while start < until:
            windows.append(self._replace(at=start))
            start += self.window
        return windows

    @property
    def digest(self) -> str:
        return secret_keys.compute_hash(f"limit:{self.scope}:{self.subject}")

    def build_refund(self, now: datetime) -> Refund:
        return self.scope, self.digest, self.compute_window_start(now).isoformat(), self.amount


def spend_limit(*, scope: str, subject: str, limit: int, window: timedelta, now: datetime) -> None:
    spend_limits(limits=[Limit(scope, subject, limit, window)], now=now)


_SPEND = """
INSERT INTO volunteers_limitcounter AS spent (scope, subject, window_start, count)
SELECT scope, subject, window_start, asked.count
  FROM unnest(%(scopes)s::text[], %(subjects)s::text[], %(starts)s::timestamptz[], %(counts)s::int[], %(most)s::int[])
       AS asked (scope, subject, window_start, count, most)
 WHERE asked.count <= most
ON CONFLICT ON CONSTRAINT one_counter_per_window DO UPDATE SET count = spent.count + EXCLUDED.count
 WHERE spent.count + EXCLUDED.count <= (%(limits)s::jsonb ->> spent.scope)::int - CASE WHEN EXISTS (
           SELECT FROM volunteers_contact AS known
            WHERE known.identity = %(identity)s AND coalesce(known.organization_id = %(organization)s::bigint, true)
              AND (known.verified_at IS NOT NULL OR known.owner_id IS NOT NULL))
       THEN 0 ELSE (%(reserved)s::jsonb ->> spent.scope)::int END
RETURNING scope, window_start
"""
# The counters are locked in the order in which `spend_limits` locks them.
_REFUND = """
UPDATE volunteers_limitcounter AS spent SET count = greatest(0, spent.count - refund.count)
  FROM (SELECT counter.id, (given.value ->> 3)::int AS count
          FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS given (value, position)
          JOIN volunteers_limitcounter AS counter
            ON counter.scope = given.value ->> 0 AND counter.subject = given.value ->> 1
           AND counter.window_start = (given.value ->> 2)::timestamptz
         ORDER BY given.position FOR NO KEY UPDATE OF counter) AS refund
 WHERE spent.id = refund.id
"""


@transaction.atomic(savepoint=False)
def spend_limits(
    *, limits: Sequence[Limit], now: datetime, identity: str = "", organization_id: int | None = None
) -> None:
    """Count a request against all of these limits. If any is reached, count nothing and raise RateLimitExceeded.

    The limits must differ in scope or window. A single statement locks the counters, in the given order, until the
    transaction ends. List narrow limits first and call this late, because many requests share the counters of broad
    limits. The reserved part of a limit is for contacts that the organization knows, or without `organization_id` for
    contacts that any organization knows.
    """
    if not settings.RATE_LIMITS or not limits:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _SPEND,
            {
                "scopes": [limit.scope for limit in limits],
                "subjects": [limit.digest for limit in limits],
                "starts": [limit.compute_window_start(now) for limit in limits],
                "counts": [limit.amount for limit in limits],
                "most": [limit.limit for limit in limits],
                "limits": json.dumps({limit.scope: limit.limit for limit in limits}),
                "reserved": json.dumps({limit.scope: limit.reserved for limit in limits}),
                "identity": identity,
                "organization": organization_id,
            },
        )
        counted = set(cursor.fetchall())
    if spent := [limit for limit in limits if (limit.scope, limit.compute_window_start(now)) not in counted]:
        raise RateLimitExceeded(max(limit.compute_window_start(now) + limit.window for limit in spent), now)


def spend_change(
    *,
    organization: Organization,
    record: str = "",
    pk: int = 0,
    identity: str = "",
    now: datetime,
    phone: str = "",
) -> None:
    """Count a donor's change to a record such as a booking, both for the record and for the donor's contact.

    Raises TooManyChanges, which asks the donor to call `phone`, by default the organization's number. Call this after
    the rules have allowed the change, and before the slots are locked. `identity` must be that of a verified contact.
    Otherwise a visitor could use up another person's changes.
    """
    subjects = [(f"{record}_changes", str(pk))] if record else []
    if identity:
        subjects.append(("contact_changes", identity))
    windows = (("_hour", rules.CHANGES_PER_HOUR), ("_day", rules.CHANGES_PER_DAY))
    limits = [Limit(scope + suffix, subject, *limit) for scope, subject in subjects for suffix, limit in windows]
    try:
        spend_limits(limits=limits, now=now)
    except RateLimitExceeded as reached:
        raise TooManyChanges(reached.retry_at, now, organization, phone) from reached


def find_limited_identity(volunteer: Volunteer | None) -> str:
    """Return the contact identity that `spend_change` counts a volunteer's changes against, or "" if there is none."""
    if volunteer is None:
        return ""
    contacts = [contact for contact in (volunteer.phone, volunteer.email) if contact]
    own = [one.identity for one in contacts if one.owner_id == volunteer.pk]
    # Another person may have verified the other contact after the volunteer typed it.
    shared = [one.identity for one in contacts if one.verified_at]
    return next(iter(own + shared), "")


@transaction.atomic(savepoint=False)
def refund_limits(refunds: Sequence[Refund]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_REFUND, [json.dumps(refunds)])


@transaction.atomic(savepoint=False)
def purge_counters(*, now: datetime) -> int:
    # A window that started twice the longest window ago is certainly over.
    return LimitCounter.objects.filter(window_start__lt=now - 2 * LONGEST_WINDOW).delete()[0]
