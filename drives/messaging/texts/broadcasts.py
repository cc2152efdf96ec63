"""What is said to many, and to one who asked: what a coordinator typed, and the running-late notice. Pure wording."""

import unicodedata
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from drives.messaging import custom_texts
from drives.messaging.texts import bookings, catalog
from drives.models import Booking, Broadcast, BroadcastKind
from notifications import notice
from notifications.models import Channel, Purpose
from notifications.notice import Wording
from organizations.models import Organization

LATE_MINUTES = (10, 20, 30, 45)
MOST_SEGMENTS = 3
LINK_LENGTH, NAME_LENGTH, LONG_DAY = 50, 20, "Wednesday, September 30"  # to measure what has not been filled in yet
KNOWS = (*catalog.TEXTS["booked"].knows, *catalog.OPENINGS_KNOW)  # what {variables} a message to many may name


def plain(typed: str) -> str:
    """One line, in the letters of a plain text where that loses nothing but accents: then 160 fit instead of 70."""
    text = catalog.cleaned(typed)
    composed = unicodedata.normalize("NFC", text)
    loses = any(not notice.is_gsm(letter) and notice.gsm(letter) in {"", "?"} for letter in composed)
    return text if loses else notice.gsm(text)


# One who asked ---------------------------------------------------------------------------------------------------


def answer(organization: Organization, typed: str) -> Wording:
    """A coordinator's answer, with who writes first. Refuses nothing to say and what is too long."""
    words = plain(typed)
    text = f"{organization.sms_name}: {words}"
    if not words:
        raise ValidationError({"text": ValidationError(_("Write an answer."), code="text_missing")})
    if (count := catalog.measure(text).segments) > MOST_SEGMENTS:
        raise ValidationError({"text": _too_long(count)})
    return Wording(text)


def _too_long(count: int) -> ValidationError:
    detail = _("This is %(count)s texts long, and %(most)s are the limit. Shorten it.")
    return ValidationError(detail % {"count": count, "most": MOST_SEGMENTS}, code="too_long")


# Many ------------------------------------------------------------------------------------------------------------


def problems(typed: str, organization: Organization) -> list[ValidationError]:
    """Why these words cannot go to many, all reasons at once."""
    text = catalog.cleaned(typed)
    if not text:
        return [ValidationError(_("Write the message."), code="text_missing")]
    found = [ValidationError(each.detail, code=each.code) for each in custom_texts.opening_problems("booked", text)]
    longest = {**catalog.longest(organization.sms_name, LINK_LENGTH), "name": "M" * NAME_LENGTH, "long_day": LONG_DAY}
    count = catalog.measure(catalog.filled(catalog.complete(plain(text)), longest)).segments
    return [*found, _too_long(count)] if count > MOST_SEGMENTS else found


def worded(broadcast: Broadcast, booking: Booking, channel: str) -> Wording:
    """What one person reads, in the active language."""
    if broadcast.kind == BroadcastKind.LATE:
        return late(booking, channel, broadcast.minutes or 0)
    return announced(booking, channel, in_active_language(broadcast.texts), broadcast.purpose)


def announced(booking: Booking, channel: str, typed: str, purpose: str) -> Wording:
    """What a coordinator typed, with the facts of this booking in place of {variables}."""
    facts = bookings.facts_of(booking)
    if channel == Channel.SMS:
        return Wording(
            catalog.filled(catalog.complete(plain(typed)), {name: notice.gsm(fact) for name, fact in facts.items()})
        )
    lines = [_("Hello %(name)s,") % facts, catalog.filled(catalog.cleaned(typed), {**facts, "org": facts["org_name"]})]
    if purpose == Purpose.APPEALS:
        subject = _("News from %(org_name)s") % facts
        return bookings.letter(booking, subject, lines, _("See the next dates"))
    return bookings.letter(booking, _("About your visit: %(long_day)s, %(time)s") % facts, lines, _("Your booking"))


def late(booking: Booking, channel: str, minutes: int) -> Wording:
    """The drive is running late; the place is kept."""
    facts = {**bookings.facts_of(booking), "minutes": minutes}
    if channel == Channel.SMS:
        text = _(
            "%(org)s: We are running about %(minutes)s min late at %(place)s. "
            "Your %(time)s place is kept. Sorry for the wait. STOP to end"
        )
        return Wording(notice.gsm(text % facts))
    lines = [
        _("Hello %(name)s, we are running about %(minutes)s minutes late today.") % facts,
        _("Your place at %(time)s is kept, and you may come that much later. We are sorry for the wait.") % facts,
    ]
    subject = _("We are running about %(minutes)s minutes late") % facts
    return bookings.letter(booking, subject, lines, _("Your booking"))


def in_active_language(typed: Mapping[str, str]) -> str:
    """The words in the active language, else those that were typed first."""
    language = get_language() or "en"
    return typed.get(language) or next(iter(typed.values()), "")
