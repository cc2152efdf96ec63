"""Read the charts and tables of a page, so that tests can compare them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shape:
    name: str
    css: str
    numbers: dict[str, float]  # x, y, width and so on, without their units

    def covers(self, x: float) -> bool:
        return self.numbers["x"] <= x < self.numbers["x"] + self.numbers["width"]


def find_part(response: Any, title_id: str) -> str:
    """Return the HTML of the section that the element with this id names."""
    html: str = response.content.decode()
    start = html.index(f'aria-labelledby="{title_id}"')
    return html[start : html.index("</section>", start)]


def read_shapes(svg: str, name: str) -> list[Shape]:
    return [
        Shape(
            name,
            "".join(re.findall(r'class="([^"]*)"', attributes)),
            {key: float(value) for key, value in re.findall(r'([a-z0-9]+)="(-?[\d.]+)%?"', attributes)},
        )
        for attributes in re.findall(rf"<{name} ([^>]*)>", svg)
    ]


def read_rows(part: str) -> Iterator[list[str]]:
    """Yield the texts of each row in the bodies of the tables."""
    for body in re.findall(r"<tbody>(.*?)</tbody>", part, re.DOTALL):
        for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL):
            cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
            yield [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in cells]
