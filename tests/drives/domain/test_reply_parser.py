"""The meaning of a donor's text about a booking."""

import pytest

from drives.domain import reply_parser
from drives.domain.reply_parser import ReplyCommand
from notifications import reply_text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *(
            (text, ReplyCommand.CONFIRM)
            for text in ("C", "c.", " C! ", "C 👍", "C please", "Confirmo, gracias", "Sí", "YES")
        ),
        *((text, ReplyCommand.CANCEL) for text in ("X", "x.", "X ❌", "x please", "X, por favor", "X cancel")),
        *((text, None) for text in ("Can I come at 11?", "C or X?", "X?", "CX", "no", "", "👍")),
    ],
)
def test_c_and_x_are_recognized_in_any_form(text: str, meant: ReplyCommand | None) -> None:
    parsed = reply_parser.parse_reply(text)
    assert (parsed.command if parsed else None) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *((text, ReplyCommand.CONFIRM) for text in ("I'll be there", "Yes, we will be there!", "See you then, thanks")),
        *((text, ReplyCommand.CONFIRM) for text in ("Ahí estaré", "Sí, allí estaremos. Gracias")),
        *((text, None) for text in ("I won't be there", "No ahí estaré", "I'll be there at 11", "I'll be there?")),
        *((text, None) for text in ("I'll be there if my car starts", "Will I be there", "See you next time")),
    ],
)
def test_a_plain_promise_to_come_confirms(text: str, meant: ReplyCommand | None) -> None:
    parsed = reply_parser.parse_reply(text)
    assert (parsed.command if parsed else None) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *((text, True) for text in ("I can't make it tomorrow", "Please cancel my appointment", "x", "No puedo ir")),
        *((text, True) for text in ("No voy a poder, perdón", "cancelar mi cita", "I won’t be there")),
        *((text, False) for text in ("Where do I park?", "¿Puedo ir a las 11?", "I can come earlier", "C")),
        *((text, False) for text in ("Please cancel all my texts", "Cancelen los mensajes")),
        *((text, True) for text in ("Cancel my texts and cancel my visit", "Cancel my appointment and the texts")),
    ],
)
def test_a_possible_cancellation_is_recognized_in_both_languages(text: str, meant: bool) -> None:
    assert reply_parser.may_mean_cancel(text) is meant


@pytest.mark.parametrize("text", ["X", "x.", "X, por favor"])
def test_x_may_mean_a_cancellation(text: str) -> None:
    assert reply_parser.may_mean_cancel(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Sí, CONFIRMO!", "si confirmo"), ("can\u2019t", "cant"), ("can't", "cant"), ("a_b", "a b"), (" a\t b\n", "a b")],
)
def test_case_accents_and_punctuation_are_ignored(text: str, plain: str) -> None:
    assert reply_text.normalize_words(text) == plain


@pytest.mark.parametrize(
    ("text", "says_more", "choice"),
    [
        *(("C", False, ""), ("C\nSent from my iPhone", False, ""), ("C\nWhere do I park?", True, "")),
        *(("X 2", False, "2"), ("x2", False, "2"), ("X Ana", False, "ana"), ("C both", False, "all")),
    ],
)
def test_c_or_x_may_name_a_booking_and_more_lines_wait_for_a_coordinator(
    text: str, says_more: bool, choice: str
) -> None:
    parsed = reply_parser.parse_reply(text)
    assert parsed is not None
    assert (parsed.says_more, parsed.choice) == (says_more, choice)
