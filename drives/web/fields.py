from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext, gettext_lazy

from notifications import contact_address
from volunteers import rules

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class RequiredByActionField(forms.CharField):
    """A field without the label "optional". The form does not require it, but the action does."""

    needed = True


class CheckboxInput(forms.CheckboxInput):
    """A checkbox that passes on the posted value unchanged. Templates recognize its class name."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        return data.get(name)


class CheckboxField(forms.BooleanField):
    """A checkbox that refuses unknown values. Django's field would treat "no" as checked."""

    widget = CheckboxInput
    _VALUES: ClassVar = {"on": True, "True": True, "true": True, "False": False, "false": False, "": False}

    def __init__(self, *, described_by: str = "", **options: Any) -> None:
        super().__init__(**options)
        if described_by:
            self.widget.attrs["aria-describedby"] = described_by

    def to_python(self, value: Any) -> bool:
        checked: bool | None = self._VALUES.get(value or "")
        if checked is None:
            raise forms.ValidationError(gettext("Check this box or leave it empty."), code="invalid")
        return checked


class NameField(RequiredByActionField):
    def __init__(self, *, label: "StrOrPromise") -> None:
        attributes = {"autocomplete": "name", "autocapitalize": "words", "spellcheck": "false"}
        super().__init__(
            label=label, required=False, max_length=rules.NAME_MAX_TYPED, widget=forms.TextInput(attrs=attributes)
        )


class ValidatedTextField(forms.CharField):
    """A text field that cleans or refuses its text by the same rule as the API."""

    def __init__(self, rule: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self.rule = rule

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        return self.rule(text) if text else ""


class OtherNameField(ValidatedTextField):
    """A field for another person's name. A blank field shows the message of the rule."""

    def __init__(self) -> None:
        super().__init__(
            partial(rules.clean_name, is_own_name=False),
            label=gettext_lazy("Name"),
            max_length=rules.NAME_MAX_TYPED,
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        )

    def validate(self, value: str) -> None:
        if not value:
            self.rule(value)


class MailboxField(ValidatedTextField):
    def __init__(self) -> None:
        widget = forms.TextInput(attrs={"type": "email", "autocomplete": "off"})
        super().__init__(contact_address.normalize_email, label=gettext_lazy("E-mail"), max_length=254, widget=widget)


class PhoneFormField(forms.CharField):
    """A phone number in any format, converted to E.164. A number without "+" belongs to `country`."""

    country = "US"

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "off"})
        super().__init__(widget=widget, max_length=rules.PHONE_MAX_TYPED, **options)

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        return contact_address.normalize_phone(text, self.country) if text else ""

    def prepare_value(self, value: Any) -> Any:
        return contact_address.format_phone(value) if isinstance(value, str) and value.startswith("+") else value


class PhoneForm(forms.Form):
    """A form with the field `phone`. Numbers without "+" are numbers of the organization's country."""

    def __init__(self, *args: Any, country: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["phone"].country = country  # type: ignore[attr-defined]
