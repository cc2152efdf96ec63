import re
from datetime import date
from math import floor
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives.eligibility import policy_choices
from drives.planning import forms_sites
from drives.settings import rules
from drives.settings.queries import ActorGroup
from drives.web import colors, pictures, time_zones
from drives.web.fields import CheckboxField, PhoneForm, PhoneFormField
from drives.web.pictures import Picture
from notifications import contact_address
from organizations import translated_text
from organizations.models import Organization, Role
from organizations.web import forms as web_forms
from organizations.web.forms import EMAIL_SENTENCE

ROLE_SENTENCES = {
    Role.OWNER: gettext_lazy("can plan drives, and manage members, keys and settings"),
    Role.COORDINATOR: gettext_lazy("can plan drives, book donors and write messages"),
    Role.CHECK_IN: gettext_lazy("can check donors in at the door"),
    Role.VIEWER: gettext_lazy(
        "can see drives, bookings and figures, but not full phone numbers or e-mail addresses,"
        " and can’t change anything"
    ),
}

MESSAGING_SERVICE_PATTERN = re.compile("MG[0-9a-f]{32}")


class OrganizationForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """Base class of forms for a part of the settings. Pass a copy of the organization. Validation changes it."""

    logo_content = b""  # the file of a newly uploaded logo

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        translated_text.set_main_language(self, self.instance.language)


class NamesForm(OrganizationForm):
    class Meta:
        model = Organization
        fields = ("name", "legal_name", "sms_name")
        labels = {
            "name": gettext_lazy("Name"),
            "legal_name": gettext_lazy("Legal name"),
            "sms_name": gettext_lazy("Short name for text messages"),
        }
        help_texts = {
            "name": gettext_lazy("The name that donors know."),
            "legal_name": gettext_lazy(
                "As registered, for example Hope Foundation, Inc. The terms and the privacy policy show it."
            ),
            "sms_name": gettext_lazy("Every text starts with this name. Use up to 20 letters without accents."),
        }
        error_messages = {
            "name": {"required": gettext_lazy("Enter the name of your organization.")},
            "sms_name": {"required": gettext_lazy("Enter a short name for text messages.")},
        }


class ContactForm(OrganizationForm):
    phone = PhoneFormField(
        label=gettext_lazy("Phone"),
        help_text=gettext_lazy("Donors call this number when a page can’t help them."),
        required=False,
    )
    website = forms_sites.build_link_field(gettext_lazy("Website"))

    class Meta:
        model = Organization
        fields = ("phone", "email", "website")
        labels = {"email": gettext_lazy("E-mail address")}
        help_texts = {"email": gettext_lazy("Donors see this address, and their replies to our e-mails go there.")}
        error_messages = {"email": {"required": EMAIL_SENTENCE, "invalid": EMAIL_SENTENCE}}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["phone"].country = self.instance.country  # type: ignore[attr-defined]


class RegionForm(OrganizationForm):
    language = forms.ChoiceField(
        label=gettext_lazy("Main language"),
        help_text=gettext_lazy(
            "You write your messages and pages in this language first. You can add the other languages later."
        ),
        choices=lambda: settings.LANGUAGES,
    )
    timezone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("New locations use this time zone. You can choose a different one for each location."),
        error_messages={"required": gettext_lazy("Choose your time zone.")},
    )

    class Meta:
        model = Organization
        fields = ("language", "country", "timezone")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        choices = time_zones.list_zone_choices(self.instance.country, self.instance.timezone)
        self.fields["timezone"].choices = choices  # type: ignore[attr-defined]


