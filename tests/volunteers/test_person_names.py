import pytest
from hypothesis import given
from hypothesis import strategies as st

from volunteers import person_names as volunteers_names

ONE_PERSON = [
    ("Test Ana Alder", "test ana alder"),
    ("Test Ana Alder", "Alder, Test Ana"),
    ("Test José Núñez", "Test Jose Nunez"),
    ("Test Ana Alder", "Test A. Alder"),
    ("Test Ana Alder", "Test Ana María Alder"),
    ("Test Ana", "Test Ana Alder"),
    ("Test O'Brien", "Test OBrien"),
]
SLIPS = [
    ("Test Ana Alder", "Test Ana Aldre"),
    ("Test Ana Alder", "Test Anna Alder"),
    ("Test Ana Alder", "Test Ana Adler"),
]
TWO_PEOPLE = [
    ("Test Ana Alder", "Test Bo Alder"),
    ("Test Ana Alder", "Test Ana Birch"),
    ("Test Juan Pine", "Test Juan Pine Jr."),
    ("Test Ana Alder", "Test Eva Alder"),
    ("Test Ana", "Test Ian"),
]


@pytest.mark.parametrize(("one", "other"), ONE_PERSON)
def test_one_person_however_the_name_is_written(one: str, other: str) -> None:
    assert volunteers_names.is_short_form(one, other)
    assert volunteers_names.is_similar_name(one, other)


@pytest.mark.parametrize(("one", "other"), SLIPS)
def test_a_slip_of_the_finger_is_alike_and_no_short_form(one: str, other: str) -> None:
    assert volunteers_names.is_similar_name(one, other)
    assert not volunteers_names.is_short_form(one, other)


@pytest.mark.parametrize(("one", "other"), TWO_PEOPLE)
def test_different_names_are_two_people(one: str, other: str) -> None:
    assert not volunteers_names.is_similar_name(one, other)
    assert not volunteers_names.is_same_name(one, other)


def test_the_same_words_in_any_order_are_the_same_name() -> None:
    assert volunteers_names.is_same_name("Test Ana Alder", "ALDER Test Ána")
    assert not volunteers_names.is_same_name("Test Ana", "Test Ana Alder")


@given(st.text(max_size=30), st.text(max_size=30))
def test_it_does_not_matter_which_name_was_there_first(one: str, other: str) -> None:
    assert volunteers_names.is_similar_name(one, other) == volunteers_names.is_similar_name(other, one)
    assert volunteers_names.is_same_name(one, other) == volunteers_names.is_same_name(other, one)
    assert not volunteers_names.is_short_form(one, other) or volunteers_names.is_similar_name(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Test Alder", "Test Aldr"),
        ("Test Ann Alder", "Test Anna Alder"),
        ("Test Ana Alder", "Test Ana Elder"),
        ("Test Ana Alder", "Test Ana Alver"),
        ("Test Ana Alder", "Test Ana Alden"),
        ("Test Beth", "Test Bet"),
        ("Test Beth", "Test Both"),
        ("Test Beth", "Test Beht"),
        ("Test Ana Lader", "Test Ana Alder"),
    ],
)
def test_one_letter_more_less_or_another_is_a_slip_in_a_word_of_four(one: str, other: str) -> None:
    assert volunteers_names.is_similar_name(one, other)
    assert volunteers_names.is_similar_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Test Ana", "Test Ina"),
        ("Test Ana", "Test An"),
        ("Test Beth", "Test Be"),
        ("Test Alder", "Test Ladre"),
        ("Test Alder", "Test Alderman"),
        ("Test Alder", "Test Aldxy"),
        ("Test Alder", "Test Xldey"),
    ],
)
def test_shorter_words_and_two_letters_are_no_slip(one: str, other: str) -> None:
    assert not volunteers_names.is_similar_name(one, other)


def test_the_shorter_name_is_the_one_of_fewer_words_whatever_their_letters() -> None:
    assert volunteers_names.is_short_form("Test Ana Alder Zed", "Zed Test")
    assert volunteers_names.is_short_form("Zed Test", "Test Ana Alder Zed")
    assert not volunteers_names.is_short_form("", "Test Ana Alder")
