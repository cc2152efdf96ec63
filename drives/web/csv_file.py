"""CSV files to download."""

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_BYTE_ORDER_MARK = "\ufeff"  # Excel needs it to read the file as UTF-8


def build_csv_response(filename: str, headers: Iterable[object], rows: Iterable[Sequence[str]]) -> HttpResponse:
    """Write the rows one by one, so that memory holds only the file, and not all of the rows.

    This is no StreamingHttpResponse, because the web server sends whole answers, and a database that fails halfway must
    end in an error page, not in half a file.
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
    """Return the cell, with an apostrophe in front if a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell
