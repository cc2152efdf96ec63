"""Celery tasks for drives. Running a task twice is safe."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from drives.account import booking_search
from drives.attendance import close_out as attendance_close_out
from drives.booking import cancellation_digests, hold
from drives.capacity import drift
from drives.imports import retention as imports_retention
from drives.imports import run as imports_run
from drives.inbox import replies
from drives.messaging import email_fallback, invitations, reminders
from drives.planning import under_filled_alerts
from drives.privacy import retention
from drives.waitlist import messages as waitlist_messages
from drives.waitlist import offers
from organizations import retention as organizations_retention
from volunteers import retention as volunteers_retention


@shared_task(name="drives.tasks.render_reminders")
def render_reminders(**_options: Any) -> dict[str, int]:
    return reminders.render_due_reminders(now=timezone.now())


@shared_task(name="drives.tasks.send_fallback_emails")
def send_fallback_emails(**_options: Any) -> dict[str, int]:
    now = timezone.now()
    queued = email_fallback.queue_fallback_emails(now=now)
    return {"mails": queued + waitlist_messages.queue_fallback_emails(now=now)}


@shared_task(name="drives.tasks.lapse_unverified_holds")
def lapse_unverified_holds(**_options: Any) -> dict[str, int]:
    return {"lapsed": hold.lapse_holds(now=timezone.now())}


@shared_task(name="drives.tasks.offer_spots")
def offer_spots(**_options: Any) -> dict[str, int]:
    return offers.sweep_waitlists(now=timezone.now())


@shared_task(name="drives.tasks.answer_replies")
def answer_replies(**_options: Any) -> dict[str, int]:
    return replies.handle_new_replies(now=timezone.now())


@shared_task(name="drives.tasks.send_search_codes")
def send_search_codes(**_options: Any) -> dict[str, int]:
    return {"sent": booking_search.send_find_codes(now=timezone.now())}


@shared_task(name="drives.tasks.close_out_drives")
def close_out_drives(**_options: Any) -> dict[str, int]:
    return {"closed": attendance_close_out.close_out_due_drives(now=timezone.now())}


@shared_task(name="drives.tasks.send_invitations")
def send_invitations(**_options: Any) -> dict[str, int]:
    return {"news": invitations.invite_all_donors(now=timezone.now())}


@shared_task(name="drives.tasks.alert_coordinators")
def alert_coordinators(**_options: Any) -> dict[str, int]:
    return {"alerted": under_filled_alerts.alert_under_filled_drives(now=timezone.now())}


@shared_task(name="drives.tasks.send_cancellation_digests")
def send_cancellation_digests(**_options: Any) -> dict[str, int]:
    return {"queued": cancellation_digests.queue_due_digests(now=timezone.now())}


@shared_task(name="drives.tasks.run_imports")
def run_imports(**_options: Any) -> dict[str, int]:
    return {"batches": imports_run.run_imports(now=timezone.now())}


@shared_task(name="drives.tasks.audit_counters")
def audit_counters(**_options: Any) -> dict[str, int]:
    audit = drift.audit_counters_when_due(now=timezone.now())
    return {"drifted": audit.drifted_slots} if audit else {}


@shared_task(name="drives.tasks.purge_expired_rows")
def purge_expired_rows(**_options: Any) -> dict[str, int]:
    now = timezone.now()
    return {
        **volunteers_retention.purge_expired_rows(now=now),
        **organizations_retention.purge_expired_rows(now=now),
        "imports": imports_retention.purge_expired_imports(now=now),
    }


@shared_task(name="drives.tasks.apply_retention")
def apply_retention(**_options: Any) -> dict[str, int]:
    return retention.apply_retention(now=timezone.now())
