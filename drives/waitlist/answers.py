"""A waitlist entry as the API answers it."""

from django.conf import settings

from drives.api import answers as api_answers
from drives.api.answers import Answer
from drives.waitlist.queries import WaitingPage


def waiting(page: WaitingPage, zone: str) -> Answer:
    """A place in line for whoever has its token; nothing about the person."""
    entry, offer, token = page.entry, page.offer, page.entry.token
    return {
        "id": str(entry.pk),
        "state": entry.state,
        "held_until": entry.held_until and api_answers.at(entry.held_until, zone),
        "position": page.position,
        "visit": entry.visit,
        "drive": str(entry.drive_id),
        "window": {
            "from": entry.window_from and api_answers.at(entry.window_from, zone),
            "to": entry.window_to and api_answers.at(entry.window_to, zone),
        },
        "timezone": zone,
        "offer": offer
        and {
            "starts_at": api_answers.at(offer.starts_at, zone),
            "deadline": api_answers.at(offer.deadline, zone),
            "url": f"{settings.BASE_URL}/offer/{offer.token}/",
        },
        "url": f"{settings.BASE_URL}/w/{token}/",
        "token": token,
    }
