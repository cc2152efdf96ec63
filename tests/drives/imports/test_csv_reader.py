"""Files as spreadsheet programs and people save them."""

import csv
import io
from collections.abc import Sequence

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from drives.imports import columns, csv_reader, rules
from drives.imports.csv_reader import Sheet, SheetRow

HEADERS = ["Name", "Phone", "E-mail"]
ANA = ["Test Ana Ñandú", "213 555 0142", "ana@example.org"]


def read(text: str | bytes, **limits: int) -> Sheet:
    content = text if isinstance(text, bytes) else text.encode()
    return csv_reader.read_sheet(content, columns.count_names, **limits)


def write(rows: Sequence[Sequence[str]], delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return out.getvalue()


def code_of(text: str | bytes, **limits: int) -> str | None:
    with pytest.raises(ValidationError) as caught:
        read(text, **limits)
    return caught.value.code


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_a_file_is_read_in_every_form_in_which_programs_save_it(encoding: str, delimiter: str) -> None:
    sheet = read(write([HEADERS, ANA], delimiter).encode(encoding))
    assert sheet == Sheet(HEADERS, [SheetRow(2, ANA)])


CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=12)


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_every_cell_comes_back_unchanged(cells: list[list[str]], delimiter: str, encoding: str) -> None:
    rows = [["a" + row[0], *row[1:]] for row in cells]  # no row is blank
    sheet = read(write([HEADERS, *rows], delimiter).encode(encoding))
    assert sheet.headers == HEADERS
    assert [row.cells for row in sheet.rows] == rows
    assert [row.number for row in sheet.rows] == list(range(2, 2 + len(rows)))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_by_code(content: bytes) -> None:
    try:
        sheet = read(content)
    except ValidationError as error:
        assert error.code in {"file_encoding", "file_quotes", "file_empty", "file_is_workbook", "header_missing"}  # noqa: PT017
    else:
        assert sheet.rows


def test_titles_merged_cells_and_blank_rows_stand_above_the_column_names() -> None:
    text = "Donors of the May drive,,\n,,\nPerson,Contact,\nName,Phone,E-mail\n,,\n" + ",".join(ANA) + "\n\n"
    assert read(text) == Sheet(HEADERS, [SheetRow(6, ANA)])


def test_a_cell_with_a_line_break_is_in_one_row() -> None:
    sheet = read('Name,Phone\n"Test\nAna",1\nTest Bo,2\n')
    assert [(row.number, row.cells[0]) for row in sheet.rows] == [(2, "Test\nAna"), (3, "Test Bo")]


def test_commas_in_quotation_marks_do_not_decide_about_semicolons() -> None:
    sheet = read('Nombre;Teléfono\n"Alder, Ana, Test, Uno";1\n"Birch, Bo, Test, Dos";2\n')
    assert [row.cells for row in sheet.rows] == [["Alder, Ana, Test, Uno", "1"], ["Birch, Bo, Test, Dos", "2"]]


def test_the_line_that_names_the_delimiter_is_obeyed_and_counted() -> None:
    assert read("sep=;\r\nName;Phone\r\nTest Ana;1,5\r\n").rows == [SheetRow(3, ["Test Ana", "1,5"])]


def test_unknown_column_names_are_the_first_row_of_the_usual_width() -> None:
    sheet = read("My list\nWer,Was\nTest Ana,x\nTest Bo,y\n")
    assert sheet.headers == ["Wer", "Was"]
    assert len(sheet.rows) == 2


def test_a_header_in_the_last_row_that_may_hold_it_is_found() -> None:
    titles = "".join(f"title {n},x,y\n" for n in range(rules.MAX_HEADER_ROW - 1))
    assert read(titles + "Name,Phone,E-mail\nTest Ana,1,2\n").headers == HEADERS
    assert read(titles + "one more,x,y\nName,Phone,E-mail\nTest Ana,1,2\n").headers != HEADERS


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "file_empty"),
        ("\n , \n", "file_empty"),
        ("Name,Phone\n", "file_empty"),
        ("Name,Phone\n,\n", "file_empty"),
        (b"PK\x03\x04 and more", "file_is_workbook"),
        (b"\xd0\xcf\x11\xe0 and more", "file_is_workbook"),
        (b"Name,Phone\nTest \x81,1\n", "file_encoding"),
        ("Name,Phone\nTest\0Ana,1\n".encode("utf-16-le"), "file_encoding"),
        (b"\xff\xfeN", "file_encoding"),
        ('Name,Phone\n"Test Ana,1\nTest Bo,2\n', "file_quotes"),
        ("Test Ana,213 555 0142\nTest Bo,213 555 0143\n", "header_missing"),
        ("Test Ana,ana@example.org\nTest Bo,bo@example.org\n", "header_missing"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text: str | bytes, code: str) -> None:
    assert code_of(text) == code


def test_limits_on_rows_columns_and_bytes() -> None:
    row = "Test Ana,1\n"
    assert len(read("Name,Phone\n" + row * 3, max_rows=3).rows) == 3
    assert code_of("Name,Phone\n" + row * 4, max_rows=3) == "file_too_long"
    assert code_of("Name,Phone\n" + row * 400, max_rows=3) == "file_too_long"
    wide = ",".join(["Name", *map(str, range(rules.MAX_COLUMNS - 1))])
    assert read(f"{wide}\n{wide}\n").rows
    assert code_of(f"{wide},x\n{wide}\n") == "file_too_wide"
    head = b"Name,Phone\nTest Ana,1\n"
    assert read(head + b"\n" * (rules.MAX_BYTES - len(head))).rows
    assert code_of(head + b"\n" * (rules.MAX_BYTES - len(head) + 1)) == "file_too_large"
