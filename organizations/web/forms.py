from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.utils.translation import gettext_lazy as _

from organizations.models import Invitation, Organization, User

EMAIL_SENTENCE = _("Enter an e-mail address, for example name@example.org.")


def build_email_field(label: Any, *, autocomplete: str = "email") -> forms.EmailField:
    """Build a field for a member's e-mail address. Refuses an address that is too long for the database."""
    return forms.EmailField(
        label=label,
        max_length=User._meta.get_field("email").max_length,
        widget=forms.EmailInput(attrs={"autocomplete": autocomplete}),
        error_messages=dict.fromkeys(("required", "invalid", "max_length"), EMAIL_SENTENCE),
    )


class SetupLinkForm(forms.Form):
    email = build_email_field(_("Your e-mail address"))


class StartForm(forms.Form):
    """The form that accepts an invitation. It asks only for what is not known from the invitation or the account."""

    organization_name = forms.CharField(
        label=_("Name of your organization"),
        help_text=_("The name that donors know. You can change it later."),
        max_length=Organization._meta.get_field("name").max_length,
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
        error_messages={"required": _("Enter the name of your organization.")},
    )
    name = forms.CharField(
        label=_("Your name"),
        help_text=_("Your colleagues see it next to your changes."),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        error_messages={"required": _("Enter your name.")},
    )
    email = build_email_field(_("Your e-mail address"))
    password = forms.CharField(
        label=_("Choose a password"),
        help_text=_("At least 12 characters. Three random words are easy to remember."),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        error_messages={"required": _("Choose a password.")},
    )

    def __init__(self, data: Any, *, invitation: Invitation, has_account: bool) -> None:
        super().__init__(data)
        if invitation.organization:
            del self.fields["organization_name"]
        if has_account:
            for name in ("name", "email", "password"):
                del self.fields[name]
        elif invitation.email:
            del self.fields["email"]

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        password_validation.validate_password(password)
        return password
