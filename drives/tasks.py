"""What the workers do for drives: each a sweep that reads the clock, calls one action and is safe to run twice."""

from typing import Any

from celery import shared_task
from django.utils import timezone

from drives.account import find
from drives.attendance import close_out as attendance_close_out
from drives.booking import hold
from drives.capacity import drift
from drives.inbox import replies
from drives.messaging import email_fallback, invitations, reminders
from drives.planning import alerts
from drives.privacy import retention
from drives.waitlist import offers
from organizations import idempotency
from volunteers import retention as volunteers_retention


@shared_task(name="drives.tasks.render_due")
def render_due(**_options: Any) -> dict[str, int]:
    """Write the texts of reminders that are nearly due."""
    return reminders.render_due(now=timezone.now())


@shared_task(name="drives.tasks.mail_what_texts_could_not_say")
def mail_what_texts_could_not_say(**_options: Any) -> dict[str, int]:
    """Say by mail what a text could not."""
    return {"mails": email_fallback.by_mail(now=timezone.now())}


@shared_task(name="drives.tasks.lapse_holds")
def lapse_holds(**_options: Any) -> dict[str, int]:
    """Free the places of holds that were not proved in time."""
    return {"lapsed": hold.lapse_holds(now=timezone.now())}


@shared_task(name="drives.tasks.offer_places")
def offer_places(**_options: Any) -> dict[str, int]:
    """Offer freed places to those who wait, pass on what was not answered, close the lists of drives that are shut."""
    return offers.sweep(now=timezone.now())


@shared_task(name="drives.tasks.answer_replies")
def answer_replies(**_options: Any) -> dict[str, int]:
    """Do what donors texted: C confirms, X cancels."""
    return replies.answer_new(now=timezone.now())


@shared_task(name="drives.tasks.send_codes")
def send_codes(**_options: Any) -> dict[str, int]:
    """Send the codes of people who look for their bookings."""
    return {"sent": find.send_codes(now=timezone.now())}


@shared_task(name="drives.tasks.close_out")
def close_out(**_options: Any) -> dict[str, int]:
    """Close the drives whose end and grace have passed: no-shows, turnout, thanks."""
    return {"closed": attendance_close_out.close_out_due(now=timezone.now())}


@shared_task(name="drives.tasks.appeal")
def appeal(**_options: Any) -> dict[str, int]:
    """Tell donors who agreed to news that they may give again."""
    return {"appeals": invitations.sweep(now=timezone.now())}


@shared_task(name="drives.tasks.alert_coordinators")
def alert_coordinators(**_options: Any) -> dict[str, int]:
    """Tell coordinators of drives that are far from full a week before."""
    return {"alerted": alerts.alert_under_filled(now=timezone.now())}


@shared_task(name="drives.tasks.check_drift")
def check_drift(**_options: Any) -> dict[str, int]:
    """Hold the slots' counters against the bookings; a difference is an error that somebody must see."""
    return {"drifted": drift.report_drift(drift.drifted_slots())}


@shared_task(name="drives.tasks.tidy")
def tidy(**_options: Any) -> dict[str, int]:
    """Delete what has served: codes, counters, remembered browsers, unproved registrations, kept answers."""
    now = timezone.now()
    return {**volunteers_retention.purge(now=now), "answers": idempotency.purge(now=now)}


@shared_task(name="drives.tasks.forget")
def forget(**_options: Any) -> dict[str, int]:
    """Erase who was not heard of for long, blank old texts."""
    return retention.forget(now=timezone.now())
