"""The form behind a drive: when, where, by which rules, with how many places."""

from collections.abc import Iterable, Iterator
from datetime import time
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives.domain import plan as domain_plan
from drives.domain.plan import Plan, Preview
from drives.eligibility import policy_choices
from drives.models import Collector, Policy, Site
from drives.planning import plan as planning_plan
from drives.planning import problems
from drives.planning.forms_sites import SiteForm
from drives.web.fields import PhoneField
from organizations.models import Cause, Organization

BREAK_ROWS = 3
NEW_SITE = "new"
VISIT_FIELDS = ("first_screening", "first_chair", "return_screening", "return_chair")
# Where a refusal of the grid stands in this form.
FIELDS = {"breaks": "break_1_from", "first": "first_chair", "returning": "return_chair", "zone": "site"}
DAY = ("on", "opens", "closes")
STRICTER = ("stricter_hours", "stricter_days", "stricter_count", "stricter_count_days")
SAME_IN_PLAN = (
    *DAY,
    "title",
    "description",
    "description_es",
    "bring",
    "bring_es",
    "phone",
    "goal",
    "chairs",
    "screening_places",
    "step_minutes",
    "grace_minutes",
    *STRICTER,
)
ABOUT_THE_DAY = (*DAY, "breaks")
STAND_INS: dict[str, Any] = {"policy": None, "cause": None, "collector": None, "step_minutes": 5} | {
    "chairs": 1,
    "screening_places": 1,
    "grace_minutes": 60,
}
FROZEN = ("on", "opens", "closes", "site", "step_minutes")


def time_field(label: Any, **options: Any) -> forms.TimeField:
    """A time of day, 24 hours on the wire whatever the browser shows."""
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    sentence = format_lazy(gettext_lazy("{label}: write a time such as 09:00."), label=label)
    messages = {"required": sentence, "invalid": sentence}
    return forms.TimeField(label=label, widget=widget, error_messages=messages, **options)


def number_field(label: Any, least: int, most: int, **options: Any) -> forms.IntegerField:
    """A whole number within bounds, said in one sentence when it is not."""
    words = gettext_lazy("{label}: write a whole number from {least} to {most}.")
    sentence = format_lazy(words, label=label, least=least, most=most)
    messages = {"required": sentence, "invalid": sentence, "min_value": sentence, "max_value": sentence}
    return forms.IntegerField(label=label, min_value=least, max_value=most, error_messages=messages, **options)


STEPS = (5, 10, 15, 20, 30, 60)


def step_choices(steps: Iterable[int]) -> list[tuple[int, Any]]:
    return [(minutes, format_lazy(gettext_lazy("{count} minutes"), count=minutes)) for minutes in steps]


