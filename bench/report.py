"""Write results into docs/performance.md, as tables and as an SVG plot."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from config.embedded.processes import ROOT

PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "pictures" / "growth.svg"
Rows = Sequence[Mapping[str, Any]]
ROW_HEIGHT, LEFT, WIDTH, TOP = 22, 220, 460, 46
COLORS = ("#7aa6b8", "#3b7a91", "#1f4e5c")


def write_growth(found: Mapping[int, Rows]) -> None:
    write_section("growth", format_growth_table(found))
    PLOT.write_text(draw_growth(found))


def write_section(name: str, text: str) -> None:
    """Replace the part of docs/performance.md between the section's two marks."""
    marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(rf"{marks[0]}\n.*?{marks[1]}", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _match: f"{marks[0]}\n{text}\n{marks[1]}", PAGE.read_text()))


def format_growth_table(found: Mapping[int, Rows]) -> str:
    sizes = sorted(found)
    head = [*(f"blocks at {size:,}" for size in sizes), "growth", "p50, ms", "CPU, ms", "statements", "bytes"]
    lines = [f"| | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for row in found[sizes[-1]]:
        same = [_find_row(found[size], row["name"]) for size in sizes]
        cells = [
            *(f"{one['blocks']:,}" for one in same),
            f"{compute_growth(same):.1f} ×",
            f"{row['p50_ms']:.1f}",
            f"{row['cpu_ms']:.1f}",
            " → ".join(dict.fromkeys(str(one["statements"]) for one in (same[0], same[-1]))),
            f"{row['bytes']:,}" if row["bytes"] else "",
        ]
        lines.append(f"| {row['name']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def compute_growth(same: Rows) -> float:
    """Return the number of blocks read at the largest size, divided by the number at the smallest size."""
    return float(same[-1]["blocks"]) / max(float(same[0]["blocks"]), 1.0)


def draw_growth(found: Mapping[int, Rows]) -> str:
    """Draw a line for each page, probe and sweep, with a dot for each size, on a logarithmic scale of blocks read."""
    sizes = sorted(found)
    names = [row["name"] for row in found[sizes[-1]]]
    height = TOP + ROW_HEIGHT * len(names) + 10
    parts = [_draw_axis(height), *_draw_legend(sizes)]
    for number, name in enumerate(names):
        y = TOP + ROW_HEIGHT * number + ROW_HEIGHT / 2
        xs = [_compute_x(_find_row(found[size], name)["blocks"]) for size in sizes]
        parts.append(f'<text x="{LEFT - 10}" y="{y + 4:.0f}" text-anchor="end">{name}</text>')
        parts.append(f'<line x1="{min(xs):.1f}" x2="{max(xs):.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#9ab"/>')
        dots = zip(xs, COLORS, strict=False)
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>' for x, color in dots]
    box = f'viewBox="0 0 {LEFT + WIDTH + 30} {height}" width="{LEFT + WIDTH + 30}" height="{height}"'
    title = "<title>Blocks that PostgreSQL reads for each page, probe and sweep by the number of bookings</title>"
    style = 'font-family="system-ui, sans-serif" font-size="12" fill="#223"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {box} {style}>',
            title,
            '<rect width="100%" height="100%" fill="#fff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _draw_axis(height: int) -> str:
    marks = []
    for blocks in (10, 100, 1_000, 10_000):
        x = f"{_compute_x(blocks):.1f}"
        marks.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{height - 10}" stroke="#e3e8ec"/>')
        marks.append(f'<text x="{x}" y="{TOP - 6}" text-anchor="middle">{blocks:,} blocks</text>')
    return "\n".join(marks)


def _draw_legend(sizes: Sequence[int]) -> list[str]:
    return [
        f'<circle cx="{LEFT + 150 * number}" cy="14" r="4" fill="{COLORS[number]}"/>'
        f'<text x="{LEFT + 10 + 150 * number}" y="18">{size:,} bookings</text>'
        for number, size in enumerate(sizes)
    ]


def _compute_x(blocks: float) -> float:
    return LEFT + WIDTH * math.log10(min(max(blocks, 1.0), 100_000.0)) / 5


def _find_row(rows: Rows, name: str) -> Mapping[str, Any]:
    return next(row for row in rows if row["name"] == name)
