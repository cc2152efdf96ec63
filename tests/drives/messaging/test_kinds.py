"""The default text of every kind of message fits in one SMS segment, in both languages and with the longest names."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from drives.messaging.texts import broadcast_texts, waitlist_texts, wording
from drives.models import Booking, Drive, Policy, Site, Visit, WaitlistEntry
from drives.settings import texting
from notifications import kinds, message_content, opt_outs
from notifications.kinds import KINDS, ChannelChoice, MessageKind
from organizations.models import Organization
from volunteers import code_texts
from volunteers.models import Volunteer

TYPED = {kinds.BROADCAST, kinds.ANSWER}  # a coordinator writes these and sees their length
COMPOSED = {kinds.REPLY_ANSWER}  # built from a donor's bookings or from a refusal, and tested in tests/drives/inbox
E_MAIL_ONLY = [kind for kind in KINDS.values() if kind.channels == ChannelChoice.MAIL]


def longest() -> Drive:
    organization = Organization(sms_name="W" * 20, name="Hope Foundation")
    site = Site(name="St Mary Hall", sms_name="M" * 20, timezone="America/Los_Angeles", organization=organization)
    starts = datetime(2028, 9, 27, 17, 30, tzinfo=UTC)
    return Drive(organization=organization, site=site, policy=Policy(), starts_at=starts, title="Plasma drive")


def texts(kind: MessageKind) -> list[str]:
    """List every text that the service may send as this kind, in the active language."""
    drive, ana = longest(), Volunteer(name="Test Ana Alder")
    entry = WaitlistEntry(**WaitlistEntry.build_link_fields(), drive=drive, volunteer=ana, visit=Visit.RETURN)
    booking = Booking(
        **Booking.build_link_fields(), drive=drive, volunteer=ana, starts_at=drive.starts_at, visit=Visit.RETURN
    )
    language = translation.get_language() or "en"
    others: dict[MessageKind, Callable[[], list[str]]] = {
        kinds.CODE: lambda: [
            code_texts.render_code_message(drive.organization, "sms", language, "482913", "booking:7").text
        ],
        kinds.TEST_TEXT: lambda: [texting.render_test_text(drive.organization)],
        kinds.OPT_OUT: lambda: [opt_outs.CONFIRMATION.format(name="W" * 20)],
        kinds.LATE: lambda: [broadcast_texts.render_late_notice(booking, "sms", 45).text],
        kinds.WAITLIST_JOINED: lambda: [waitlist_texts.render_waitlist_joined(entry, "sms", 888).text],
        kinds.WAITLIST_CLOSED: lambda: [waitlist_texts.render_waitlist_closed(entry, "sms").text],
        kinds.WAITLIST_ANSWER: lambda: [
            waitlist_texts.render_offer_declined(entry, 888),
            waitlist_texts.render_offer_gone(entry, 888),
            waitlist_texts.render_offer_gone(entry, 0),
        ],
    }
    if kind in others:
        return others[kind]()
    # The reminder some days before has the same text as the early one.
    named = [name for name, words in wording.TEXTS.items() if words.kind in {kind, _same_words(kind)}]
    link = 54 if kind == kinds.OFFER else 50
    said = [wording.render_text(name, wording.build_longest_facts("W" * 20, link), {}) for name in named]
    together = [name for name in named if name in wording.SHARED_TEXTS]
    return said + [wording.fill_shared_text(name, wording.build_longest_facts("W" * 20, link)) for name in together]


def _same_words(kind: MessageKind) -> MessageKind:
    return kinds.THREE_DAYS if kind == kinds.WEEK else kind


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize(
    "kind",
    [kind for kind in KINDS.values() if kind not in [*E_MAIL_ONLY, *TYPED, *COMPOSED]],
    ids=lambda kind: kind.name,
)
def test_every_kind_fits_one_text_in_every_language(kind: MessageKind, language: str, settings: Any) -> None:
    settings.BASE_URL = "https://drive.example.org"  # makes a link of 50 characters
    with translation.override("en"):
        english = texts(kind)
    with translation.override(language):
        said = texts(kind)
    assert said
    assert [(message_content.count_segments(text), message_content.is_gsm(text)) for text in said] == [(1, True)] * len(
        said
    ), said
    assert language == "en" or said != english or kind == kinds.OPT_OUT  # one text in both languages
