"""Form fields that several subjects use."""

from typing import Any

from django import forms

from notifications import phone


class Typed(forms.CharField):
    """A field whose emptiness an action judges, in its own words: the form does not call it optional."""

    needed = True


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
