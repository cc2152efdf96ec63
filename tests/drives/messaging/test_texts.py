"""Custom texts in both languages: their rules, the parts that we add to them, and their length."""

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from drives.messaging import custom_texts
from drives.messaging.texts import wording
from drives.messaging.texts.wording import SHARED_TEXTS, TEXTS, TextTemplate
from notifications import message_content
from tests.architecture.sources import ROOT

FACTS = {
    "org": "Hope Foundation",
    "day": "Sat Mar 13",
    "long_day": "Saturday, March 13",
    "time": "10:30 AM",
    "old_time": "9:00 AM",
    "location": "St Mary Hall",
    "link": "https://drives.example.org/b/AAAAAAAAAAAAAAAAAAAAAA/",
    "name": "Test Ana Alder",
}
LINK = 50


def codes(kind: str, text: str, language: str = "en") -> list[str]:
    measured = wording.measure_longest_text(text, language, "W" * 20, LINK)
    return [problem.code for problem in custom_texts.list_text_problems(kind, text, measured)]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", TEXTS)
def test_default_texts_fit_one_segment_and_follow_the_rules(kind: str, language: str) -> None:
    with translation.override(language):
        ours = wording.build_default_text(kind)
        longest = wording.render_text(kind, wording.build_longest_facts("W" * 20, LINK), {})
    assert (message_content.count_segments(longest), message_content.is_gsm(longest)) == (1, True), longest
    assert codes(kind, ours.text, language) == []
    assert custom_texts.list_opening_problems(kind, ours.opening) == []
    assert ours.text.startswith("{org}: ")
    assert wording.add_sender_and_stop(ours.text) == ours.text


@pytest.mark.parametrize("language", ["en", "es"])
def test_default_texts_are_translated(language: str) -> None:
    assert (ROOT / "config/locale/es/LC_MESSAGES/django.mo").exists()
    with translation.override(language):
        assert ("STOP para salir" in wording.build_default_text("same_day").text) == (language == "es")


def test_custom_texts_are_filled_with_facts() -> None:
    own = {("reminder", "en"): TextTemplate("{org}: {day} at {time}! {location}. STOP ends")}
    assert (
        wording.render_text("reminder", FACTS, own)
        == "Hope Foundation: Sat Mar 13 at 10:30 AM! St Mary Hall. STOP ends"
    )


def test_missing_sender_and_opt_out_are_added() -> None:
    own = {("reminder", "en"): TextTemplate("{day} at {time}"), ("reminder", "es"): TextTemplate("{day} a las {time}")}
    assert wording.render_text("reminder", FACTS, own) == "Hope Foundation: Sat Mar 13 at 10:30 AM STOP to end"
    with translation.override("es"):
        assert (
            wording.render_text("reminder", FACTS, own) == "Hope Foundation: Sat Mar 13 a las 10:30 AM STOP para salir"
        )


def test_a_custom_text_in_another_language_is_not_used() -> None:
    own = {("reminder", "es"): TextTemplate("Hola {day} {time}")}
    assert wording.render_text("reminder", FACTS, own).startswith("Hope Foundation: Reminder: Sat Mar 13")


def test_variables_in_facts_are_not_replaced() -> None:
    facts = {**FACTS, "location": "María {link} Hall"}
    said = wording.render_text("reminder", facts, {("reminder", "en"): TextTemplate("{org}: {location} STOP")})
    assert said == "Hope Foundation: Maria {link} Hall STOP"


@given(st.text(max_size=120))
def test_any_typed_text_renders(text: str) -> None:
    said = wording.fill_variables(wording.add_sender_and_stop(wording.clean_text(text)), FACTS)
    assert "Hope Foundation" in said
    assert "STOP" in said


