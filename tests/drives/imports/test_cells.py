from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from drives.imports import cells, columns, sample
from drives.imports.columns import Field


@pytest.mark.parametrize("text", ["#N/A", " #n/a ", "#REF!", "#VALUE!", "#DIV/0!", "NULL", "n/a", "NaN", "-", "–", ""])
def test_error_values_and_placeholders_are_empty(text: str) -> None:
    assert cells.clean_cell(text) == ""


@pytest.mark.parametrize("text", ["Test Null", "Null", "Test Nan", "Na", "0"])
def test_names_that_look_like_placeholders_stay(text: str) -> None:
    assert cells.clean_cell(text) == text


def test_a_cell_becomes_one_clean_line() -> None:
    assert cells.clean_cell("  Test\n\xa0Ana\u202e ") == "Test Ana"
    assert cells.clean_cell("'+44 20 7946 0000") == "+44 20 7946 0000"
    assert cells.clean_cell("'Ana") == "'Ana"


@pytest.mark.parametrize(
    "text", ["2.13556E+09", "2,13556E+09", "2.13555E9", "1E+10", "2.1355501e+09", "+1.2E+10", "2.1 E+09"]
)
def test_a_rounded_phone_number_is_refused(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        cells.clean_phone(text)
    assert caught.value.code == "phone_scientific"


def test_other_phone_numbers_are_left_as_they_are() -> None:
    assert cells.clean_phone("2135550142.0") == "2135550142"
    assert cells.clean_phone("213 555 0142") == "213 555 0142"
    assert cells.clean_phone("2135550142.5") == "2135550142.5"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *((text, True) for text in ("yes", "YES", "Y", "x", "1", "TRUE", "Sí", "si", "✓")),
        *((text, False) for text in ("no", "N", "0", "FALSE", "")),
    ],
)
def test_answers_are_yes_no_or_unknown(text: str, answer: bool) -> None:
    assert cells.parse_answer(text) is answer


@pytest.mark.parametrize("text", ["maybe", "2", "yes, but no texts", "?", "call first"])
def test_an_unclear_answer_is_never_a_yes(text: str) -> None:
    with pytest.raises(ValidationError) as caught:
        cells.parse_answer(text)
    assert caught.value.code == "answer_unknown"


def test_languages() -> None:
    texts = ("English", "en-US", "español", "ES", "es_MX", "")
    assert [cells.parse_language(text) for text in texts] == ["en", "en", "es", "es", "es", ""]
    with pytest.raises(ValidationError):
        cells.parse_language("Klingon")


@pytest.mark.parametrize(
    ("text", "is_month_first", "found"),
    [
        ("2026-03-04", False, date(2026, 3, 4)),
        ("2026-03-04 00:00:00", False, date(2026, 3, 4)),
        ("3/13/2026", False, date(2026, 3, 13)),
        ("4/4/2026", False, date(2026, 4, 4)),
        ("3/4/2026", True, date(2026, 3, 4)),
        ("03/04/2026", True, date(2026, 3, 4)),
        ("12/12/2026", False, date(2026, 12, 12)),
        ("1900-01-01", False, date(1900, 1, 1)),
        ("", False, None),
        ("3/4/2026", False, "date_ambiguous"),
        ("12/11/2026", False, "date_ambiguous"),
        ("13/3/2026", True, "date_invalid"),
        ("2026-02-30", False, "date_invalid"),
        ("1899-12-31", False, "date_invalid"),
        ("March 4", False, "date_invalid"),
        ("45352", False, "date_invalid"),
        ("3/4/26", True, "date_invalid"),
    ],
)
def test_dates_are_read_or_refused_but_never_guessed(text: str, is_month_first: bool, found: date | str | None) -> None:
    if not isinstance(found, str):
        assert cells.parse_date(text, is_month_first=is_month_first) == found
        return
    with pytest.raises(ValidationError) as caught:
        cells.parse_date(text, is_month_first=is_month_first)
    assert caught.value.code == found


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["3/4/2026", "3/13/2026"], True),
        (["3/4/2026", "12/12/2026"], False),
        (["3/13/2026", "13/3/2026"], False),
        (["13/3/2026"], False),
        (["2026-03-13"], False),
        ([], False),
    ],
)
def test_one_date_of_a_column_can_show_the_order_of_all(texts: list[str], expected: bool) -> None:
    assert cells.shows_month_first(texts) is expected


@given(st.dates(min_value=date(1900, 1, 1)), st.booleans())
def test_iso_dates_are_always_read(day: date, is_month_first: bool) -> None:
    assert cells.parse_date(day.isoformat(), is_month_first=is_month_first) == day


@given(st.text(max_size=20), st.booleans())
def test_any_text_is_a_date_or_refused(text: str, is_month_first: bool) -> None:
    try:
        cells.parse_date(cells.clean_cell(text), is_month_first=is_month_first)
    except ValidationError as error:
        assert error.code in {"date_invalid", "date_ambiguous"}  # noqa: PT017


@pytest.mark.parametrize(
    ("headers", "proposed"),
    [
        (["Full Name", "Cell Phone", "E-Mail Address"], {"name": 0, "phone": 1, "email": 2}),
        (["First name", "Last Name", "Phone"], {"first_name": 0, "last_name": 1, "phone": 2}),
        (["Name", "Surname", "Phone"], {"first_name": 0, "last_name": 1, "phone": 2}),
        (["Nombre", "Teléfono", "Correo electrónico"], {"name": 0, "phone": 1, "email": 2}),
        (["NOMBRE", "APELLIDOS", "Celular"], {"first_name": 0, "last_name": 1, "phone": 2}),
        (["Name", "First name", "Phone", "Mobile"], {"name": 0, "phone": 2}),
        (["Consent", "News?", "Consent date", "Shoe size"], {"reminders": 0, "news": 1, "consented_on": 2}),
    ],
)
def test_columns_are_recognized_in_both_languages(headers: list[str], proposed: dict[str, int]) -> None:
    assert columns.propose_columns(headers) == proposed


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_column_of_the_sample_file_is_recognized(language: str) -> None:
    with translation.override(language):
        headers, _rows = sample.build_people_sample()
    fields = [Field.NAME, Field.PHONE, Field.EMAIL, Field.LANGUAGE, Field.REMINDERS, Field.NEWS, Field.CONSENTED_ON]
    assert columns.propose_columns(headers) == {field.value: n for n, field in enumerate(fields)}
    with translation.override(language):
        assert columns.find_field(str(Field.LAST_NAME.label)) == Field.LAST_NAME
        assert columns.find_field(str(Field.FIRST_NAME.label)) == Field.FIRST_NAME


def test_columns_have_the_letters_of_a_spreadsheet() -> None:
    labels = columns.list_column_labels(["Name", " ", *map(str, range(51))])
    assert (labels[0], labels[1], labels[25], labels[26], labels[52]) == (
        *("A: Name", "B (no name)", "Z: 23", "AA: 24"),
        "BA: 50",
    )


@pytest.mark.parametrize("text", ["Return", "Return visit", "Regreso", "Visita de regreso", ""])
def test_a_visit_is_a_return_visit_in_both_languages(text: str) -> None:
    assert cells.parse_visit(text) == "return"
