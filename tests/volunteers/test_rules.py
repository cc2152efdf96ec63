"""What is a name, a code, a language, a network."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from volunteers import rules


def refusal(text: str) -> str:
    with pytest.raises(ValidationError) as caught:
        rules.clean_name(text)
    return str(caught.value.code)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Test Ana Alder", "Test Ana Alder"),
        ("  Ana \t\n Alder  ", "Ana Alder"),
        ("Ana\u2028Alder", "Ana Alder"),
        ("Ana\u0085Alder\x0bX", "Ana Alder X"),
        ("Ana\u00a0\u3000Alder", "Ana Alder"),
        ("\u202eAna\u202c Al\u200bder\ufeff", "Ana Alder"),
        ("A\x00na", "A na"),
        ("عائشة بنت محمد", "عائشة بنت محمد"),
        ("\u200fعائشة\u061c", "عائشة"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("José Peña", "José Peña"),
        ("Jose\u0301", "José"),
        ("O'Neil-D’Arcy", "O'Neil-D’Arcy"),
        ("J.R.R. Tolkien", "J.R.R. Tolkien"),
        ("J.Smith", "J.Smith"),
        ("St.John Rivers", "St.John Rivers"),
        ("Dr.Ana Alder", "Dr.Ana Alder"),
        ("Ma.Teresa", "Ma.Teresa"),
        ("李小龍", "李小龍"),
        ("Ana Alder Jr.", "Ana Alder Jr."),
        ("Ana 2", "Ana 2"),
    ],
)
def test_a_name_is_kept_as_people_write_it_without_what_is_not_seen(typed: str, kept: str) -> None:
    assert rules.clean_name(typed) == kept


@pytest.mark.parametrize("typed", ["", "   ", "\u202e\u200b", "123", "...", "\u200c", "\x00\x01", "😀"])
def test_a_name_has_at_least_a_letter(typed: str) -> None:
    assert refusal(typed) == "name_missing"


def test_a_name_has_at_most_120_characters() -> None:
    assert rules.clean_name("a" * 120) == "a" * 120
    assert refusal("a" * 121) == "name_too_long"
    assert refusal("a" * 200) == "name_too_long"


@pytest.mark.parametrize(
    "typed",
    [
        "http://evil.example",
        "Ana https://bit.ly/x",
        "www.evil.example",
        "evil.com",
        "x.com",
        "Ana evil.com/pay",
        "EVIL.COM",
        "evil。com",
        "evil．com",
        "evil.\u200dcom",
        "evil.c\u200bom",
        "ｅｖｉｌ.ｃｏｍ",
        "evil.example",
        "müller.de",
        "пример.рф",
        "ana@example.org",
        "Ana <b>Alder</b>",
        "a/b",
        "mailto:ana@example.org",
        "sub.evil.co.uk",
    ],
)
def test_a_web_address_is_no_name(typed: str) -> None:
    assert refusal(typed) == "name_has_link"


@given(st.text(max_size=300))
def test_whatever_is_typed_a_kept_name_is_one_visible_line(typed: str) -> None:
    try:
        name = rules.clean_name(typed)
    except ValidationError as problem:
        assert problem.code in {"name_missing", "name_too_long", "name_has_link"}  # noqa: PT017
        return
    assert 1 <= len(name) <= 120
    assert name == " ".join(name.split())
    assert name.splitlines() == [name]
    assert not set(name) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\x00")
    assert rules.clean_name(name) == name


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("482913", "482913"),
        (" 482 913 ", "482913"),
        ("482-913", "482913"),
        ("٤٨٢٩١٣", "482913"),
        ("000000", "000000"),
        ("48291", ""),
        ("4829130", ""),
        ("48291x", ""),
        ("48291²", ""),
        ("", ""),
        ("4" * 10_000, ""),
    ],
)
def test_a_code_is_six_digits_however_it_is_spaced(typed: str, code: str) -> None:
    assert rules.six_digits(typed) == code


@pytest.mark.parametrize(
    ("asked", "spoken"), [("", "en"), ("es", "es"), ("es-MX", "es"), ("ES_us", "es"), ("en-GB", "en")]
)
def test_a_language_is_one_of_ours(asked: str, spoken: str) -> None:
    assert rules.language(asked, "en") == spoken


def test_another_language_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        rules.language("tlh", "en")
    assert caught.value.code == "language_unknown"


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("unix:", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_a_network_is_an_address_or_a_64(ip: str | None, network: str) -> None:
    assert rules.network(ip) == network


def test_an_identity_cannot_be_made_without_the_key(settings: object) -> None:
    before = rules.identity("+12135550142")
    settings.IDENTITY_KEY = "another key"  # type: ignore[attr-defined]
    assert rules.identity("+12135550142") != before


def test_purposes_are_the_known_ones_each_once() -> None:
    assert rules.purposes(["appeals", "reminders", "appeals"]) == ["reminders", "appeals"]
    with pytest.raises(ValidationError):
        rules.purposes(["reminders", "newsletter"])


def test_confirmations_are_codes_each_once() -> None:
    assert rules.confirmations(["age", "weight", "age"]) == ["age", "weight"]
    for wrong in (["<script>"], ["x" * 41], [""], ["a"] * 31):
        with pytest.raises(ValidationError):
            rules.confirmations(wrong)


def test_the_figures_of_codes_and_limits() -> None:
    minutes, hours = timedelta(minutes=1), timedelta(hours=1)
    assert (10 * minutes, 5) == (rules.CODE_LIFE, rules.CODE_TRIES)
    assert timedelta(days=30) == rules.BROWSER_LIFE
    assert (3, 15 * minutes) == rules.CODES_PER_CONTACT
    assert (8, 24 * hours) == rules.CODES_PER_CONTACT_A_DAY
    assert (60, hours) == rules.CODES_PER_NETWORK
    assert (20, hours) == rules.CODES_NOT_ENTERED_PER_NETWORK
    assert (12, 15 * minutes) == rules.PLACES_TOGETHER_PER_NETWORK
    assert 24 * hours == rules.CODE_BUDGET_WINDOW
    assert (2_000, 24 * hours) == rules.FINDS_A_DAY


def test_up_to_thirty_confirmations_of_up_to_forty_characters_are_kept() -> None:
    thirty = [f"code_{number}" for number in range(30)]
    assert rules.confirmations(thirty) == thirty
    assert rules.confirmations(["x" * 40]) == ["x" * 40]
    assert rules.confirmations(["a"]) == ["a"]
    for wrong in ([*thirty, "one_more"], ["x" * 41], [""], ["A"]):
        with pytest.raises(ValidationError) as caught:
            rules.confirmations(wrong)
        assert (caught.value.code, caught.value.messages) == (
            "confirmation_unknown",
            ["This confirmation is not known."],
        )
