"""Find out whether a donor's text confirms or cancels a visit. Coordinators read all other texts. Pure functions."""

import re
from dataclasses import dataclass
from enum import StrEnum

from notifications import reply_text


class ReplyCommand(StrEnum):
    CONFIRM = "confirm"
    CANCEL = "cancel"


@dataclass(frozen=True)
class ParsedReply:
    """A command, with the donor's choice if there are several bookings."""

    command: ReplyCommand
    says_more: bool = False  # lines follow the command, and a coordinator reads them
    choice: str = ""  # "2", "ana" or "10 30" after the letter; "all" for all of them


ALL_BOOKINGS = "all"
_POLITE_WORDS = re.compile(r"\b(please|pls|plz|thanks|thank you|thx|ok|okay|por favor|gracias|reply|respondo)\b")
_CONFIRM = (
    r"(?:cc?|y|yes|si|confirm|confirmed|confirmo|confirmado|confirmada|confirmar|(?:c|yes|si) (?:to "
    r"|para )?confirm(?:ar|o|ed)?|(?:(?:yes|si) )?(?:(?:i|we)(?:ll| will) be there|see you (?:there|then)"
    r"|(?:ahi|alli) estare(?:mos)?))"
)
_CANCEL = r"(?:xx?|(?:x) (?:to |para )?cancel(?:ar|o)?|cancel x)"
_CLOCK_TIME = r"(?P<hour>\d{1,2})(?: ?(?P<minute>\d\d))? ?(?:(?P<half>[ap]) ?m)?"
_CHOICE = r"(?: ?(?=\d)| (?=\D))(?P<choice>\d{1,2}(?: ?\d\d)?(?: ?[ap] ?m)?|[^\W\d]{2,20})"  # "X 2", "X Ana", "X 10:30"
_CHOICE_FILLERS = re.compile(
    r"\b(?:the|at|for|on|one|only|just|number|option|el|la|las|los|de|a|para|solo|numero|opcion)\b(?! ?m\b)"
)
_ALL_WORDS = frozenset({"all", "both", "todos", "todas", "ambos", "ambas"})
_CONFIRM_LINE = re.compile(_CONFIRM)
_CANCEL_LINE = re.compile(_CANCEL)
_CHOOSING_LINE = re.compile(rf"(?P<letter>[cx]){_CHOICE}")

_NEGATION = (
    r"(?:not|dont|do not|wont|will not|never|didnt|did not|cant|cannot|havent|no need to|without|no (?:voy a"
    r"|quiero|pienso|vamos a|deseo))"
)
_NOT_CANCEL = re.compile(
    rf"\b{_NEGATION} (?:(?:want|going|gonna|wanna|have|need|plan|planning|think|trying|meant?|wish|be|to|ever"
    rf"|please|me|i|will) )*cancel\w*"
    r"|\bno (?:la |lo |me )?(?:cancel\w*|anul\w*)"
    # "Cancel my texts" is about messages, not about the visit.
    r"|\bcancel\w* (?:(?:all|any|of|the|my|your|these|those|los|las|mis|sus|estos|todos|todas|de) )*(?:texts?|txts?"
    r"|text messages?|messages?|msgs?|sms|reminders?|notifications?|alerts?|calls|mensajes|textos|recordatorios|avisos"
    r"|notificaciones|suscripcion)\b"
    r"|\b(?:got|was|were|is|are|been|be|has|have|had|fue|esta|estaba|quedo) (?:(?:just|already"
    r"|all) )?cancel(?:led|ed|ada|ado)\b"
)
_ASKS_TO_CANCEL = re.compile(
    r"\b(?:cancel|canceling|cancelling|cancelar|cancelo|cancele|cancelen|cancela|cancelarla|cancelarlo|anular"
    r"|anule|anulen)\b"
)
_IN_QUESTION = re.compile(
    r"\b(?:can|could|may|how (?:do|can|would)|would|will|need|want|please|possible|puedo|puede|pueden|podria"
    r"|podrian|podemos|como|quiero|quisiera)\b"
)
_OTHERS_CANCELLED = re.compile(
    r"^(?:did|do|does|have|has|why did|when did|are|will|would) (?:you|they|the|we|it)\b|^(?:cancelaron"
    r"|ya cancelaron|van a cancelar)\b"
)
_CANNOT = (
    r"(?:cant|cannot|can not|could not|couldnt|wont|will not|not going to|not gonna|aint gonna|not able to|unable to|"
    r"no longer able to|not be able to|wont be able to|unlikely to)(?: (?:to|be able to))?"
)
_GIVES_UP = re.compile(
    rf"\b{_CANNOT} (?:come|coming|make (?:it|that|my|the|this|tomorrow|today|saturday)|be there|be able to|attend"
    rf"|go|show up|do (?:it|this|that|tomorrow|today|tonight|(?:the )?(?:mon|tues|wednes|thurs|fri|satur|sun)day"
    rf"|\d+)|keep (?:it|my|the|this)|donate)\b"
    r"|\bnot (?:coming|attending|showing up|gonna be there|going to be there|be there)\b|\bno longer (?:coming"
    r"|available|can|attending)\b"
    r"|\b(?:reschedul\w*|rebook|postpone|reprogramar|reagendar|posponer)\b"
    r"|\b(?:move|change|switch|push back|cambiar|mover) (?:my|the|mi|la|de) (?:appointment|appt|time|booking|date"
    r"|visit|day|slot|cita|hora|reserva|dia|fecha)\b"
    r"|\bsomething(?: has)? came up\b|\b(?:surgio algo|(?:surgio|me salio) un imprevisto)\b"
    r"|\bgive up my (?:spot|place|appointment)\b"
    r"|\b(?:i am|im|i feel|we are|were|feeling|am) (?:really |very |so |too )?(?:sick|ill|unwell"
    r"|not feeling well)\b|\bnot feeling well\b|\bgot sick\b|\bcame down with\b"
    r"|\b(?:i have|i got|tested positive for|have) (?:covid|the flu|a fever|a cold)\b"
    r"|\b(?:estoy|ando|me siento|amaneci|sigo) (?:muy )?(?:enferm[oa]|mal|con (?:gripe|fiebre|covid))\b"
    r"|\btengo (?:gripe|fiebre|covid|la gripe)\b|\bme enferme\b"
    r"|\bno (?:puedo|podre|podremos|podemos|voy a|vamos a|alcanzo a|podria) (?:ir|venir|llegar|asistir|poder"
    r"|estar|presentarme|donar|acudir)\b"
    r"|\b(?:ya )?no (?:voy|ire|iremos|vengo|podre|asistire|estare|llegare|llego|vamos)(?: a ir)?$|\bno (?:voy|ire"
    r"|iremos|vengo|podre|asistire|estare|llegare)\b(?! a (?:cancel|anul|falt|perd))"
    r"|\bno llego a (?:la|mi) (?:cita|donacion)\b"
    r"|\bdar(?:me)? de baja (?:la|mi|una|esa|esta) (?:cita|reserva|turno)\b|\bponerme otra\b|\botra (?:hora|fecha"
    r"|cita)\b"
)


