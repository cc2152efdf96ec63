"""Mark texts in another language than the page, so that screen readers pronounce them correctly."""

from django.conf import settings
from django.utils.html import conditional_escape, format_html
from django.utils.translation import get_language

from organizations.translated_text import TranslatedString


def language_attribute(code: str) -> str:
    """Return the lang attribute for a text in this language.

    Returns "" if the page has the same language or the language is unknown.
    """
    page = get_language() or settings.LANGUAGE_CODE
    return "" if code in {"", page, page.partition("-")[0]} else format_html(' lang="{}"', code)


def in_language(text: TranslatedString) -> str:
    """Return the text as HTML. Add a lang attribute if the text is in another language than the page.

    The result is not valid inside an attribute.
    """
    attribute = lang_attribute(text)
    return format_html("<span{}>{}</span>", attribute, text) if attribute else conditional_escape(str(text))


def lang_attribute(text: TranslatedString) -> str:
    return language_attribute(text.language)
