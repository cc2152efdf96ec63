"""List and end the sessions of members."""

from collections.abc import Collection
from datetime import datetime

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction

from organizations import audit, rules
from organizations.models import Membership


def list_sessions(user_ids: Collection[int], now: datetime) -> list[UserSession]:
    """List the open sessions of these users, the newest first and at most `MAX_SESSIONS_SHOWN`. One query."""
    open_keys = Session.objects.filter(expire_date__gt=now).values("session_key")
    rows = UserSession.objects.filter(user__in=user_ids, session_key__in=open_keys)
    return list(rows.order_by("-created_at", "-pk")[: rules.MAX_SESSIONS_SHOWN])


@transaction.atomic
def end_sessions(*, membership: Membership, except_key: str, actor: str, now: datetime) -> int:
    """End all sessions of a member, except the session with this key. Return the number of ended sessions."""
    rows = UserSession.objects.filter(user=membership.user_id).exclude(session_key=except_key)
    keys = list(rows.values_list("session_key", flat=True))
    ended = Session.objects.filter(session_key__in=keys).delete()[0]
    rows.delete()
    about = f"user:{membership.user_id}"
    audit.add_audit_entry(
        organization=membership.organization, actor=actor, verb="ended_sessions", about=about, now=now
    )
    return ended
