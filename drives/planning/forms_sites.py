from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives.models import CollectionCenter, Site
from drives.planning import rules
from drives.web import pictures, time_zones
from drives.web.fields import CheckboxField, PhoneFormField
from drives.web.pictures import Picture
from notifications import message_content
from organizations import translated_text
from organizations.models import Cause, CauseFact, CausePicture

SMS_NAME_LENGTH = 20


def build_link_field(label: Any) -> forms.URLField:
    message = gettext_lazy("Enter a full web address, for example https://www.example.org.")
    return forms.URLField(label=label, required=False, assume_scheme="https", error_messages={"invalid": message})


class RecordForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        translated_text.set_main_language(self, self.instance.organization.language)


class SiteForm(RecordForm):
    timezone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("Times for drives at this location are shown in this time zone."),
        error_messages={
            "required": gettext_lazy("Choose the location’s time zone."),
            "invalid_choice": gettext_lazy("“%(value)s” is not a time zone. Choose one from the list."),
        },
    )
    sms_name = forms.CharField(
        label=gettext_lazy("Short name for text messages"),
        help_text=gettext_lazy(
            "Up to 20 letters without accents. If you leave this empty, we’ll make one from the name."
        ),
        max_length=SMS_NAME_LENGTH,
        required=False,
    )
    map_url = build_link_field(gettext_lazy("Map link"))

    class Meta:
        model = Site
        fields = (
            "name",
            "address",
            "city",
            "region",
            "postal_code",
            "timezone",
            "sms_name",
            "map_url",
            "arrival_note",
        )
        labels = {
            "name": gettext_lazy("Location name"),
            "address": gettext_lazy("Street address"),
            "city": gettext_lazy("City"),
            "region": gettext_lazy("State or region"),
            "postal_code": gettext_lazy("Postal code"),
            "arrival_note": gettext_lazy("How to get inside"),
        }
        help_texts = {
            "address": gettext_lazy(
                "If the name or address changes, we’ll tell everyone who is booked here right away."
            ),
            "arrival_note": gettext_lazy("For example: parking behind the hall, side entrance."),
        }
        error_messages = {
            "name": {"required": gettext_lazy("Enter a name for the location.")},
            "address": {"required": gettext_lazy("Enter the street address.")},
            "city": {"required": gettext_lazy("Enter the city.")},
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        chosen = time_zones.list_zone_choices(self.instance.organization.country, self.instance.timezone)
        self.fields["timezone"].choices = chosen  # type: ignore[attr-defined]

    def clean_sms_name(self) -> str:
        typed: str = self.cleaned_data["sms_name"] or self.cleaned_data.get("name", "")
        return message_content.convert_to_gsm(typed)[:SMS_NAME_LENGTH].strip()


class CenterForm(RecordForm):
    phone = PhoneFormField(label=gettext_lazy("Phone"), required=False)
    website = build_link_field(gettext_lazy("Website"))

    class Meta:
        model = CollectionCenter
        fields = ("name", "phone", "required_documents", "website")
        labels = {
            "name": gettext_lazy("Center name"),
            "required_documents": gettext_lazy("What donors need to bring to the center"),
        }
        help_texts = {"required_documents": gettext_lazy("For example: photo ID, proof of address.")}
        error_messages = {
            "name": {"required": gettext_lazy("Enter a name for the center.")},
        }


class CauseForm(RecordForm):
    learn_more_url = build_link_field(gettext_lazy("Link to learn more"))
    give_url = build_link_field(gettext_lazy("Link to give money"))
    run_url = build_link_field(gettext_lazy("Link to a run"))
    picture = forms.FileField(
        label=gettext_lazy("Picture"),
        required=False,
        help_text=gettext_lazy("JPEG, PNG or WebP, up to 8 MB. Show a child only if the parents have agreed."),
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
    )
    removes_picture = CheckboxField(label=gettext_lazy("Remove the picture"), required=False)

    class Meta:
        model = Cause
        fields = (
            *("title", "summary", "story", "condition", "need", "picture_text"),
            *("learn_more_url", "give_url", "run_url"),
        )
        labels = {
            "title": gettext_lazy("Cause name"),
            "summary": gettext_lazy("One sentence at the top of every drive page"),
            "story": gettext_lazy("Who we honor"),
            "condition": gettext_lazy("About the disease"),
            "need": gettext_lazy("Why plasma matters"),
            "picture_text": gettext_lazy("What the picture shows"),
        }
        help_texts = {
            "title": gettext_lazy("For example: Running for Zoe."),
            "summary": gettext_lazy("The first thing donors read: who the cause honors and how plasma helps them."),
            "story": gettext_lazy("Formatting: ## heading, **bold**, *italic*, - list, [link](https://example.org)."),
            "picture_text": gettext_lazy("For people who can’t see the picture. Required if you add one."),
        }
        error_messages = {
            "title": {"required": gettext_lazy("Enter a name for the cause.")},
            "summary": {"required": gettext_lazy("Write one sentence for the top of the drive page.")},
        }

    def clean_picture(self) -> Picture | None:
        file = self.cleaned_data["picture"]
        return pictures.reduce_picture(file, file.size) if file else None

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or self.cleaned_data
        is_kept = not typed.get("removes_picture") and CausePicture.objects.filter(cause=self.instance.pk).exists()
        has_picture = typed.get("picture") or is_kept
        if has_picture and not typed.get("picture_text") and "picture_text" not in self.errors:
            self.add_error("picture_text", _("Write what the picture shows."))
        return typed


class FactForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A fact with its source. A cleared row deletes the fact."""

    source_url = build_link_field(gettext_lazy("Source link"))

    class Meta:
        model = CauseFact
        fields = ("text", "source_name", "source_url")
        labels = {
            "text": gettext_lazy("Fact"),
            "source_name": gettext_lazy("Source of the fact"),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["text"].required = self.fields["source_name"].required = False

    def clean(self) -> dict[str, Any]:
        typed = self.cleaned_data
        if (typed.get("source_name") or typed.get("source_url")) and not typed.get("text"):
            self.add_error("text", _("Write the fact, or clear the whole row."))
        if typed.get("text") and not typed.get("source_name"):
            self.add_error("source_name", _("Enter the source of the fact."))
        return typed


class _FactFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]  # not generic at run time
    default_error_messages: ClassVar = {"too_many_forms": gettext_lazy("A cause can have up to %(num)d facts.")}

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        translated_text.set_main_language(form, self.instance.organization.language)

    def list_filled_in(self) -> list[CauseFact]:
        return [form.save(commit=False) for form in self.forms if form.cleaned_data.get("text")]


FactFormSet: Any = forms.inlineformset_factory(
    Cause,
    CauseFact,
    form=FactForm,
    formset=_FactFormSet,
    extra=2,
    max_num=rules.MAX_FACTS,
    validate_max=True,
    can_delete=False,
)
