"""The meaning of a donor's text about a booking."""

import pytest

from drives.domain import reply_parser
from drives.domain.reply_parser import ReplyCommand


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *(
            (text, ReplyCommand.CONFIRM)
            for text in ("C", "c.", " C! ", "C 👍", "C please", "Confirmo, gracias", "Sí", "YES")
        ),
        *((text, ReplyCommand.CANCEL) for text in ("X", "x.", "X ❌", "x please", "X, por favor", "X cancel")),
        *((text, None) for text in ("Can I come at 11?", "C or X?", "CX", "no", "", "👍", "cancel my appointment")),
    ],
)
def test_a_reply_letter_is_recognized_in_any_form(text: str, meant: ReplyCommand | None) -> None:
    assert reply_parser.parse_reply_command(text) == meant


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *((text, True) for text in ("I can't make it tomorrow", "Please cancel my appointment", "x", "No puedo ir")),
        *((text, True) for text in ("No voy a poder, perdón", "cancelar mi cita", "I won’t be there")),
        *((text, False) for text in ("Where do I park?", "¿Puedo ir a las 11?", "I can come earlier", "C")),
    ],
)
def test_a_possible_cancellation_is_recognized_in_both_languages(text: str, meant: bool) -> None:
    assert reply_parser.may_mean_cancel(text) is meant


@pytest.mark.parametrize("text", ["X", "x.", "X, por favor"])
def test_the_cancel_letter_may_mean_cancel(text: str) -> None:
    assert reply_parser.may_mean_cancel(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Sí, CONFIRMO!", "si confirmo"), ("can\u2019t", "cant"), ("can't", "cant"), ("a_b", "a b"), (" a\t b\n", "a b")],
)
def test_case_accents_and_punctuation_are_ignored(text: str, plain: str) -> None:
    assert reply_parser._normalize_text(text) == plain
