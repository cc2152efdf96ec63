"""Delete expired sessions, sign-in limits, invitations, stored responses and parked rows."""

from datetime import datetime

from django.contrib.sessions.models import Session
from django.db import transaction

from organizations import idempotency, rules
from organizations.models import Invitation, ParkedRow, SharedCacheEntry


@transaction.atomic
def purge_expired_rows(*, now: datetime) -> dict[str, int]:
    return {
        # A session may contain what a member typed (`organizations.web.unsaved_form`).
        "sessions": Session.objects.filter(expire_date__lte=now).delete()[0],
        "sign_in_limits": SharedCacheEntry.objects.filter(expires__lt=now).delete()[0],
        "invitations": Invitation.objects.filter(expires_at__lt=now - rules.INVITATION_KEPT).delete()[0],
        "answers": idempotency.purge_answers(now=now),
        # Otherwise coordinators would always see a failed task that no sweep tries again.
        "parked_rows": ParkedRow.objects.filter(retry_at__lt=now - rules.PARKED_ROW_KEPT).delete()[0],
    }
