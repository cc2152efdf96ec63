"""Every kind of message that the service words by itself fits one text, in both languages, with the longest names."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from drives.messaging.texts import broadcasts, catalog, waitlist
from drives.models import Booking, Drive, Policy, Site, Visit, WaitingEntry
from notifications import kinds, notice
from notifications.kinds import KINDS, Kind, Way
from organizations.models import Organization
from volunteers import notices
from volunteers.models import Volunteer

TYPED = {kinds.BROADCAST, kinds.ANSWER}  # a coordinator writes them, and sees how long they are
E_MAIL_ONLY = [kind for kind in KINDS.values() if kind.channels == Way.MAIL]


def longest() -> Drive:
    organization = Organization(sms_name="W" * 20, name="Hope Foundation")
    site = Site(name="St Mary Hall", sms_name="M" * 20, timezone="America/Los_Angeles", organization=organization)
    starts = datetime(2028, 9, 27, 17, 30, tzinfo=UTC)
    return Drive(organization=organization, site=site, policy=Policy(), starts_at=starts, title="Plasma drive")


def texts(kind: Kind) -> list[str]:
    """Every text that may leave as this kind, in the active language."""
    drive, ana = longest(), Volunteer(name="Test Ana Alder")
    entry = WaitingEntry(drive=drive, volunteer=ana, visit=Visit.RETURN)
    booking = Booking(drive=drive, volunteer=ana, starts_at=drive.starts_at, visit=Visit.RETURN)
    language = translation.get_language() or "en"
    others: dict[Kind, Callable[[], list[str]]] = {
        kinds.CODE: lambda: [notices.code(drive.organization, "sms", language, "482913", "booking:7").text],
        kinds.LATE: lambda: [broadcasts.late(booking, "sms", 45).text],
        kinds.WAITING_JOINED: lambda: [waitlist.joined(entry, "sms", 888).text],
        kinds.WAITING_OVER: lambda: [waitlist.over(entry, "sms").text],
        kinds.WAITING_ANSWER: lambda: [
            waitlist.passed_on(entry, 888),
            waitlist.too_late(entry, 888),
            waitlist.too_late(entry, 0),
        ],
    }
    if kind in others:
        return others[kind]()
    # The reminder of some days before has the words of the early one.
    named = [name for name, words in catalog.TEXTS.items() if words.kind in {kind, _same_words(kind)}]
    link = 54 if kind == kinds.OFFER else 50
    said = [catalog.worded(name, catalog.longest("W" * 20, link), {}) for name in named]
    together = [name for name in named if name in catalog.TOGETHER]
    return said + [catalog.together(name, catalog.longest("W" * 20, link)) for name in together]


def _same_words(kind: Kind) -> Kind:
    return kinds.THREE_DAYS if kind == kinds.WEEK else kind


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS.values() if kind not in E_MAIL_ONLY and kind not in TYPED],
    ids=lambda kind: kind.name,
)
def test_every_kind_fits_one_text_in_every_language(kind: Kind, language: str, settings: Any) -> None:
    settings.BASE_URL = "https://drive.example.org"  # a link of 50 characters
    with translation.override("en"):
        english = texts(kind)
    with translation.override(language):
        said = texts(kind)
    assert said
    assert [(notice.segments(text), notice.is_gsm(text)) for text in said] == [(1, True)] * len(said), said
    assert language == "en" or said != english
