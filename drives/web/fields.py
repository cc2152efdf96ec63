"""Form fields that several subjects use."""

from typing import TYPE_CHECKING, Any

from django import forms

from notifications import phone

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Typed(forms.CharField):
    """A field whose emptiness an action judges, in its own words: the form does not call it optional."""

    needed = True


class NameField(Typed):
    """What a person is called."""

    def __init__(self, *, label: "StrOrPromise") -> None:
        attributes = {"autocomplete": "name", "autocapitalize": "words", "spellcheck": "false"}
        super().__init__(label=label, required=False, max_length=200, widget=forms.TextInput(attrs=attributes))


class PhoneField(forms.CharField):
    """A phone number however it is spelled; kept as E.164, shown as people read it."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "off"})
        super().__init__(widget=widget, max_length=40, **options)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        return phone.normalize(text) if text else ""

    def prepare_value(self, value: Any) -> Any:
        return phone.show(value) if isinstance(value, str) and value.startswith("+") else value
