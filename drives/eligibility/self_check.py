"""The self-check before a booking. Only codes are stored, never an age or a weight."""

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
    "local_address": _("I live nearby and will bring proof of my address."),
    "feels_well": _("I feel well. If I get sick before my visit, I’ll cancel."),
}


WILL_ASK = "will_ask"  # the donor is not sure and will ask the center


def validate_self_check(answers: Sequence[str], required: Sequence[str]) -> list[str]:
    """Return the answers to save: all required codes, or only `will_ask`.

    `will_ask` means that the donor will ask the center, or confirmed nothing. Returns an empty list if no codes are
    required. Refuses an incomplete set of codes (`confirmation_missing`).
    """
    if not required:
        return []
    missing = [code for code in required if code not in answers]
    if len(missing) == len(required) or WILL_ASK in answers:
        return [WILL_ASK]
    if missing:
        text = _("Please also confirm: %(sentences)s Or tell us that you’ll ask the center.")
        message = str(text) % {"sentences": " ".join(format_self_check_code(code) for code in missing)}
        raise ValidationError({"self_check": ValidationError(message, code="confirmation_missing")})
    return list(required)


def revalidate_self_check(answers: Sequence[str], required: Sequence[str]) -> list[str]:
    """Convert earlier answers to answers for the current policy.

    If the donor did not confirm all codes of the policy, return only `will_ask`.
    """
    return validate_self_check(answers if all(code in answers for code in required) else [], required)


def list_self_check_sentences(drive: Drive) -> list[str]:
    return [format_self_check_code(code) for code in drive.policy.self_check]


def format_self_check_code(code: str) -> str:
    sentence = SENTENCES.get(code)
    return str(sentence) if sentence else code.replace("_", " ").capitalize()
