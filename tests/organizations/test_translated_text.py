"""A text in several languages: its value, its database column and its form field."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from organizations.models import Cause
from organizations.translated_text import TranslatedFormField, TranslatedString
from tests import builders

BOTH = TranslatedString({"es": "Hola", "en": "Hello"})


@pytest.mark.parametrize(
    ("text", "reader", "read", "language"),
    [
        (BOTH, "en", "Hello", "en"),
        (BOTH, "en-gb", "Hello", "en"),
        (BOTH, "fr", "Hola", "es"),
        (TranslatedString({"pt-br": "Olá", "en": "Hello"}), "pt-br", "Olá", "pt-br"),
        (TranslatedString({"en": "", "es": "Hola"}), "en", "Hola", "es"),
        (TranslatedString(), "en", "", ""),
    ],
)
def test_a_text_is_read_in_the_language_of_the_moment_else_in_the_first(
    text: TranslatedString, reader: str, read: str, language: str
) -> None:
    with translation.override(reader):
        assert (str(text), text.language, bool(text)) == (read, language, bool(language))


def test_the_order_of_the_languages_is_part_of_the_text() -> None:
    other = TranslatedString({"en": "Hello", "es": "Hola"})
    assert other != BOTH
    assert {BOTH, TranslatedString(dict(BOTH.texts))} == {BOTH}


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["2027", "null", '{"en": "x"}', "[]", "“Zoë”"])
def test_a_column_gives_back_what_was_written(text: str) -> None:
    here = builders.organization()
    pk = here.causes.create(title=TranslatedString({"es": text, "en": "Hello"}), slug="zoe", summary=text).pk
    cause = Cause.objects.get(pk=pk)
    assert list(cause.title.texts.items()) == [("es", text), ("en", "Hello")]
    assert (cause.summary, cause.story) == (TranslatedString({"en": text}), TranslatedString())


@pytest.mark.django_db
def test_causes_are_ordered_by_their_title_in_the_main_language() -> None:
    here = builders.organization()
    for slug, texts in {"b": {"en": "B"}, "c": {"en": "C", "es": "A"}, "a": {"es": "A", "en": "Z"}}.items():
        here.causes.create(title=TranslatedString(texts), slug=slug, summary="x")
    assert [cause.slug for cause in here.causes.order_by(*Cause.BY_TITLE)] == ["a", "b", "c"]


def field(**options: Any) -> TranslatedFormField:
    made = TranslatedFormField(max_length=5, **options)
    made.widget.main = "es"
    return made


def test_a_form_takes_the_main_language_first_and_drops_what_is_empty() -> None:
    assert list(field().clean({"en": " Hello ", "es": "Hola"}).texts.items()) == [("es", "Hola"), ("en", "Hello")]
    assert field().clean({"es": "Hola", "en": " "}) == TranslatedString({"es": "Hola"})
    assert field(required=False).clean({"es": None, "en": None}) == TranslatedString()


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({"es": "", "en": "Hello"}, "required"),
        ({"es": "x" * 6, "en": ""}, "max_length"),
        ({"es": "Hola", "en": "x" * 6}, "max_length"),
        ({"es": "Hola\x00", "en": ""}, "null_characters_not_allowed"),
    ],
)
def test_a_form_refuses_what_is_missing_or_too_long_in_any_language(typed: dict[str, str], code: str) -> None:
    with pytest.raises(ValidationError) as caught:
        field().clean(typed)
    assert [error.code for error in caught.value.error_list] == [code]


@pytest.mark.parametrize(("most", "tag"), [(300, "input"), (301, "textarea")])
def test_a_text_of_more_than_300_characters_is_written_in_several_lines(most: int, tag: str) -> None:
    widget: Any = TranslatedFormField(max_length=most, label="Title").widget
    shown = widget.render("title", BOTH)
    assert f"<{tag} " in shown
    assert ("<textarea" in shown) == (tag == "textarea")


def test_inputs_are_named_as_the_field_and_with_the_other_languages() -> None:
    widget: Any = field(label="Title").widget
    shown = widget.render("title", BOTH, {"id": "id_title", "aria-invalid": "true"})
    for part in (
        'name="title" id="id_title" value="Hola" lang="es" maxlength="5" aria-invalid="true"',
        'name="title_en" id="id_title_en" value="Hello" lang="en" maxlength="5"',
        '<label for="id_title_en" class="visually-hidden">Title (<span lang="en">English</span>)</label>',
        '<details class="other-languages" open>',
    ):
        assert part in shown
