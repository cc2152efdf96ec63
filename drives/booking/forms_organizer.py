"""The coordinator's forms for one booking: add by phone, move, cancel."""

from dataclasses import replace
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy

from drives.booking.hold import Person
from drives.eligibility import rules as eligibility_rules
from drives.eligibility.forms import SelfReportedForm
from drives.models import Policy
from drives.refusals import OpenTime
from drives.web.fields import CheckboxField, OtherNameField, PhoneForm, PhoneFormField, ValidatedTextField
from notifications import contact_address as notifications_phone
from volunteers import rules as volunteers_rules


class TimeForm(forms.Form):
    slot = forms.TypedChoiceField(
        label=gettext_lazy("Time"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={
            "required": gettext_lazy("Choose a time."),
            "invalid_choice": gettext_lazy("This time is no longer available. Choose another one."),
        },
    )

    def __init__(self, times: list[OpenTime], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.times = times
        self.proposed: list[OpenTime] = []  # the alternative times from a refusal
        self.fields["slot"].choices = [(time.slot_id, time.starts_at) for time in times]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> int | None:
        value = str(self["slot"].value() or "")
        # isdecimal alone would accept digits of other scripts.
        return int(value) if value.isdecimal() and value.isascii() else None


class OverrideForm(forms.Form):
    """The reason for overriding an interval rule. The page shows this form only after the rule has refused the time."""

    override_reason = forms.CharField(
        label=gettext_lazy("Reason for booking anyway"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("For example: the center approved it. We keep your reason with the booking."),
    )

    @property
    def may_override(self) -> bool:
        refused = {error.code for error in self.non_field_errors().as_data()}
        return bool(refused & eligibility_rules.OVERRIDABLE_CODES or self["override_reason"].value())


class CallerForm(PhoneForm):
    name = OtherNameField()
    phone = PhoneFormField(label=gettext_lazy("Phone"), required=False)
    email = ValidatedTextField(
        notifications_phone.normalize_email,
        label=gettext_lazy("E-mail"),
        required=False,
        max_length=volunteers_rules.EMAIL_MAX_TYPED,
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "off"}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language for messages"), choices=lambda: settings.LANGUAGES, required=False
    )
    confirmed = CheckboxField(label=gettext_lazy("The donor confirmed all of this on the phone"), required=False)

    def person(self, policy: Policy) -> Person:
        typed = self.cleaned_data
        return Person(
            name=typed["name"],
            phone=typed["phone"],
            email=typed["email"],
            language=typed["language"] or "en",
            self_check=list(policy.self_check) if typed["confirmed"] else [],
        )


class BookForDonorForm(TimeForm, OverrideForm, SelfReportedForm, CallerForm):
    field_order = ("name", "phone", "email", "language", "slot")

    def person(self, policy: Policy) -> Person:
        return replace(super().person(policy), self_reported=self.self_reported)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason (kept in the history)"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("For example: called to say she has to work. Never write medical details."),
    )


class MoveForm(TimeForm, ReasonForm, OverrideForm):
    field_order = ("slot", "reason")
