"""Forms for the donor's details. Forms check only the format. The actions check the rules."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import TextChoices
from django.http import QueryDict
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from drives.booking.hold import Companion, Person
from drives.eligibility import self_check
from drives.eligibility.forms import SelfReportedForm
from drives.eligibility.rules import INTERVAL_CODES
from drives.models import Booking, Policy, SelfReportedDonation, Visit
from drives.public.times import PartyRequest
from drives.refusals import OpenTime, Refusal
from drives.web.fields import CheckboxField, NameField, RequiredByActionField
from notifications.models import Purpose
from volunteers import registration as volunteers_registration
from volunteers import rules as volunteers_rules
from volunteers.models import Registration

CODES_NOT_ABOUT_TIME = {"already_booked", "too_many_holds", "other_name", "too_many_people", "same_person_twice"}


class ContactChoice(TextChoices):
    PHONE = "phone", _("Text")
    EMAIL = "email", pgettext_lazy("contact", "E-mail")
    BOTH = "both", _("Both")


# Short labels next to "Visit", so that a name and a visit fit in one row of a phone.
VISIT_CHOICES = [(Visit.FIRST, pgettext_lazy("visit", "First")), (Visit.RETURN, pgettext_lazy("visit", "Return"))]


class PersonForm(forms.Form):
    use_required_attribute = False

    name = NameField(label=_("Your name"))
    contact_by = forms.ChoiceField(
        label=_("How can we reach you?"),
        choices=ContactChoice.choices,
        required=False,
        initial=ContactChoice.PHONE,
        widget=forms.RadioSelect,
    )
    phone = RequiredByActionField(
        label=_("Mobile phone"),
        required=False,
        max_length=volunteers_rules.PHONE_MAX_TYPED,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    email = RequiredByActionField(
        label=_("E-mail"),
        required=False,
        max_length=volunteers_rules.EMAIL_MAX_TYPED,
        widget=forms.TextInput(attrs={"type": "email", "autocomplete": "email", "inputmode": "email"}),
    )
    is_for_other = CheckboxField(label=_("I’m booking for someone else"), required=False)
    reminders = CheckboxField(label=_("Text me reminders"), required=False, described_by="id_reminders_hint")
    confirmed = CheckboxField(label=_("All of this is true for me"), required=False, described_by="id_confirmed_hint")

    def clean(self) -> dict[str, Any]:
        """Clear the contact that the donor chose not to give, because the page hides its field."""
        typed = super().clean() or self.cleaned_data
        chosen = typed.get("contact_by") or ContactChoice.BOTH
        return {**typed, **{kind: "" for kind in ("phone", "email") if chosen not in (kind, ContactChoice.BOTH)}}

    def person(self, policy: Policy | None) -> Person:
        data = self.cleaned_data
        return Person(
            name=data["name"],
            phone=data["phone"],
            email=data["email"],
            language=get_language() or "",
            consents=[purpose for purpose in Purpose.values if data.get(purpose)],
            # One checkbox confirms all sentences of the policy.
            self_check=list(policy.self_check) if policy and data["confirmed"] else [],
            is_for_other=data["is_for_other"],
        )

    def refuse(self, problem: ValidationError) -> None:
        if not hasattr(problem, "error_dict"):
            self.add_error(None, problem)
            return
        is_by_email = self.cleaned_data.get("contact_by") == ContactChoice.EMAIL
        shown_names = {"self_reported": "self_reported_on", **({"phone": "email"} if is_by_email else {})}
        for name, errors in problem.error_dict.items():
            shown = shown_names.get(name, name)
            self.add_error(shown if shown in self.fields else NON_FIELD_ERRORS, errors)


class DetailsForm(SelfReportedForm, PersonForm):
    news = CheckboxField(label=_("Tell me about upcoming drives"), required=False, described_by="id_news_hint")
    visit = forms.ChoiceField(label=_("Visit"), choices=VISIT_CHOICES)
    slot = forms.IntegerField(required=False, widget=forms.HiddenInput)

    field_order = ("name", "visit", "contact_by", "phone", "email", "is_for_other", "reminders", "news", "confirmed")

    def __init__(self, *args: Any, visits: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["visit"].initial = visits[0]
        if len(visits) == 1:
            self.fields["visit"].widget = forms.HiddenInput()
        else:
            self.fields["is_for_other"].label = _("I’m not coming myself. All of these bookings are for other people.")
            self.fields["confirmed"].label = _("All of this is true for each of us")
        self._others = [(f"name_{n}", f"visit_{n}") for n in range(1, len(visits))]
        for number, (name, visit) in enumerate(self._others, start=2):
            self.fields[name] = field = NameField(label=_("Name of person %(number)s") % {"number": number})
            field.widget.attrs.update(autocomplete="off")  # otherwise browsers fill in the donor's own name
            self.fields[visit] = forms.ChoiceField(label=_("Visit"), choices=VISIT_CHOICES, initial=visits[number - 1])

    def rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[name], self[visit]) for name, visit in (("name", "visit"), *self._others)]

    def person(self, policy: Policy | None) -> Person:
        return replace(super().person(policy), self_reported=self.self_reported)

    def companions(self) -> list[Companion]:
        return [Companion(self.cleaned_data[name], self.cleaned_data[visit]) for name, visit in self._others]

    def refuse(self, problem: ValidationError) -> None:
        if isinstance(problem, Refusal):
            field = "self_reported_on" if is_too_close(problem) else "slot"
            self.add_error(field if is_about_time(problem) else None, problem.messages)
            return
        if hasattr(problem, "error_dict"):
            errors_by_field = {
                re.sub(r"people/(\d)/name", r"name_\1", key): errors for key, errors in problem.error_dict.items()
            }
            problem = ValidationError(errors_by_field)
        super().refuse(problem)


def build_person_initial(typed: Registration) -> dict[str, Any]:
    return {
        "name": typed.name,
        "contact_by": _find_contact_choice(typed.phone_as_typed, typed.email),
        "phone": typed.phone_as_typed,
        "email": typed.email,
        "is_for_other": typed.is_for_other,
        **dict.fromkeys(typed.consents, True),
        "confirmed": bool(typed.self_check) and self_check.WILL_ASK not in typed.self_check,
    }


def build_typed_initial(party: Sequence[Booking]) -> dict[str, Any]:
    """Return the details that the donor typed for a hold and its party, as initial values of the form."""
    typed, *others = [booking.registration for booking in party if booking.registration]
    donation = SelfReportedDonation.objects.filter(registration=typed).first()
    return {
        **{f"name_{n}": companion.name for n, companion in enumerate(others, start=1)},
        **build_person_initial(typed),
        "self_reported_kind": donation.kind if donation else "",
        "self_reported_on": donation.donated_on if donation else None,
    }


def matches_name(typed: QueryDict, held: Booking) -> bool:
    known = held.registration
    return known is not None and volunteers_registration.has_name(known, typed.get("name", ""))


def matches_contact(typed: QueryDict, held: Booking) -> bool:
    known = held.registration
    contacts = {known.phone_as_typed, known.email.casefold()} - {""} if known else set()
    return not contacts.isdisjoint({typed.get("phone", ""), typed.get("email", "").casefold()})


def merge_visits(party: Sequence[Booking], wanted: PartyRequest) -> Sequence[str]:
    """Return a visit type for each of `wanted.people`.

    Members of the party keep their visit types if the wanted number of first visits allows that.
    """
    kept = [booking.visit for booking in party[: wanted.people]]
    added, added_first = wanted.people - len(kept), wanted.visits.count(Visit.FIRST) - kept.count(Visit.FIRST)
    if not 0 <= added_first <= added:
        return wanted.visits
    return [*kept, *[Visit.RETURN] * (added - added_first), *[Visit.FIRST] * added_first]


def _find_contact_choice(phone: str, email: str) -> ContactChoice:
    if phone and email:
        return ContactChoice.BOTH
    return ContactChoice.EMAIL if email else ContactChoice.PHONE


def is_about_time(refusal: Refusal) -> bool:
    """Return whether another time could be accepted. False if the drive, the donor or the contact was refused."""
    return all(code not in CODES_NOT_ABOUT_TIME and not code.startswith("drive_") for code in refusal.codes)


def is_too_close(refusal: Refusal) -> bool:
    return INTERVAL_CODES.issuperset(refusal.codes)


def build_alternatives(problem: ValidationError | None) -> dict[str, list[OpenTime]]:
    helps = isinstance(problem, Refusal) and is_about_time(problem)
    times = problem.alternatives if isinstance(problem, Refusal) and helps else []
    return {
        "alternatives": [time for time in times if not time.other_drive],
        "at_others": [time for time in times if time.other_drive],
    }
