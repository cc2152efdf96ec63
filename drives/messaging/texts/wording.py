"""Default texts for each kind of message, custom texts, and the length of texts on a phone. Pure functions.

A default text fits one GSM-7 segment if the names of organization and site have at most 20 characters and the link has
at most 50. Custom texts contain variables such as {day}.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import blake2s
from typing import TYPE_CHECKING

from django.utils.translation import get_language, gettext_lazy, gettext_noop, override
from django.utils.translation import gettext as _

from drives.domain import localtime
from notifications import kinds, message_content
from notifications.kinds import MessageKind

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

VARIABLE = re.compile(r"\{(\w+)\}")
JOINERS = "\u200d\ufe0f"  # invisible characters that emoji need
SITE_NAME_LENGTH = 20  # maximum length of a site's sms_name


@dataclass(frozen=True)
class TextKind:
    """The default texts for a kind of message, or for a variant of it.

    Custom texts must contain the required variables.
    """

    kind: MessageKind
    default: str
    opening: str
    required_variables: tuple[str, ...] = ()
    variables: tuple[str, ...] = ("org", "day", "time", "location", "link")
    variant: "StrOrPromise" = ""

    @property
    def label(self) -> "StrOrPromise":
        return self.variant or self.kind.label


@dataclass(frozen=True)
class TextTemplate:
    """An organization's texts for one kind and language. A blank text means the default."""

    text: str = ""  # for the text message
    opening: str = ""  # for the first line of the e-mail


def compute_text_version(template: TextTemplate) -> str:
    return blake2s(repr((template.text, template.opening)).encode(), digest_size=8).hexdigest()


CustomTexts = Mapping[tuple[str, str], TextTemplate]  # by kind and language
NO_CUSTOM_TEXTS: CustomTexts = {}

