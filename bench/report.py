"""Write results into docs/performance.md, as tables and as an SVG plot."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from config.embedded.processes import ROOT

PAGE = ROOT / "docs" / "performance.md"
PICTURES = ROOT / "docs" / "pictures"
Rows = Sequence[Mapping[str, Any]]
ROW_HEIGHT, LEFT, WIDTH, TOP = 22, 220, 460, 46
COLORS = ("#7aa6b8", "#3b7a91", "#1f4e5c")


def write_growth(found: Mapping[int, Rows]) -> None:
    write_section("growth", format_growth_table(found))
    (PICTURES / "growth.svg").write_text(draw_growth(found))


def write_concurrency(rows: Rows) -> None:
    write_section("concurrency", format_concurrency_table(rows))
    (PICTURES / "concurrency.svg").write_text(draw_concurrency(rows))


def write_rush(rows: Rows) -> None:
    head = ["", "answers", "per second", "p50, ms", "p99, ms"]
    cells = ([row["name"], f"{row['answers']:,}", row["rate"], row["p50_ms"], row["p99_ms"]] for row in rows)
    write_section("rush", _format_table(head, cells))


def write_memory(rows: Rows) -> None:
    head = ["requests", "messages", "web, MB", "worker, MB", "beat, MB", "in all, MB"]
    write_section("memory", _format_table(head, ([f"{value:,}" for value in row.values()] for row in rows)))


def write_section(name: str, text: str) -> None:
    """Replace the part of docs/performance.md between the section's two marks."""
    marks = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(rf"{marks[0]}\n.*?{marks[1]}", re.DOTALL)
    PAGE.write_text(pattern.sub(lambda _match: f"{marks[0]}\n{text}\n{marks[1]}", PAGE.read_text()))


def format_growth_table(found: Mapping[int, Rows]) -> str:
    sizes = sorted(found)
    lines = []
    for row in found[sizes[-1]]:
        same = [_find_row(found[size], row["name"]) for size in sizes]
        lines.append(
            [
                row["name"],
                *(f"{one['blocks']:,}" for one in same),
                f"{compute_growth(same):.1f} ×",
                f"{row['p50_ms']:.1f}",
                f"{row['cpu_ms']:.1f}",
                " → ".join(dict.fromkeys(str(one["statements"]) for one in (same[0], same[-1]))),
                f"{row['bytes']:,}" if row["bytes"] else "",
            ]
        )
    head = ["", *(f"blocks at {size:,}" for size in sizes), "growth", "p50, ms", "CPU, ms", "statements", "bytes"]
    return _format_table(head, lines)


def format_concurrency_table(rows: Rows) -> str:
    """Format the times of each page at each number of clients, and of each sweep with one run at a time."""
    counts = list(rows[0]["clients"])
    lines = []
    for row in rows:
        found = row.get("clients") or {counts[0]: {"rate": "", "p50_ms": row["p50_ms"], "p99_ms": ""}}
        cells = [found.get(count, {"rate": "", "p50_ms": "", "p99_ms": ""}) for count in counts]
        times = [f"{cell['p50_ms']} / {cell['p99_ms']}".strip(" /") for cell in cells]
        size = f"{row['bytes']:,}" if row["bytes"] else ""
        lines.append([row["name"], *times, *(cell["rate"] for cell in cells[1:]), row["statements"], size])
    head = [
        "",
        *(f"p50 / p99 at {count}, ms" for count in counts),
        *(f"per second at {count}" for count in counts[1:]),
        *("statements", "bytes"),
    ]
    return _format_table(head, lines)


def _format_table(head: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    texts = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in cells) + " |" for cells in texts)


def compute_growth(same: Rows) -> float:
    """Return the number of blocks read at the largest size, divided by the number at the smallest size."""
    return float(same[-1]["blocks"]) / max(float(same[0]["blocks"]), 1.0)


def draw_growth(found: Mapping[int, Rows]) -> str:
    """Draw a line for each page, probe and sweep, with a dot for each size, on a logarithmic scale of blocks read."""
    sizes = sorted(found)
    names = [row["name"] for row in found[sizes[-1]]]
    dots = {name: [_find_row(found[size], name)["blocks"] for size in sizes] for name in names}
    title = "Blocks that PostgreSQL reads for each page, probe and sweep by the number of bookings"
    return _draw_dots(title, dots, [f"{size:,} bookings" for size in sizes], (10, 100, 1_000, 10_000), "blocks")


def draw_concurrency(rows: Rows) -> str:
    pages = [row for row in rows if "clients" in row]
    dots = {row["name"]: [cell["p50_ms"] for cell in row["clients"].values()] for row in pages}
    counts = [f"{count} clients" if count > 1 else "1 client" for count in pages[0]["clients"]]
    return _draw_dots("Median time of each page by the number of clients", dots, counts, (1, 10, 100, 1_000), "ms")


def _draw_dots(
    title: str, dots: Mapping[str, Sequence[float]], legend: Sequence[str], marks: Sequence[int], unit: str
) -> str:
    height = TOP + ROW_HEIGHT * len(dots) + 10
    parts = [_draw_axis(height, marks, unit), *_draw_legend(legend)]
    for number, (name, values) in enumerate(dots.items()):
        y = TOP + ROW_HEIGHT * number + ROW_HEIGHT / 2
        xs = [_compute_x(value) for value in values]
        parts.append(f'<text x="{LEFT - 10}" y="{y + 4:.0f}" text-anchor="end">{name}</text>')
        parts.append(f'<line x1="{min(xs):.1f}" x2="{max(xs):.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#9ab"/>')
        circles = zip(xs, COLORS, strict=False)
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{color}"/>' for x, color in circles]
    box = f'viewBox="0 0 {LEFT + WIDTH + 30} {height}" width="{LEFT + WIDTH + 30}" height="{height}"'
    style = 'font-family="system-ui, sans-serif" font-size="12" fill="#223"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {box} {style}>',
            f"<title>{title}</title>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _draw_axis(height: int, marks: Sequence[int], unit: str) -> str:
    lines = []
    for value in marks:
        x = f"{_compute_x(value):.1f}"
        lines.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{height - 10}" stroke="#e3e8ec"/>')
        lines.append(f'<text x="{x}" y="{TOP - 6}" text-anchor="middle">{value:,} {unit}</text>')
    return "\n".join(lines)


def _draw_legend(labels: Sequence[str]) -> list[str]:
    return [
        f'<circle cx="{LEFT + 150 * number}" cy="14" r="4" fill="{COLORS[number]}"/>'
        f'<text x="{LEFT + 10 + 150 * number}" y="18">{label}</text>'
        for number, label in enumerate(labels)
    ]


def _compute_x(value: float) -> float:
    return LEFT + WIDTH * math.log10(min(max(value, 1.0), 100_000.0)) / 5


def _find_row(rows: Rows, name: str) -> Mapping[str, Any]:
    return next(row for row in rows if row["name"] == name)
