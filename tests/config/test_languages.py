"""To add a language, a developer adds only a .po file."""

from pathlib import Path

from config import languages


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
