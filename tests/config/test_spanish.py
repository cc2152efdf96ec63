"""The Spanish translation is complete. All placeholders and plural forms are present.

The catalogs of `organizations` have our words for the pages of django-allauth, also in English.
"""

import gettext
import re
from collections.abc import Iterable
from pathlib import Path

import allauth
import pytest
from django.utils import translation
from django.utils.translation import ngettext

from tests.config.test_catalogues import ROOT, SOURCES, entries

PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|</?[a-z]+")


def messages(source: Path) -> list[tuple[str, str]]:
    """Return the context and the text of every entry in the catalog."""
    found = re.findall(r'^(?:msgctxt "(.*)"\n)?msgid (".+"(?:\n".*")*)', source.read_text(), re.MULTILINE)
    return [(context, text) for context, text in found if text != '""']


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_every_text_is_translated(source: Path) -> None:
    assert len(entries(source)) >= len(messages(source)) - source.read_text().count("#, fuzzy")
    assert "fuzzy" not in source.read_text()


def unused(texts: Iterable[str], program: str) -> list[str]:
    """Return the texts that the program does not contain. Line breaks do not matter."""
    joined = re.sub(r'"\s*f?"', "", program).replace("\\n", " ").replace('\\"', '"')
    words = " ".join(re.sub(r"{{ ?(\w+) ?}}", r"%(\1)s", joined).replace("%%", "%").split())
    return [text for text in texts if " ".join(text.replace("%%", "%").split()) not in words]


def read_program(*folders: Path) -> str:
    files = [path for name in folders for path in name.rglob("*") if path.suffix in {".py", ".html", ".txt", ".json"}]
    return "\n".join(path.read_text() for path in files if "locale" not in path.parts)


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_every_text_of_the_catalogue_is_used(source: Path) -> None:
    apps = [ROOT / name for name in ("config", "drives", "volunteers", "notifications", "organizations")]
    overrides_allauth = source.is_relative_to(ROOT / "organizations")
    program = read_program(Path(allauth.__file__).parent) if overrides_allauth else read_program(*apps)
    assert unused((text for _context, text in entries(source)), program) == []


def test_control_a_text_that_is_gone_is_found() -> None:
    program = '_("You are "\n  "booked.")\n{% blocktranslate trimmed %}\n  See\n  you\n{% endblocktranslate %}'
    assert unused(["You are booked.", "See you", "You were booked."], program) == ["You were booked."]


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_placeholders_and_markup_are_the_same(source: Path) -> None:
    for (_context, text), translations in entries(source).items():
        for translated in translations:
            assert sorted(PLACEHOLDER.findall(translated)) == sorted(PLACEHOLDER.findall(text)), text


def test_one_and_many_are_told_apart() -> None:
    with translation.override("es"):
        words = [ngettext("%(left)s left", "%(left)s left", left) % {"left": left} for left in (1, 3)]
    assert words == ["queda 1", "quedan 3"]


def test_the_catalogue_opens_without_msgfmt() -> None:
    for source in SOURCES:
        with source.with_suffix(".mo").open("rb") as catalogue:
            assert gettext.GNUTranslations(catalogue).info()["plural-forms"] == "nplurals=2; plural=(n != 1);"
