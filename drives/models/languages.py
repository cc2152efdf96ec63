"""What an organizer wrote of a drive, in the reader's language where it was written in it. Pure."""

from dataclasses import dataclass

from drives.models import Drive

SPANISH = "es"


@dataclass(frozen=True)
class Written:
    """A text and the language it is in."""

    text: str
    language: str


def written(drive: Drive, name: str, language: str) -> Written:
    """The description, or what to bring, in this language; in the other one if it was not written in this."""
    texts = {"en": getattr(drive, name), SPANISH: getattr(drive, f"{name}_es")}
    wanted = SPANISH if language.startswith(SPANISH) else "en"
    other = next(code for code in texts if code != wanted)
    return Written(texts[wanted], wanted) if texts[wanted] or not texts[other] else Written(texts[other], other)
