import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_BYTE_ORDER_MARK = "\ufeff"  # Excel needs it to read the file as UTF-8


def build_csv_response(filename: str, headers: Iterable[object], rows: Iterable[Sequence[str]]) -> HttpResponse:
    """Build the response for a CSV download.

    Rows are written one by one to save memory. The response does not stream, so that a database error leads to an error
    page instead of an incomplete file.
    """
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    response.write(_BYTE_ORDER_MARK)
    table = csv.writer(response)
    table.writerow([str(head) for head in headers])
    for row in rows:
        table.writerow([escape_formula(cell) for cell in row])
    return response


def escape_formula(cell: str) -> str:
    """Put an apostrophe in front of a cell that a spreadsheet program would read as a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