@given(st.text())
def test_clean_text_is_one_line_of_visible_characters(text: str) -> None:
    cleaned = wording.clean_text(text)
    assert cleaned == wording.clean_text(cleaned)
    assert cleaned == " ".join(cleaned.split())
    assert not set(cleaned) & set("\n\r\t\x0b\x85\u2028\u202e\u2066\u200b\x00")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{day} {time} {nam}", "unknown_variable"),
        ("{day} {time} {name}", "unknown_variable"),
        ("{day} {time} {day year}", "lone_brace"),
        ("{day} {time} {", "lone_brace"),
        ("{day} {time} }", "lone_brace"),
        ("{day} {time} {{org}}", "lone_brace"),
        ("{day}", "fact_missing"),
        ("Hello", "fact_missing"),
        ("{day} {time} https://evil.example", "foreign_link"),
        ("{day} {time} www.example", "foreign_link"),
        ("{day} {time} bit.ly/abc", "foreign_link"),
        ("{day} {time} ask office@example.org", "foreign_link"),
        ("{day} {time} example．org", "foreign_link"),
        ("{day} {time} {location}.com", "foreign_link"),
        ("{day} {time} Reply CANCEL to cancel", "invites_cancel"),
        ("{day} {time} Text us cancel", "invites_cancel"),
        ("{day} {time} Responda CANCELAR", "invites_cancel"),
        ("{day} {time} " + "x" * 300, "too_long"),
        ("{day} {time} " + "á" * 100, "too_long"),
    ],
)
def test_misleading_or_long_texts_are_refused(text: str, code: str) -> None:
    assert codes("reminder", text) == [code]


@pytest.mark.parametrize(
    "text",
    [
        "{day} {time}, {location}. St. Mary e.g. a.m. 10.30 No. 5, 3.5 h",
        "{day} {time}. Reply C to confirm, X to cancel",
        "{day} {time}. Change or cancel: {link}",
        "{day} {time} 🎉",
        "¡{day} {time}! ¿Viene? Responda C para confirmar, X para cancelar",
    ],
)
def test_ordinary_texts_are_accepted(text: str) -> None:
    assert codes("reminder", text) == []


def test_only_reminders_may_ask_for_a_reply() -> None:
    assert codes("booked", "{day} {time} {link} Reply C to confirm") == ["letter_not_understood"]
    assert codes("missed", "Responda X") == ["letter_not_understood"]
    prompting = {kind for kind, words in TEXTS.items() if words.kind.asks_for_reply}
    assert prompting == {"reminder", "day_before", "same_day", "offer"}


def test_all_problems_are_reported_together() -> None:
    assert codes("reminder", "{nope} http://x.example") == ["unknown_variable", "foreign_link", "fact_missing"]


def test_two_segments_are_the_limit_exactly() -> None:
    def padded(length: int) -> str:
        base = "{org}: {day} {time} STOP"
        return base + "x" * (length - wording.measure_longest_text(base, "en", "W" * 20, LINK).characters)

    assert codes("reminder", padded(306).replace("STOPx", "STOP x", 1)[:-1]) == []
    assert codes("reminder", padded(307).replace("STOPx", "STOP x", 1)) == ["too_long"]


@pytest.mark.parametrize(
    ("text", "encoding", "characters", "parts"),
    [
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        ("ñ" * 160, "GSM-7", 160, 1),
        ("á" * 70, "UCS-2", 70, 1),
        ("á" * 71, "UCS-2", 71, 2),
        ("🎉" * 35, "UCS-2", 70, 1),
        ("🎉" * 36, "UCS-2", 72, 2),
    ],
)
def test_length_is_counted_like_carriers(text: str, encoding: str, characters: int, parts: int) -> None:
    measured = wording.measure_text(text)
    assert (measured.encoding, measured.characters, measured.segments) == (encoding, characters, parts)


def test_openings_may_use_the_name_but_no_link() -> None:
    assert custom_texts.list_opening_problems("booked", "Dear {name}, see you on {long_day}") == []
    found = [problem.code for problem in custom_texts.list_opening_problems("booked", "{phone} https://evil.example")]
    assert found == ["unknown_variable", "foreign_link"]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("kind", SHARED_TEXTS)
def test_shared_texts_fit_one_segment(kind: str, language: str) -> None:
    with translation.override(language):
        longest = wording.fill_shared_text(kind, wording.build_longest_facts("W" * 20, LINK))
    assert (message_content.count_segments(longest), message_content.is_gsm(longest)) == (1, True), len(longest)
    assert "STOP" in longest


def test_a_time_with_a_final_stop_adds_no_second_stop() -> None:
    facts = dict.fromkeys(wording.TEXTS["booked"].variables, "p.m.")
    with translation.override("es"):
        assert ".." not in wording.render_text("booked", facts, {})
