"""Find problems in custom texts. Pure functions."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from drives.messaging import rules
from drives.messaging.texts.wording import JOINERS, OPENING_VARIABLES, TEXTS, VARIABLE, Measure


@dataclass(frozen=True)
class TextProblem:
    code: str
    detail: str


def list_text_problems(kind: str, text: str, measured: Measure) -> list[TextProblem]:
    problems = [*_wrong_variables(text, TEXTS[kind].variables), *_foreign_links(text)]
    problems += [*_missing_facts(kind, text), *_misleading_replies(kind, text)]
    if measured.segments > rules.MAX_CUSTOM_TEXT_SEGMENTS:
        problems.append(TextProblem("too_long", _too_long(measured)))
    return problems


def list_opening_problems(kind: str, text: str) -> list[TextProblem]:
    return [*_wrong_variables(text, (*TEXTS[kind].variables, *OPENING_VARIABLES)), *_foreign_links(text)]


def _wrong_variables(text: str, allowed: tuple[str, ...]) -> Iterator[TextProblem]:
    listed = ", ".join(f"{{{name}}}" for name in allowed)
    for name in dict.fromkeys(VARIABLE.findall(text)):
        if name not in allowed:
            detail = _("{%(name)s} is not a variable. You can use %(known)s.") % {"name": name, "known": listed}
            yield TextProblem("unknown_variable", detail)
    # Refuse single braces, because they are probably part of a misspelled variable.
    if re.search(r"[{}]", VARIABLE.sub("", text)):
        detail = _("Every { needs a }. Write variables as %(known)s, and put nothing else in braces.")
        yield TextProblem("lone_brace", detail % {"known": listed})


def _foreign_links(text: str) -> Iterator[TextProblem]:
    # Phones treat full-width letters and dots as plain ones, and ignore joiners.
    plain = unicodedata.normalize("NFKC", VARIABLE.sub("xx", text))
    visible = "".join(character for character in plain if character not in JOINERS)
    if match := _LINK.search(visible):
        detail = _("“%(link)s” looks like a link. Carriers block links they don’t know, so use only ours: {link}.")
        yield TextProblem("foreign_link", detail % {"link": match[0]})


def _missing_facts(kind: str, text: str) -> Iterator[TextProblem]:
    missing = [f"{{{name}}}" for name in TEXTS[kind].required_variables if f"{{{name}}}" not in text]
    if missing:
        detail = _("This message must include %(missing)s. Add it.") % {"missing": ", ".join(missing)}
        yield TextProblem("fact_missing", detail)


def _misleading_replies(kind: str, text: str) -> Iterator[TextProblem]:
    if _INVITES_CANCEL.search(text):
        detail = _(
            "Don’t ask people to text CANCEL, because carriers treat it as STOP. In a reminder, ask people to reply "
            "X. Otherwise, use {link}."
        )
        yield TextProblem("invites_cancel", detail)
    # Replies C and X work only for some kinds of texts, so other kinds must not ask for them.
    if not TEXTS[kind].kind.asks_for_reply and _INVITES_LETTER.search(text):
        detail = _("People can reply C or X only to reminders. Use {link} here.")
        yield TextProblem("letter_not_understood", detail)


def _too_long(measured: Measure) -> str:
    if measured.special:
        text = _(
            "With the longest names, this takes %(segments)s "
            "segments, and the limit is %(most)s. "
            "“%(special)s” leaves only 70 characters per segment instead of 160. Use plain characters, or shorten it."
        )
    else:
        text = _("With the longest names, this takes %(segments)s segments, and the limit is %(most)s. Shorten it.")
    return text % {
        "segments": measured.segments,
        "most": rules.MAX_CUSTOM_TEXT_SEGMENTS,
        "special": measured.special[:10],
    }


_LINK = re.compile(r"(https?:|www\.)\S*|\b[\w-]{2,}(\.[\w-]+)*\.[a-z]{2,}\b(/\S*)?", re.IGNORECASE)
_INVITES_CANCEL = re.compile(
    r"\b(reply|text|send|answer|respond\w*|env[ií]\w*|mand\w*|contest\w*|escrib\w*)\W+(\w+\W+)?cancel(ar|a|e)?\b",
    re.IGNORECASE,
)
_INVITES_LETTER = re.compile(
    r"\b(reply|text|send|answer|respond\w*|env[ií]\w*|mand\w*|contest\w*|escrib\w*)\W+(\w+\W+)?[CX]\b", re.IGNORECASE
)
