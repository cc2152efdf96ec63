from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives.domain.plan_preview import Preview
from drives.domain.rules import STEP_MINUTES
from drives.eligibility import policy_choices
from drives.models import PLAN_FIELDS, Drive, Policy, Site
from drives.planning import plan_check, plan_defaults, plan_problems
from drives.planning.forms_sites import SiteForm
from drives.web.fields import PhoneFormField
from organizations import translated_text
from organizations.models import Cause
from organizations.translated_text import TranslatedFormField

BREAK_ROWS = 3
NEW_SITE = "new"
# The form has these fields in minutes, and the plan has them in steps.
VISIT_FIELDS = ("first_screening", "first_chair", "return_screening", "return_chair")
# For each problem field of a grid, the form field that shows the problem.
PROBLEM_FIELDS = {"breaks": "break_1_from", "first": "first_chair", "returning": "return_chair", "zone": "site"}
DAY_FIELDS = ("day", "opens", "closes")
STRICTER_FIELDS = ("stricter_hours", "stricter_days", "stricter_count", "stricter_count_days")
GRID_FIELDS = (*DAY_FIELDS, "breaks")
FROZEN_FIELDS = (*DAY_FIELDS, "site", "step_minutes")
FORM_ONLY_FIELDS = ("site", "breaks", *(f"{name}_steps" for name in VISIT_FIELDS))


def build_time_field(label: Any, **options: Any) -> forms.TimeField:
    """Build a field that submits 24-hour times. The browser may display them differently."""
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    sentence = format_lazy(gettext_lazy("{label}: enter a time, for example 09:00."), label=label)
    messages = {"required": sentence, "invalid": sentence}
    return forms.TimeField(label=label, widget=widget, error_messages=messages, **options)


def build_number_field(label: Any, least: int, most: int, **options: Any) -> forms.IntegerField:
    template = gettext_lazy("{label}: enter a whole number from {least} to {most}.")
    sentence = format_lazy(template, label=label, least=least, most=most)
    messages = {"required": sentence, "invalid": sentence, "min_value": sentence, "max_value": sentence}
    return forms.IntegerField(label=label, min_value=least, max_value=most, error_messages=messages, **options)


def build_form_field(column: "models.Field[Any, Any]", **options: Any) -> forms.Field | None:
    if isinstance(column, models.TimeField):
        return build_time_field(column.verbose_name)
    if isinstance(column, models.IntegerField):
        least = max(
            validator.limit_value for validator in column.validators if isinstance(validator, MinValueValidator)
        )
        most = min(validator.limit_value for validator in column.validators if isinstance(validator, MaxValueValidator))
        return build_number_field(column.verbose_name, least, most, required=not column.blank, **options)
    return column.formfield(**options)


class DrivePlanForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A form for a drive's plan, with visit lengths in minutes. Validation converts them to steps in `instance`."""

    site = forms.ChoiceField(label=gettext_lazy("Location"))
    step_minutes = forms.TypedChoiceField(
        label=Drive._meta.get_field("step_minutes").verbose_name,
        coerce=int,
        choices=[(minutes, format_lazy(gettext_lazy("{count} minutes"), count=minutes)) for minutes in STEP_MINUTES],
        error_messages={"invalid_choice": gettext_lazy("Choose one of the options.")},
    )
    first_screening = build_number_field(gettext_lazy("Screening minutes"), 0, 480, required=False)
    first_chair = build_number_field(gettext_lazy("Chair minutes"), 1, 480, required=False)
    return_screening = build_number_field(gettext_lazy("Screening minutes"), 0, 480, required=False)
    return_chair = build_number_field(gettext_lazy("Chair minutes"), 1, 480, required=False)
    phone = PhoneFormField(label=Drive._meta.get_field("phone").verbose_name, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Drive
        fields = [field.name for field in PLAN_FIELDS if field.name not in FORM_ONLY_FIELDS]
        formfield_callback = build_form_field
        widgets = {
            "day": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "policy": forms.RadioSelect,
        }
        help_texts = {
            "title": gettext_lazy("Donors see it as the page title."),
            "chairs": gettext_lazy("How many donors can donate at the same time."),
            "screening_stations": gettext_lazy("How many donors can be screened at the same time."),
            "goal": gettext_lazy("The dashboard compares your bookings with this goal."),
            "bring": gettext_lazy("For example: photo ID. Reminders mention it, too."),
            "grace_minutes": gettext_lazy(
                "Anyone not checked in by this long after the drive ends is marked a no-show."
            ),
        }
        error_messages = {
            "title": {"required": gettext_lazy("Enter a name for the drive.")},
            "day": {
                "required": gettext_lazy("Choose the day of the drive."),
                "invalid": gettext_lazy("Enter a date like 2027-03-14."),
            },
            "policy": {
                "required": gettext_lazy("Choose the program whose rules apply."),
                "invalid_choice": gettext_lazy("Choose a program from the list."),
            },
        }

    instance: Drive

    def __init__(self, data: Any, *, instance: Drive, now: datetime, has_bookings: bool = False) -> None:
        super().__init__(data, instance=instance, initial=_build_initial(instance))
        organization, self.now = instance.organization, now
        self.rows = range(1, max(BREAK_ROWS, len(instance.breaks)) + 1)
        self.preview: Preview | None = None
        self.sites = {
            str(site.pk): site for site in Site.objects.filter(organization=organization).order_by("name", "pk")
        }
        self.new_site = SiteForm(
            self.data or None, prefix="at", instance=plan_defaults.build_default_site(organization)
        )
        self._set_choices()
        translated_text.set_main_language(self, organization.language)
        # Add these fields here, because a copied plan may have more breaks than the form offers.
        for number in self.rows:
            self.fields[f"break_{number}_from"] = build_time_field(_("From"), required=False)
            self.fields[f"break_{number}_to"] = build_time_field(_("To"), required=False)
        for name in FROZEN_FIELDS if has_bookings else ():
            self.fields[name].disabled = True

    def _set_choices(self) -> None:
        organization = self.instance.organization
        site: forms.ChoiceField = self.fields["site"]  # type: ignore[assignment]
        site.choices = [
            *((pk, str(site_row)) for pk, site_row in self.sites.items()),
            (NEW_SITE, _("A new location") if self.sites else _("The location below")),
        ]
        site.error_messages = {
            "required": _("Choose a location."),
            "invalid_choice": _("Choose one of your locations."),
        }
        for name, rows in (
            ("cause", organization.causes.order_by(*Cause.BY_TITLE)),
            ("center", organization.centers.order_by("name", "pk")),
        ):
            self.fields[name].queryset = rows  # type: ignore[attr-defined]
            self.fields[name].empty_label = _("None")  # type: ignore[attr-defined]
        self.fields["policy"].queryset = policy_choices.list_newest_policies(organization)  # type: ignore[attr-defined]

    @property
    def zone(self) -> str:
        return self.instance.site.timezone

    @property
    def text_fields(self) -> list[forms.BoundField]:
        names = [name for name, field in self.fields.items() if isinstance(field, TranslatedFormField)]
        return [self[name] for name in names if name != "title"]

    @property
    def wants_new_site(self) -> bool:
        return str(self["site"].value()) == NEW_SITE

    @property
    def break_rows(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        return [(self[f"break_{number}_from"], self[f"break_{number}_to"]) for number in self.rows]

    @property
    def has_breaks(self) -> bool:
        return any(field.value() for row in self.break_rows for field in row)

    @property
    def has_custom_lengths(self) -> bool:
        return any(self[name].value() not in (None, "") or self[name].errors for name in VISIT_FIELDS)

    @property
    def is_stricter(self) -> bool:
        return any(self[name].value() not in (None, "") or self[name].errors for name in STRICTER_FIELDS)

    def full_clean(self) -> None:
        """Also check the whole plan, so that the form shows all problems at once.

        The action makes the same checks. A field with an error counts with its initial value.
        """
        super().full_clean()
        if self.is_bound:
            self._check_breaks()
            self._complete_plan()
            self._check_plan()

    def is_valid(self) -> bool:
        is_plan_valid = super().is_valid()
        return self.new_site.is_valid() and is_plan_valid if self.is_bound and self.wants_new_site else is_plan_valid

    def _complete_plan(self) -> None:
        self.instance.site = self._get_chosen_site()
        self.instance.breaks = list(self._list_breaks())
        for name in VISIT_FIELDS:
            setattr(self.instance, f"{name}_steps", self._compute_steps(name))

    def _check_plan(self) -> None:
        typed = self.cleaned_data
        if (policy := typed.get("policy")) and not set(STRICTER_FIELDS) & set(self.errors):
            for problem in plan_check.list_rule_problems(self.instance, policy):
                self.add_error(problem.field, plan_problems.format_problem(problem))
        if any(name not in typed for name in DAY_FIELDS):
            return
        # After field errors, show only problems of the grid fields, because invalid fields keep their old values.
        had_errors = bool(self.errors)
        self.preview = plan_check.preview_drive_plan(self.instance)
        saved_on = self.initial.get("day") if self.instance.pk else None
        day_problems = plan_check.list_day_problems(self.instance, self.now, saved_on)
        for problem in self.preview.problems or day_problems:
            if not had_errors or problem.field in GRID_FIELDS:
                self.add_error(PROBLEM_FIELDS.get(problem.field, problem.field), plan_problems.format_problem(problem))

    def _get_chosen_site(self) -> Site:
        if chosen := self.sites.get(self.cleaned_data.get("site", "")):
            return chosen
        self.new_site.is_valid()
        typed: Site = self.new_site.instance
        # The preview needs a zone even if the coordinator has not chosen one yet.
        typed.timezone = typed.timezone or "UTC"
        return typed

    def _check_breaks(self) -> None:
        for number in self.rows:
            starts, ends = self.cleaned_data.get(f"break_{number}_from"), self.cleaned_data.get(f"break_{number}_to")
            if ends and not starts and f"break_{number}_from" not in self.errors:
                self.add_error(f"break_{number}_from", _("Enter when the break begins."))
            if starts and not ends and f"break_{number}_to" not in self.errors:
                self.add_error(f"break_{number}_to", _("Enter when the break ends."))

    def _list_breaks(self) -> Iterator[list[str]]:
        for number in self.rows:
            starts, ends = self.cleaned_data.get(f"break_{number}_from"), self.cleaned_data.get(f"break_{number}_to")
            if starts and ends:
                yield [starts.isoformat(), ends.isoformat()]

    def _compute_steps(self, name: str) -> int:
        """Convert the minutes of a field to steps, rounded up.

        An empty field means the policy's minutes.
        """
        policy: Policy | None = self.cleaned_data.get("policy")
        width: int = self.instance.step_minutes
        minutes: int | None = self.cleaned_data.get(name)
        usual = policy_choices.build_visit_minutes(policy)[name] if policy else width
        # Negative floor division rounds up.
        return -(-(usual if minutes is None else minutes) // width)


def _build_initial(drive: Drive) -> dict[str, Any]:
    initial: dict[str, Any] = {"version": drive.version if drive.pk else None}
    initial["site"] = str(drive.site_id) if drive.site_id else NEW_SITE
    for number, (starts, ends) in enumerate(drive.breaks, 1):
        initial |= {f"break_{number}_from": starts[:5], f"break_{number}_to": ends[:5]}
    for name, usual in policy_choices.build_visit_minutes(drive.policy).items() if drive.policy_id else ():
        steps, width = getattr(drive, f"{name}_steps"), drive.step_minutes
        initial[name] = None if steps == -(-usual // width) else steps * width
    return initial
