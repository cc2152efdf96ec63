"""What donors confirm themselves before they book, in words. Only the codes are kept, never an age or a weight."""

from collections.abc import Sequence
from typing import Final

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from drives.models import Drive

SENTENCES: Final[dict[str, Promise]] = {
    "age_16": _("I am 16 or older."),
    "age_17": _("I am 17 or older."),
    "age_18": _("I am 18 or older."),
    "age_18_to_75": _("I am 18 to 75 years old."),
    "weight_50kg": _("I weigh 110 pounds (50 kg) or more."),
    "photo_id": _("I will bring a photo ID."),
    "local_address": _("I live nearby and will bring something that shows my address."),
    "feels_well": _("I feel well. If I am ill on the day, I will cancel."),
}


WILL_ASK = "will_ask"  # is not sure and will ask the centre: the other outcome that is kept


def validate_self_check(answered: Sequence[str], asked: Sequence[str]) -> list[str]:
    """What is kept of a donor's confirmations under a policy that asks for these: all of them, or that they will ask.

    Whoever says nothing will ask. Refuses, for the field, some without the rest: half a yes is no yes.
    """
    if not asked:
        return []
    missing = [code for code in asked if code not in answered]
    if len(missing) == len(asked) or WILL_ASK in answered:
        return [WILL_ASK]
    if missing:
        text = _("Also needed: %(sentences)s Or say that you will ask the center.")
        said = str(text) % {"sentences": " ".join(format_self_check_code(code) for code in missing)}
        raise ValidationError({"self_check": ValidationError(said, code="confirmation_missing")})
    return list(asked)


def revalidate_self_check(answered: Sequence[str], asked: Sequence[str]) -> list[str]:
    """What is kept of what was confirmed before, if the policy asks for these by now: half a yes, and they will ask."""
    return validate_self_check(answered if all(code in answered for code in asked) else [], asked)


def list_self_check_sentences(drive: Drive) -> list[str]:
    """The sentences of everything the drive's policy wants confirmed, in its order."""
    return [format_self_check_code(code) for code in drive.policy.self_check]


def format_self_check_code(code: str) -> str:
    """The sentence behind a code; a code of an own policy that has none is read as it is spelled."""
    known = SENTENCES.get(code)
    return str(known) if known else code.replace("_", " ").capitalize()
