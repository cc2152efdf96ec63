"""Texts in an organization's languages: the value, the model field and the form field."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import translation

MAX_SINGLE_LINE_CHARACTERS = 300  # longer texts get an input with several lines


class TranslatedString:
    """One text in several languages. The organization's main language comes first.

    `str()` returns the text in the active language if there is one, or else the first text.
    """

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self.texts = {language: text for language, text in (texts or {}).items() if text}

    @property
    def language(self) -> str:
        """Return the language of the text that `str()` returns now, or "" if there is no text."""
        active = translation.get_language() or settings.LANGUAGE_CODE
        choices = (active, active.partition("-")[0], *self.texts)
        return next((language for language in choices if language in self.texts), "")

    def __str__(self) -> str:
        return self.texts.get(self.language, "")

    def __repr__(self) -> str:
        return f"Translated({self.texts!r})"

    def __bool__(self) -> bool:
        return bool(self.texts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TranslatedString) and list(self.texts.items()) == list(other.texts.items())

    def __hash__(self) -> int:
        return hash(tuple(self.texts.items()))


def translate_sentence(message: str, main_language: str) -> TranslatedString:
    texts = {}
    for language, _name in list_languages(main_language):
        with translation.override(language):
            text = translation.gettext(message)
        if text != message or language == settings.LANGUAGE_CODE:
            texts[language] = text
    return TranslatedString(texts)


def list_languages(main_language: str) -> list[tuple[str, str]]:
    return sorted(settings.LANGUAGES, key=lambda language: language[0] != main_language)


class TranslatedField(models.JSONField):
    """A text in several languages, stored as a list of pairs because a PostgreSQL JSON object does not keep the order.

    A plain string is text in the source language. `max_length` applies to each language.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        if options.get("blank"):
            options.setdefault("default", TranslatedString)
        super().__init__(*args, **options)

    def to_python(self, value: Any) -> TranslatedString:
        if isinstance(value, TranslatedString):
            return value
        if isinstance(value, Mapping | Sequence) and not isinstance(value, str):
            return TranslatedString(dict(value))
        return TranslatedString({settings.LANGUAGE_CODE: str(value or "")})

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> TranslatedString:
        return self.to_python(super().from_db_value(value, expression, connection))

    def get_prep_value(self, value: Any) -> list[list[str]]:
        return [list(pair) for pair in self.to_python(value).texts.items()]

    def pre_save(self, model_instance: models.Model, add: bool) -> TranslatedString:
        value = self.to_python(super().pre_save(model_instance, add))
        setattr(model_instance, self.attname, value)
        return value

    def value_to_string(self, obj: models.Model) -> Any:
        return self.get_prep_value(self.value_from_object(obj))

    def validate(self, value: TranslatedString, model_instance: models.Model | None) -> None:
        if not value and not self.blank:
            raise ValidationError(self.error_messages["blank"], code="blank")

    def formfield(self, **options: Any) -> forms.Field | None:
        own = {"form_class": TranslatedFormField, "max_length": self.max_length, "show_hidden_initial": False}
        return models.Field.formfield(self, **{**own, **options})


class TranslatedInput(forms.Widget):
    """An input for the main language, which has the field's own name, and collapsed inputs for the other languages."""

    template_name = "organizations/translated_input.html"
    label: Any = ""
    main = settings.LANGUAGE_CODE
    max_length: int | None = None

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        texts = value.texts if isinstance(value, TranslatedString) else value or {}
        inputs = [
            {
                "name": self._name(name, code),
                "id": self._name(context["widget"]["attrs"].get("id", name), code),
                "language": code,
                "language_name": language_name,
                "value": texts.get(code) or "",
            }
            for code, language_name in list_languages(self.main)
        ]
        context["widget"] |= {
            "label": self.label,
            "is_long": (self.max_length or MAX_SINGLE_LINE_CHARACTERS + 1) > MAX_SINGLE_LINE_CHARACTERS,
            "max_length": self.max_length,
            "main": inputs[0],
            "others": inputs[1:],
            "is_open": any(one["value"] for one in inputs[1:]),
        }
        return context

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> dict[str, Any]:
        return {code: data.get(self._name(name, code)) for code, _language in list_languages(self.main)}

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return all(self._name(name, code) not in data for code, _language in list_languages(self.main))

    def _name(self, name: str, language: str) -> str:
        return name if language == self.main else f"{name}_{language}"


class TranslatedFormField(forms.Field):
    """A required or optional text in the main language. Texts in the other languages are always optional."""

    widget = TranslatedInput
    empty_values = [*forms.Field.empty_values, TranslatedString()]

    def __init__(self, *, max_length: int | None = None, label: Any = "", **options: Any) -> None:
        super().__init__(label=label, **options)
        self.text = forms.CharField(max_length=max_length, required=False)
        self.widget.label, self.widget.max_length = label, max_length

    def clean(self, value: Mapping[str, Any]) -> TranslatedString:
        texts: dict[str, str] = {}
        errors: list[ValidationError] = []
        for language, _name in list_languages(self.widget.main):
            try:
                texts[language] = self.text.clean(value.get(language))
            except ValidationError as error:
                errors.append(error)
        if self.required and not errors and not texts[self.widget.main]:
            errors.append(ValidationError(self.error_messages["required"], code="required"))
        if errors:
            raise ValidationError(errors)
        return TranslatedString(texts)

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = initial.texts if isinstance(initial, TranslatedString) else {}
        return {language: text for language, text in data.items() if text} != before


def set_main_language(form: forms.BaseForm, language: str) -> None:
    for field in form.fields.values():
        if isinstance(field, TranslatedFormField):
            field.widget.main = language
