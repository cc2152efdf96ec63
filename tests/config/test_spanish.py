"""Spanish is complete: nothing is left in English, no placeholder is lost, plural forms are there."""

import gettext
import re
from pathlib import Path

import pytest
from django.utils import translation
from django.utils.translation import ngettext

from tests.config.test_catalogues import SOURCES, entries

PLACEHOLDER = re.compile(r"%\([a-z_]+\)[sd]|</?[a-z]+")
SPANISH = [path for path in SOURCES if path.parts[-3] == "es"]


def messages(source: Path) -> list[tuple[str, str]]:
    """Every text of the catalogue with its plural form."""
    found = re.findall(r'^(?:msgctxt "(.*)"\n)?msgid (".+"(?:\n".*")*)', source.read_text(), re.MULTILINE)
    return [(context, text) for context, text in found if text != '""']


@pytest.mark.parametrize("source", SPANISH, ids=str)
def test_every_text_is_translated(source: Path) -> None:
    assert len(entries(source)) >= len(messages(source)) - source.read_text().count("#, fuzzy")
    assert "fuzzy" not in source.read_text()


@pytest.mark.parametrize("source", SPANISH, ids=str)
def test_placeholders_and_markup_are_the_same(source: Path) -> None:
    for (_context, text), translations in entries(source).items():
        for translated in translations:
            assert sorted(PLACEHOLDER.findall(translated)) == sorted(PLACEHOLDER.findall(text)), text


def test_one_and_many_are_told_apart() -> None:
    with translation.override("es"):
        words = [ngettext("%(left)s left", "%(left)s left", left) % {"left": left} for left in (1, 3)]
    assert words == ["queda 1", "quedan 3"]


def test_the_catalogue_opens_without_msgfmt() -> None:
    for source in SPANISH:
        with source.with_suffix(".mo").open("rb") as catalogue:
            assert gettext.GNUTranslations(catalogue).info()["plural-forms"] == "nplurals=2; plural=(n != 1);"