DAY_AND_TIME = ("day", "time")
OPENING_VARIABLES = ("name", "long_day")  # also allowed in the first line of an e-mail
TEXTS: Mapping[str, TextKind] = {
    "booked": TextKind(
        kinds.BOOKED,
        gettext_noop("%(org)s: You're booked %(day)s, %(time)s, %(location)s. Change or cancel: %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, you're booked."),
        required_variables=(*DAY_AND_TIME, "link"),
    ),
    "reminder": TextKind(
        kinds.THREE_DAYS,
        gettext_noop("%(org)s: Reminder: %(day)s %(time)s, %(location)s. Reply C to confirm, X to cancel. STOP to end"),
        gettext_noop("Hello %(name)s, we look forward to seeing you."),
        required_variables=DAY_AND_TIME,
    ),
    "day_before": TextKind(
        kinds.DAY_BEFORE,
        gettext_noop(
            "%(org)s: Reminder: tomorrow, %(day)s %(time)s, %(location)s. Bring photo ID. Reply C to confirm, X to"
            " cancel. STOP to end"
        ),
        gettext_noop("Hello %(name)s, we look forward to seeing you."),
        required_variables=("time",),
    ),
    "same_day": TextKind(
        kinds.SAME_DAY,
        gettext_noop("%(org)s: See you today %(time)s, %(location)s. Eat well first. Can't come? %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, we look forward to seeing you."),
        required_variables=("time",),
    ),
    "moved": TextKind(
        kinds.MOVED,
        gettext_noop("%(org)s: New time %(day)s %(time)s, %(location)s (was %(old_time)s). %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, your booking has a new time. The old time was %(old_time)s."),
        required_variables=(*DAY_AND_TIME, "link"),
        variables=("org", "day", "time", "old_time", "location", "link"),
    ),
    "relocated": TextKind(
        kinds.RELOCATED,
        gettext_noop("%(org)s: New location %(day)s %(time)s: %(location)s. Address: %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, your time stays the same, but the location has changed."),
        required_variables=(*DAY_AND_TIME, "location", "link"),
    ),
    "cancelled": TextKind(
        kinds.CANCELLED,
        gettext_noop("%(org)s: Cancelled: %(day)s %(time)s, %(location)s. Book another time: %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, your booking for %(long_day)s, %(time)s is cancelled."),
        required_variables=DAY_AND_TIME,
    ),
    "given_up": TextKind(
        kinds.CANCELLED,
        gettext_noop("%(org)s: Cancelled: %(day)s %(time)s, %(location)s. Undo or rebook: %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, your booking for %(long_day)s, %(time)s is cancelled."),
        required_variables=(*DAY_AND_TIME, "link"),
        variant=gettext_lazy("Cancellation by the donor"),
    ),
    "offer": TextKind(
        kinds.OFFER,
        gettext_noop("%(org)s: Spot open %(day)s %(time)s. C by %(until)s to take it, X to pass. %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, a spot is open, and we're holding it for you until %(until)s."),
        required_variables=(*DAY_AND_TIME, "until"),
        variables=("org", "day", "time", "until", "location", "link"),
    ),
    "drive_cancelled": TextKind(
        kinds.DRIVE_CANCELLED,
        gettext_noop("%(org)s: Don't come. The drive on %(day)s, %(location)s, is cancelled. %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, please don't come. Our drive on %(long_day)s at %(location)s is cancelled."),
        required_variables=("day",),
    ),
    "thank_you": TextKind(
        kinds.THANK_YOU,
        gettext_noop("%(org)s: Thank you for your donation! See when you can come again: %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, thank you for your donation."),
        variant=gettext_lazy("Thanks for a donation"),
    ),
    "second_visit": TextKind(
        kinds.THANK_YOU,
        gettext_noop("%(org)s: Thank you! Second visit: %(slots)s. Book: %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, thank you for your first donation."),
        required_variables=("slots", "link"),
        variables=("org", "slots", "link"),
        variant=gettext_lazy("Thanks for a first donation"),
    ),
    "came": TextKind(
        kinds.THANK_YOU,
        gettext_noop("%(org)s: Thank you for coming! See our next dates: %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, thank you for coming."),
        variant=gettext_lazy("Thanks for coming"),
    ),
    "missed": TextKind(
        kinds.MISSED,
        gettext_noop("%(org)s: We missed you. Can you come another time? %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, we missed you. Plans change, and we'd be glad to see you another time."),
    ),
    "invitation": TextKind(
        kinds.INVITATION,
        gettext_noop("%(org)s: You can give again. Open spots %(day)s, %(location)s: %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, you can give again."),
        required_variables=("day", "link"),
    ),
    "next_drive": TextKind(
        kinds.INVITATION,
        gettext_noop("%(org)s: Our next plasma drive is %(day)s, %(location)s. Book: %(link)s STOP to end"),
        gettext_noop("Hello %(name)s, we have a date for our next plasma drive."),
        required_variables=("day", "link"),
        variant=gettext_lazy("Invitation to a first visit"),
    ),
}

# Texts to members of a party who share a phone. Organizations cannot customize them.
SHARED_TEXTS: Mapping[str, str] = {
    "booked": gettext_noop(
        "%(org)s: %(count)s booked %(day)s from %(time)s, %(location)s. Change or cancel: %(link)s STOP to end"
    ),
    "reminder": gettext_noop(
        "%(org)s: Reminder: %(count)s spots %(day)s from %(time)s. Reply C to confirm all. Change: %(link)s STOP to end"
    ),
    "moved": gettext_noop(
        "%(org)s: New time for %(count)s of you: %(day)s from %(time)s. Change: %(link)s STOP to end"
    ),
    "cancelled": gettext_noop(
        "%(org)s: Cancelled: %(count)s spots %(day)s from %(time)s. Book again: %(link)s STOP to end"
    ),
}


def build_default_text(kind: str) -> TextTemplate:
    text_kind, variables = TEXTS[kind], {name: f"{{{name}}}" for name in (*TEXTS[kind].variables, *OPENING_VARIABLES)}
    return TextTemplate(_(text_kind.default) % variables, _(text_kind.opening) % variables)


def render_opening(kind: str, facts: Mapping[str, str], custom: CustomTexts) -> str:
    template = custom.get((kind, get_language() or "en"))
    return fill_variables(template.opening, facts) if template and template.opening else _(TEXTS[kind].opening) % facts


def render_text(kind: str, facts: Mapping[str, str], custom: CustomTexts) -> str:
    template = custom.get((kind, get_language() or "en"))
    if template is None or not template.text:
        return _remove_double_stops(message_content.convert_to_gsm(_(TEXTS[kind].default) % facts))
    # Convert the facts to GSM-7, because one special character would shorten a segment from 160 to 70 characters.
    return fill_variables(
        add_sender_and_stop(template.text), {name: message_content.convert_to_gsm(fact) for name, fact in facts.items()}
    )


