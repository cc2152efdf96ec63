import pytest

from notifications import message_content


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 10, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the two halves of € stay together
        ("á" * 70, 1),
        ("á" * 71, 2),
        ("á" * 134, 2),
        ("á" * 135, 3),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
    ],
)
def test_segments_are_counted_as_carriers_bill_them(text: str, count: int) -> None:
    assert message_content.count_segments(text) == count


def test_letters_of_the_extension_table_count_twice() -> None:
    assert message_content.count_septets("^{}[]\\~|€") == 18
    assert message_content.count_septets("ñéü¿¡") == 5


def test_spanish_accents_that_gsm_lacks_are_known() -> None:
    assert [letter for letter in "áíóúñéü¿¡" if not message_content.is_gsm(letter)] == list("áíóú")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("María Núñez, Corazón", "Maria Nuñez, Corazon"),
        ("“We’re” – here…", '"We\'re" - here...'),
        ("a\u00a0b\u200bc", "a bc"),
        ("Łódź", "Lódz".replace("ó", "o")),
        ("李", "?"),
        ("see you 👍", "see you "),
        ("e\u0301", "é"),
    ],
)
def test_transliteration_leaves_gsm_only(text: str, plain: str) -> None:
    assert message_content.convert_to_gsm(text) == plain
    assert message_content.is_gsm(message_content.convert_to_gsm(text))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("€" * 152, 2),
        ("€" * 153, 3),
        ("\U00010000" * 35, 1),
        ("\U00010000" * 36, 2),
        ("\uffff" * 70, 1),
        ("\uffff" * 71, 2),
    ],
)
def test_letters_of_two_parts_are_not_torn_apart(text: str, count: int) -> None:
    assert message_content.count_segments(text) == count