class PlanForm(forms.Form):
    """A drive as a coordinator thinks of it: times of day and minutes; `plan` turns them into steps."""

    title = forms.CharField(
        label=gettext_lazy("Name of the drive"),
        max_length=120,
        help_text=gettext_lazy("Donors see it as the title of the page."),
        error_messages={"required": gettext_lazy("Write the name of the drive.")},
    )
    on = forms.DateField(
        label=gettext_lazy("Day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={
            "required": gettext_lazy("Choose the day of the drive."),
            "invalid": gettext_lazy("Write a day such as 2027-03-14."),
        },
    )
    opens = time_field(gettext_lazy("Opens"))
    closes = time_field(gettext_lazy("Closes"))
    site = forms.ChoiceField(label=gettext_lazy("Place"))
    policy = forms.ModelChoiceField(
        label=gettext_lazy("Donation program"),
        queryset=Policy.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={
            "required": gettext_lazy("Choose the program whose rules apply."),
            "invalid_choice": gettext_lazy("Choose a program from the list."),
        },
    )
    chairs = number_field(gettext_lazy("Chairs"), 1, 500, help_text=gettext_lazy("Donors at a time."))
    screening_places = number_field(
        gettext_lazy("Screening places"), 0, 500, help_text=gettext_lazy("Donors at a time.")
    )
    step_minutes = forms.TypedChoiceField(
        label=gettext_lazy("A new arrival time every"),
        coerce=int,
        choices=step_choices(STEPS),
        error_messages={"invalid_choice": gettext_lazy("Choose one of the steps.")},
    )
    first_screening = number_field(gettext_lazy("Minutes of screening"), 0, 480, required=False)
    first_chair = number_field(gettext_lazy("Minutes in the chair"), 1, 480, required=False)
    return_screening = number_field(gettext_lazy("Minutes of screening"), 0, 480, required=False)
    return_chair = number_field(gettext_lazy("Minutes in the chair"), 1, 480, required=False)
    stricter_hours = number_field(gettext_lazy("Hours between donations"), 1, 9999, required=False)
    stricter_days = number_field(gettext_lazy("Days between donations"), 1, 366, required=False)
    stricter_count = number_field(gettext_lazy("At most so many donations"), 1, 366, required=False)
    stricter_count_days = number_field(gettext_lazy("in so many days"), 1, 366, required=False)
    goal = number_field(
        gettext_lazy("Goal of donations"),
        1,
        5000,
        required=False,
        help_text=gettext_lazy("The desk compares with it."),
    )
    cause = forms.ModelChoiceField(
        label=gettext_lazy("Cause"), queryset=Cause.objects.none(), required=False, empty_label=gettext_lazy("None")
    )
    collector = forms.ModelChoiceField(
        label=gettext_lazy("Center that takes the plasma"),
        queryset=Collector.objects.none(),
        required=False,
        empty_label=gettext_lazy("None"),
    )
    description = forms.CharField(
        label=gettext_lazy("What donors should know"),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
        required=False,
    )
    description_es = forms.CharField(
        label=gettext_lazy("The same in Spanish"),
        widget=forms.Textarea(attrs={"rows": 4, "lang": "es"}),
        max_length=4000,
        required=False,
        help_text=gettext_lazy("Left empty, everybody reads the other one."),
    )
    bring = forms.CharField(
        label=gettext_lazy("What to bring"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("For example: photo ID. It stands in reminders, too."),
    )
    bring_es = forms.CharField(
        label=gettext_lazy("What to bring, in Spanish"),
        widget=forms.TextInput(attrs={"lang": "es"}),
        max_length=200,
        required=False,
    )
    phone = PhoneField(label=gettext_lazy("Phone number for questions"), required=False)
    grace_minutes = number_field(
        gettext_lazy("Minutes until the report"),
        0,
        1440,
        initial=60,
        help_text=gettext_lazy("So long after the end, whoever has not come is marked as missed."),
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, organization: Organization, *args: Any, booked: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.rows = range(1, max(BREAK_ROWS, len(self.initial.get("breaks", ()))) + 1)
        self.preview: Preview | None = None
        self.zone = ""
        self.sites = {
            str(site.pk): site for site in Site.objects.filter(organization=organization).order_by("name", "pk")
        }
        self.new_site = SiteForm(self.data or None, prefix="at", instance=Site(organization=organization))
        self._offer(organization)
        for number in self.rows:
            self.fields[f"break_{number}_from"] = time_field(_("From"), required=False)
            self.fields[f"break_{number}_to"] = time_field(_("To"), required=False)
        for name in FROZEN if booked else ():
            self.fields[name].disabled = True

    def _offer(self, organization: Organization) -> None:
        """The choices of this organization; a stranger's site or cause is none of them."""
        site: forms.ChoiceField = self.fields["site"]  # type: ignore[assignment]
        site.choices = [
            *((pk, str(place)) for pk, place in self.sites.items()),
            (NEW_SITE, _("A new place") if self.sites else _("The place below")),
        ]
        site.error_messages = {"required": _("Choose a place."), "invalid_choice": _("Choose one of your places.")}
        for name, rows in (
            ("cause", Cause.objects.order_by("title", "pk")),
            ("collector", Collector.objects.order_by("name", "pk")),
        ):
            self.fields[name].queryset = rows.filter(organization=organization)  # type: ignore[attr-defined]
        self.fields["policy"].queryset = policy_choices.policies(organization)  # type: ignore[attr-defined]
        # The API plans in other steps, too: such a drive keeps its own.
        steps = sorted({*STEPS, self.initial.get("step_minutes", STEPS[0])})
        self.fields["step_minutes"].choices = step_choices(steps)  # type: ignore[attr-defined]

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
    def has_own_lengths(self) -> bool:
        return any(self[name].value() not in (None, "") or self[name].errors for name in VISIT_FIELDS)

    @property
    def is_stricter(self) -> bool:
        return any(self[name].value() not in (None, "") or self[name].errors for name in STRICTER)

    def clean(self) -> dict[str, Any]:
        """Judge the whole plan as the action will: everything that is wrong is said at once."""
        self._check_breaks()
        if policy := self.cleaned_data.get("policy"):
            for problem in planning_plan.looser(self.plan(), policy):
                self.add_error(problem.field, problems.in_words(problem))
        if all(name in self.cleaned_data for name in DAY):
            self._judge()
        return self.cleaned_data

    def is_valid(self) -> bool:
        """A new place has to be complete, too."""
        own = super().is_valid()
        return self.new_site.is_valid() and own if self.is_bound and self.wants_new_site else own

    def plan(self, site_id: int = 0) -> Plan:
        """The plan for the actions, in steps. On a form with errors, harmless values stand in for what is wrong."""
        typed: dict[str, Any] = {**STAND_INS, **self.cleaned_data}
        cause, collector, policy = typed["cause"], typed["collector"], typed["policy"]
        steps: dict[str, Any] = {f"{name}_steps": self._steps(name) for name in VISIT_FIELDS}
        same: dict[str, Any] = {name: typed.get(name) for name in SAME_IN_PLAN}
        return Plan(
            site_id=site_id,
            policy_id=policy.pk if policy else 0,
            cause_id=cause.pk if cause else None,
            collector_id=collector.pk if collector else None,
            breaks=tuple(self._breaks()),
            **steps,
            **same,
        )

    def _judge(self) -> None:
        had_errors, self.zone = bool(self.errors), self._zone()
        self.preview = domain_plan.preview(plan=self.plan(), zone=self.zone)
        for problem in self.preview.problems:
            if not had_errors or problem.field in ABOUT_THE_DAY:
                self.add_error(FIELDS.get(problem.field, problem.field), problems.in_words(problem))

    def _zone(self) -> str:
        chosen = self.sites.get(self.cleaned_data.get("site", ""))
        if chosen:
            return chosen.timezone
        self.new_site.is_valid()
        typed: str = self.new_site.cleaned_data.get("timezone", "")
        return typed or "UTC"

    def _check_breaks(self) -> None:
        for number in self.rows:
            starts, ends = self.cleaned_data.get(f"break_{number}_from"), self.cleaned_data.get(f"break_{number}_to")
            if ends and not starts and f"break_{number}_from" not in self.errors:
                self.add_error(f"break_{number}_from", _("Say when the break begins."))
            if starts and not ends and f"break_{number}_to" not in self.errors:
                self.add_error(f"break_{number}_to", _("Say when the break ends."))

    def _breaks(self) -> Iterator[tuple[time, time]]:
        for number in self.rows:
            starts, ends = self.cleaned_data.get(f"break_{number}_from"), self.cleaned_data.get(f"break_{number}_to")
            if starts and ends:
                yield starts, ends

    def _steps(self, name: str) -> int:
        """Minutes as whole steps, rounded up; the program's where none were typed."""
        typed: dict[str, Any] = {**STAND_INS, **self.cleaned_data}
        policy, width, minutes = typed["policy"], int(typed["step_minutes"]), typed.get(name)
        usual = policy_choices.policy_minutes(policy)[name] if policy else width
        return -(-int(usual if minutes is None else minutes) // width)
