"""To add a language, a developer adds only a .po file."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import formats, translation

from config import languages
from drives.domain import localtime


def add(catalog: Path, locale: str) -> None:
    folder = catalog / locale / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").touch()


def test_the_languages_are_english_and_those_with_a_catalog(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for locale in ("pt_BR", "de", "en"):
        add(first, locale)
    add(second, "qx")
    (second / "fr" / "LC_MESSAGES").mkdir(parents=True)
    assert languages.find_languages(first, second) == [
        ("en", "English"),
        ("de", "Deutsch"),
        ("pt-br", "Português brasileiro"),
        ("qx", "qx"),
    ]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("pattern", ["TIME_FORMAT", "DATETIME_FORMAT", "SHORT_DATETIME_FORMAT"])
def test_a_time_looks_alike_in_every_format(language: str, pattern: str) -> None:
    moment = datetime(2027, 3, 13, 21, 30, tzinfo=UTC)
    with translation.override(language):
        assert formats.date_format(moment, pattern).endswith(localtime.format_time(moment, "UTC"))


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_number_is_written_as_in_the_united_states(language: str) -> None:
    with translation.override(language):
        assert formats.number_format(12345.6, decimal_pos=1, force_grouping=True) == "12,345.6"
