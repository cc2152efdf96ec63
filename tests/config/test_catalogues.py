"""The compiled translation catalogs match their sources.

The repository contains the compiled catalogs, because a new machine may not have msgfmt.
"""

import ast
import re
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(ROOT.glob("*/locale/*/LC_MESSAGES/*.po"))


def entries(source: Path) -> dict[tuple[str, str], list[str]]:
    """Return the source's translations by (context, text), except fuzzy and empty ones."""
    found: dict[tuple[str, str], list[str]] = {}
    for block in source.read_text().split("\n\n"):
        if re.search(r"^#,.*fuzzy", block, re.MULTILINE):
            continue
        parts = {
            keyword: "".join(
                ast.literal_eval(line) for line in re.findall(r'^(?:\w+(?:\[\d\])? )?(".*")$', text, re.MULTILINE)
            )
            for keyword, text in re.findall(r'^(msg\w+(?:\[\d\])?) ((?:".*"\n?)+)', block, re.MULTILINE)
        }
        translations = [text for keyword, text in parts.items() if keyword.startswith("msgstr")]
        if parts.get("msgid") and all(translations):
            found[parts.get("msgctxt", ""), parts["msgid"]] = translations
    return found


def compiled(source: Path) -> dict[tuple[str, str], list[str]]:
    """Return the translations in a compiled catalog by (context, text).

    The catalog has two tables of lengths and offsets, one for the originals and one for the translations.
    """
    data = source.with_suffix(".mo").read_bytes()
    _magic, _revision, count, *tables = struct.unpack("<5I", data[:20])
    originals, translations = (
        [data[at : at + size].decode() for size, at in struct.iter_unpack("<2I", data[table : table + 8 * count])]
        for table in tables
    )
    found: dict[tuple[str, str], list[str]] = {}
    for original, translation in zip(originals, translations, strict=True):
        context, _, plain = original.partition("\x00")[0].rpartition("\x04")
        if plain:
            found[context, plain] = translation.split("\x00")
    return found


def test_the_compiled_catalogues_are_fresh() -> None:
    stale = [
        source for source in SOURCES if not source.with_suffix(".mo").exists() or compiled(source) != entries(source)
    ]
    assert stale == [], "run manage.py compilemessages"
