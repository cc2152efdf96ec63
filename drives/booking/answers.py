"""A booking as the API answers it."""

from django.conf import settings

from drives.api import answers as api_answers
from drives.api.answers import Answer
from drives.models import Booking


def booking(row: Booking, zone: str) -> Answer:
    """A booking for the caller with its token; nothing about the donor."""
    token = row.token
    manage_url = f"{settings.BASE_URL}/b/{token}/"
    return {
        "id": str(row.pk),
        "reference": row.reference,
        "state": row.state,
        "held_until": row.held_until and api_answers.at(row.held_until, zone),
        "visit": row.visit,
        "drive": str(row.drive_id),
        "slot": str(row.arrival_id),
        "starts_at": api_answers.at(row.starts_at, zone),
        "timezone": zone,
        "manage_url": manage_url,
        "calendar_url": f"{manage_url}calendar.ics",
        "token": token,
    }