class LookForm(OrganizationForm):
    """The logo and the color. Validation copies the facts about an uploaded logo to the organization."""

    logo = forms.FileField(
        label=gettext_lazy("Logo"),
        required=False,
        help_text=gettext_lazy("JPEG, PNG or WebP, up to 8 MB. It appears beside your name on pages and posters."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    removes_logo = CheckboxField(label=gettext_lazy("Remove the logo"), required=False)
    readable_shade = ""  # suggested if the chosen color is refused
    use_required_attribute = False  # a color input always has a value

    field_order = ("logo", "removes_logo", "accent")

    class Meta:
        model = Organization
        fields = ("accent",)
        labels = {"accent": gettext_lazy("Color of buttons and links")}
        help_texts = {
            "accent": gettext_lazy(
                "White text must be readable on this color, so choose one that is dark enough (contrast of at least"
                " 4.5)."
            )
        }
        widgets = {"accent": forms.ColorInput}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        del self.fields["accent"].widget.attrs["maxlength"]  # not allowed on color inputs in HTML
        if not self.instance.logo_digest:
            del self.fields["removes_logo"]

    def clean_logo(self) -> Picture | None:
        file = self.cleaned_data["logo"]
        return pictures.reduce_logo(file, file.size) if file else None

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        logo, removes_logo = typed.pop("logo", None), typed.pop("removes_logo", False)
        if logo:
            self.logo_content = logo.content
            typed |= {"logo_digest": logo.digest, "logo_width": logo.width, "logo_height": logo.height}
        elif removes_logo:
            typed |= {"logo_digest": "", "logo_width": 0, "logo_height": 0}
        return typed

    def clean_accent(self) -> str:
        accent: str = self.cleaned_data["accent"].lower()
        if not colors.is_readable(accent):
            contrast = (
                floor(colors.compute_least_contrast(accent) * 10) / 10
            )  # round down, because 4.48 is too low and must not show as 4.5
            facts = {"contrast": f"{contrast:.1f}", "shade": colors.find_readable_shade(accent)}
            sentence = _(
                "This color is too light to read. Its contrast is %(contrast)s, and it must be at least 4.5."
                " The nearest shade that works is %(shade)s."
            )
            self.readable_shade = facts["shade"]
            raise ValidationError(sentence % facts, code="contrast_too_low")
        return accent


class CalendarTitleForm(OrganizationForm):
    class Meta:
        model = Organization
        fields = ("calendar_title",)
        labels = {"calendar_title": gettext_lazy("Title of calendar entries")}
        help_texts = {
            "calendar_title": gettext_lazy(
                "Other people may see a donor’s calendar, so don’t mention health. Leave it empty to use the name of"
                " the drive."
            )
        }


class LegalTextsForm(OrganizationForm):
    class Meta:
        model = Organization
        fields = ("terms_note", "privacy_note")
        labels = {
            "terms_note": gettext_lazy("Your own terms"),
            "privacy_note": gettext_lazy("Your own privacy policy"),
        }
        help_texts = {
            "terms_note": gettext_lazy(
                "Donors see this above the terms of this service. You can write about parking or photos, for example."
            ),
            "privacy_note": gettext_lazy(
                "Donors see this above the privacy policy of this service. You can write how to reach your office, for"
                " example."
            ),
        }


class ProgramForm(OrganizationForm):
    program = forms.ChoiceField(
        label=gettext_lazy("Donation program"),
        help_text=gettext_lazy(
            "Your first drive uses this program. Each later drive uses the program of the drive before it."
        ),
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose a program.")},
    )

    class Meta:
        model = Organization
        fields = ("program",)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        offered = policy_choices.list_newest_policies(self.instance)
        near, far = policy_choices.build_policy_choices(offered, "", self.instance.country)
        field: forms.ChoiceField = self.fields["program"]  # type: ignore[assignment]
        field.choices = [(one.policy.code, f"{_(one.policy.name)}. {one.rule}") for one in (*near, *far)]


def _build_role_field() -> forms.ChoiceField:
    return forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=lambda: [(role.value, f"{role.label}: {ROLE_SENTENCES[role]}") for role in Role],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose a role.")},
    )


class FounderInvitationForm(forms.Form):
    email = web_forms.build_email_field(gettext_lazy("E-mail address"), autocomplete="off")


class InvitationForm(FounderInvitationForm):
    role = _build_role_field()


class RoleForm(forms.Form):
    role = _build_role_field()


class ApiKeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("The software that will use the key, for example our website."),
        max_length=80,
        error_messages={"required": gettext_lazy("Enter a name for the key.")},
    )
    role = forms.ChoiceField(
        label=gettext_lazy("What the key may do"),
        choices=[
            (Role.VIEWER.value, gettext_lazy("Read only")),
            (Role.CHECK_IN.value, gettext_lazy("Read, and check donors in")),
            (Role.COORDINATOR.value, gettext_lazy("Plan drives and book donors")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Choose what the key may do.")},
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Last day"),
        help_text=gettext_lazy(
            "The key stops working after this day. Leave it empty if the key should work until you revoke it."
        ),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        required=False,
        error_messages={"invalid": gettext_lazy("Enter a date like 2027-03-14.")},
    )

    def __init__(self, data: Any, *, today: date) -> None:
        super().__init__(data)
        self.today = today

    def clean_expires_on(self) -> date | None:
        day: date | None = self.cleaned_data["expires_on"]
        if day and not self.today <= day <= self.today + rules.MAX_KEY_LIFETIME:
            raise ValidationError(_("Enter a day between today and ten years from now."), code="day_out_of_range")
        return day


class AuditFilterForm(forms.Form):
    actor = forms.ChoiceField(label=gettext_lazy("Who"), required=False)
    verb = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    since = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=gettext_lazy("Until"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, data: Any, *, actors: list[ActorGroup], verbs: list[tuple[str, str]]) -> None:
        super().__init__(data)
        offered: dict[str, list[Any]] = {"actor": [*actors], "verb": [*verbs]}
        for name, choices in offered.items():
            field: forms.ChoiceField = self.fields[name]  # type: ignore[assignment]
            field.choices = [("", _("All")), *choices]

    @property
    def chosen(self) -> dict[str, Any]:
        """Return the valid values of the filled fields."""
        return {name: value for name, value in self.cleaned_data.items() if value}


class OwnSenderForm(forms.Form):
    address = forms.CharField(
        label=gettext_lazy("Phone number or messaging service"),
        max_length=40,
        help_text=gettext_lazy(
            "The number or service must be in this installation’s Twilio account. The ID of a messaging service begins"
            " with MG."
        ),
        error_messages={"required": gettext_lazy("Enter a phone number or the ID of a messaging service.")},
    )

    def __init__(self, *args: Any, country: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self.country = country

    def clean_address(self) -> dict[str, str]:
        typed = contact_address.clean_compatible_line(self.cleaned_data["address"]).strip()
        if MESSAGING_SERVICE_PATTERN.fullmatch(typed):
            return {"messaging_service": typed}
        return {"number": contact_address.normalize_phone(typed, self.country)}


class TestTextForm(PhoneForm):
    phone = PhoneFormField(
        label=gettext_lazy("Your mobile number"), error_messages={"required": gettext_lazy("Enter a phone number.")}
    )

    def clean_phone(self) -> str:
        return contact_address.require_textable(self.cleaned_data["phone"])
