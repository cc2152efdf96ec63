"""The languages of the installation: English, plus each language with a django.po file."""

from pathlib import Path

from django.conf.locale import LANG_INFO
from django.utils.translation import to_language

SOURCE_LANGUAGE = "en"  # the language of the texts in the code


def find_languages(*locale_folders: Path) -> list[tuple[str, str]]:
    files = [file for catalog in locale_folders for file in catalog.glob("*/LC_MESSAGES/django.po")]
    codes = sorted({to_language(file.parts[-3]) for file in files} - {SOURCE_LANGUAGE})
    return [(code, _get_language_name(code)) for code in (SOURCE_LANGUAGE, *codes)]


def _get_language_name(code: str) -> str:
    return str(LANG_INFO[code]["name_local"]).capitalize() if code in LANG_INFO else code
