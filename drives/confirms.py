"""What donors confirm themselves before they book, in words. Only the codes are kept, never an age or a weight."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

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


def sentence(code: str) -> str:
    """The sentence behind a code; a code of an own policy that has none is read as it is spelled."""
    known = SENTENCES.get(code)
    return str(known) if known else code.replace("_", " ").capitalize()
