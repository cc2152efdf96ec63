"""Decide from a donor's text whether we may still text the donor."""

import time

import pytest

from notifications import opt_out_words
from notifications.opt_out_words import ReplyMeaning

STOPS = """
STOP | stop |  Stop.  | STOP!! | stopall | STOP ALL | STOP STOP | Stop it | Unsubscribe | END | quit | Revoke | OPTOUT |
opt out | Opt-out | please stop | stop please |
ALTO | Alto por favor | parar | Basta | BAJA | no más | No mas | No more |
STOP 🛑 | ｓｔｏｐ
"""
STOPS_IN_WORDS = """
stop this | Stop texting me | please stop texting | STOP. I do not want these | Don't text me anymore |
do not contact me again | I do not want your texts | no more messages | unsubscribe me | remove me from your list |
take me off this list | take me off | delete my number | end these messages | cancel messages | wrong number |
leave me alone | I want to opt out |
I'd like you to stop texting me | I would like you to stop texting me |
I revoke my consent | Stop calling me | NO MÁS MENSAJES | no me envíen más |
no quiero recibir mensajes | ya no quiero mensajes | alto a los mensajes | quiero cancelar los mensajes |
dejen de escribirme | dar de baja | déjenme en paz | número equivocado
"""
OTHERS = """
C | c | X | x | ok | No | Can I stop by early? | cancel my appointment | Can't make it, please cancel | see you then |
When does it end? | my bus stop is far | 👍 | thanks! | ¿Puedo ir antes? | Is there parking? | Para mi hermana también |
At the end of the day is fine | What time does it end? Please call me | Can I stop by and send my sister? |
Can you take me earlier? | It will take me 20 minutes | I never got the message | Do not forget to text me |
Please remove me from 10:30 and put me at 11 | I quit my job, can you call? | no más tarde de las 5 | Cancel it |
Cancel this | Please cancel this. | I need to cancel these
"""


@pytest.mark.parametrize("text", [text.strip() for text in STOPS.split("|")])
def test_carrier_stop_words_are_opt_outs(text: str) -> None:
    assert opt_out_words.parse_reply_meaning(text) == ReplyMeaning.STOP


@pytest.mark.parametrize("text", [text.strip() for text in STOPS_IN_WORDS.split("|")])
def test_a_reasonable_request_to_stop_is_an_opt_out(text: str) -> None:
    assert opt_out_words.parse_reply_meaning(text) == ReplyMeaning.STOP_IN_WORDS


@pytest.mark.parametrize("text", ["", *(text.strip() for text in OTHERS.split("|"))])
def test_ordinary_replies_are_not_opt_outs(text: str) -> None:
    assert opt_out_words.parse_reply_meaning(text) == ReplyMeaning.OTHER


@pytest.mark.parametrize("text", ["CANCEL", "cancel.", "Cancel please", "cancelar"])
def test_cancel_alone_is_an_opt_out_that_may_have_meant_the_appointment(text: str) -> None:
    assert opt_out_words.parse_reply_meaning(text) == ReplyMeaning.STOP_OR_CANCEL


@pytest.mark.parametrize(
    ("text", "meaning"),
    [("START", "start"), ("Unstop", "start"), ("yes", "yes"), ("HELP", "help"), ("Ayuda", "help_unanswered")],
)
def test_start_and_help_are_read(text: str, meaning: str) -> None:
    assert opt_out_words.parse_reply_meaning(text) == meaning


@pytest.mark.parametrize("text", ["2 STOP", "X 2 stop", "x stop", "C 1. Stop", "X 2\nSTOP", "2 please stop", "2, alto"])
def test_stop_after_the_answer_to_a_question_may_be_an_opt_out(text: str) -> None:
    assert opt_out_words.parse_reply_meaning(text) == ReplyMeaning.MAYBE_STOP


@pytest.mark.parametrize("text", ["2", "X 2", "X Ana", "2 stops away", "2 no more than that"])
def test_an_answer_to_a_question_is_no_opt_out(text: str) -> None:
    assert opt_out_words.parse_reply_meaning(text) == ReplyMeaning.OTHER


def test_hyphens_part_words() -> None:
    assert opt_out_words.parse_reply_meaning("No-more-texts") == ReplyMeaning.STOP_IN_WORDS
    assert opt_out_words.parse_reply_meaning("opt-out") == ReplyMeaning.STOP


@pytest.mark.parametrize(
    ("text", "word", "meaning"),
    [
        *(("BYE", "STOP", "stop"), ("CANCEL", "STOP", "stop_or_cancel"), ("Hola", "START", "start")),
        *(("?", "HELP", "help"), ("STOP", "START", "start"), ("BYE", "", ""), ("BYE", "OTHER", "")),
    ],
)
def test_the_providers_word_wins(text: str, word: str, meaning: str) -> None:
    assert opt_out_words.parse_reply_meaning(text, word) == meaning


@pytest.mark.parametrize("start", ["", "no me manden ", "stop texting me ", "dont ", "no quiero que ", "can you "])
@pytest.mark.parametrize(
    "words",
    [
        *("quiero ya", "quiero que ya", "mis", "los las", "nunca mas", "ahora mismo", "por favor", "si no", "favor de"),
        *("i would like to", "i want you to", "please", "the these", "right now", "any more", "to me", "hi there"),
        *("want to", "cancel my", "turn off the", "prefer not to", "cancelen mis", "prefiero no", "basta con"),
        *("can you", "how do i", "me pueden", "y gracias", "no vuelvan a", "se equivocaron"),
    ],
)
def test_a_text_that_repeats_words_is_read_in_no_time(start: str, words: str) -> None:
    since = time.perf_counter()
    opt_out_words.parse_reply_meaning(f"{start}{f'{words} ' * 26}zz")
    assert time.perf_counter() - since < 1