def parse_reply(text: str) -> ParsedReply | None:
    """Return the command in the first line of a text such as "C", "x.", "Confirmo, gracias", "I'll be there" or "X 2".

    Returns None for a question, and for a longer sentence, even if it starts with a command. Also returns None if later
    lines may mean that the donor cannot keep the visit.
    """
    lines = reply_text.list_own_lines(text)
    if not lines or "?" in lines[0]:
        return None
    first, rest = _remove_politeness(lines[0]), "\n".join(lines[1:])
    first = re.sub(r"^([cx]) (?:for|at|a las|para|the) (?=\w)", r"\1 ", first)
    if rest and may_mean_cancel(rest):
        return None
    if _CONFIRM_LINE.fullmatch(first):
        return ParsedReply(ReplyCommand.CONFIRM, bool(rest))
    if _CANCEL_LINE.fullmatch(first):
        return ParsedReply(ReplyCommand.CANCEL, bool(rest))
    chosen = _CHOOSING_LINE.fullmatch(first)
    if chosen is None:
        return None
    command = ReplyCommand.CONFIRM if chosen["letter"] == "c" else ReplyCommand.CANCEL
    return ParsedReply(command, bool(rest), _unify_choice(chosen["choice"]))


def parse_choice(text: str) -> str:
    """Return the booking that a short answer such as "2", "Ana", "the 10:30 one" or "all" chooses.

    Returns "" if the text is not a choice.
    """
    lines = reply_text.list_own_lines(text)
    if len(lines) != 1 or "?" in text:
        return ""
    words = " ".join(_CHOICE_FILLERS.sub(" ", _remove_politeness(lines[0])).split())
    chosen = re.fullmatch(_CHOICE, f" {words}")
    return _unify_choice(chosen["choice"]) if chosen else ""


def list_clock_times(choice: str) -> set[tuple[int, int]]:
    """Return the (hour, minute) pairs that a choice such as "10 30 am" or "10" may mean."""
    time = re.fullmatch(_CLOCK_TIME, choice)
    if time is None or int(time["hour"]) > 23 or int(time["minute"] or 0) > 59:
        return set()
    hour, minute, half = int(time["hour"]), int(time["minute"] or 0), time["half"]
    if half:
        return {(hour % 12 + (12 if half == "p" else 0), minute)}
    return {(hour, minute), (hour + 12, minute)} if hour < 12 else {(hour, minute)}


def _unify_choice(choice: str) -> str:
    return ALL_BOOKINGS if choice in _ALL_WORDS else choice


def may_mean_cancel(text: str) -> bool:
    """Return whether a text may mean that the donor cannot keep the visit.

    For example, "don't cancel", "cancel my texts" and "did you cancel?" do not count.
    """
    if reply_text.is_reaction(text):
        return False
    lines = reply_text.list_own_lines(text)
    if lines and _CANCEL_LINE.fullmatch(_remove_politeness(lines[0])):
        return True
    return any(_gives_up(words, is_question) for words, is_question in reply_text.list_sentences(text))


def _gives_up(words: str, is_question: bool) -> bool:
    if _GIVES_UP.search(words):
        return True
    if _OTHERS_CANCELLED.search(words) or not _ASKS_TO_CANCEL.search(_NOT_CANCEL.sub(" ", words)):
        return False
    return not is_question or bool(_IN_QUESTION.search(words))


def _remove_politeness(line: str) -> str:
    return " ".join(_POLITE_WORDS.sub(" ", reply_text.normalize_words(line)).split())