def fill_shared_text(kind: str, facts: Mapping[str, str]) -> str:
    return _remove_double_stops(message_content.convert_to_gsm(_(SHARED_TEXTS[kind]) % facts))


def _remove_double_stops(text: str) -> str:
    """Replace ".." with "." where a sentence ends with a time such as "1:15 p.m."."""
    return re.sub(r"(?<!\.)\.\.(?!\.)", ".", text)


def render_longest_that_fits(
    kind: str, facts: Mapping[str, str], custom: CustomTexts, name: str, lists: Sequence[str]
) -> str:
    """Render the text with the longest list of times that fits into one segment, or else with the shortest list.

    `name` is the variable for the list. `lists` are ordered from short to long.
    """
    candidates = [render_text(kind, {**facts, name: times}, custom) for times in lists]
    # The lists get longer, so take the last one that fits.
    return next((text for text in reversed(candidates) if message_content.count_segments(text) == 1), candidates[0])


def add_sender_and_stop(text: str) -> str:
    """Add {org} and the opt-out instructions if they are missing. The law and the carriers require both."""
    with_sender = text if "{org}" in text else f"{{org}}: {text}"
    return with_sender if re.search(r"\bSTOP\b", with_sender) else f"{with_sender} {_('STOP to end')}"


def fill_variables(text: str, facts: Mapping[str, str]) -> str:
    """Replace {variables} with facts. Braces inside a fact, such as a name, do not change."""
    return VARIABLE.sub(lambda match: facts.get(match[1], ""), text)


def clean_text(text: str) -> str:
    visible = (" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    characters = (
        character for character in visible if character in JOINERS or unicodedata.category(character)[0] != "C"
    )
    return " ".join("".join(characters).split())


# Length ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measure:
    """The length of a text on a phone.

    `special` are the characters that shorten each segment from 160 to 70 characters.
    """

    characters: int
    segments: int
    special: str

    @property
    def encoding(self) -> str:
        return "UCS-2" if self.special else "GSM-7"


def measure_text(text: str) -> Measure:
    special = "".join(dict.fromkeys(character for character in text if not message_content.is_gsm(character)))
    # UCS-2 counts UTF-16 code units, so an emoji counts as two characters.
    length = len(text.encode("utf-16-le")) // 2 if special else message_content.count_septets(text)
    return Measure(length, message_content.count_segments(text), special)


def build_longest_facts(sms_name: str, link_length: int) -> dict[str, str]:
    language = get_language() or "en"
    return {
        "org": sms_name,
        "count": "6",
        "day": _longest_day(language),
        "time": _longest_clock(language),
        "old_time": _longest_clock(language),
        "slots": f"{_longest_day(language)} {_longest_clock(language)}",
        "until": _longest_until(language),
        "location": "M" * SITE_NAME_LENGTH,
        "link": "x" * link_length,
    }


def measure_longest_text(text: str, language: str, sms_name: str, link_length: int) -> Measure:
    with override(language):
        return measure_text(fill_variables(add_sender_and_stop(text), build_longest_facts(sms_name, link_length)))


@cache
def _longest_day(language: str) -> str:
    days = (localtime.format_short_day(_A_YEAR + timedelta(days=number), "UTC") for number in range(366))
    return max((message_content.convert_to_gsm(day) for day in days), key=message_content.count_septets)


@cache
def _longest_clock(language: str) -> str:
    return max(
        (
            message_content.convert_to_gsm(localtime.format_time(_A_YEAR + timedelta(hours=hour), "UTC"))
            for hour in range(24)
        ),
        key=message_content.count_septets,
    )


@cache
def _longest_until(language: str) -> str:
    moments = (
        message_content.convert_to_gsm(localtime.format_day_and_time(_A_YEAR + timedelta(hours=hour), "UTC"))
        for hour in range(7 * 24)
    )
    return max(moments, key=message_content.count_septets)


# A leap year contains every possible date.
_A_YEAR = datetime(2028, 1, 1, 10, tzinfo=UTC)
