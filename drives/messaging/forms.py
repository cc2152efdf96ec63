from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives.domain import localtime, reminder_times
from drives.domain.message_kinds import ScheduledKind
from drives.domain.reminder_times import EntrySettings, MessageSchedule
from drives.messaging import rules, schedule_settings
from drives.messaging.default_schedule import DEFAULT_SCHEDULE
from drives.messaging.texts.wording import TextTemplate
from drives.models import Drive
from drives.web.fields import CheckboxField
from notifications.kinds import ChannelChoice
from organizations.models import Organization
from organizations.models.organization import QUIET_FROM_HOURS, QUIET_UNTIL_HOURS

HINTS: Mapping[str, Any] = {
    ScheduledKind.BOOKED: gettext_lazy("Right away, with a calendar entry in the e-mail. We always send this."),
    ScheduledKind.WEEK: gettext_lazy("For people who book far ahead."),
    ScheduledKind.THREE_DAYS: gettext_lazy("Early enough to give the spot to someone else."),
    ScheduledKind.DAY_BEFORE: gettext_lazy(
        "With this reminder and the one three days before, fewer donors miss their visit than with either one alone."
    ),
    ScheduledKind.SAME_DAY: gettext_lazy("A last reminder that says how to cancel."),
    ScheduledKind.THANK_YOU: gettext_lazy("To everyone who came, with a link to the next date."),
    ScheduledKind.MISSED: gettext_lazy("A friendly note to people who didn’t come, with another date."),
    ScheduledKind.INVITATION: gettext_lazy(
        "To donors who agreed to news, at most twice a month, while a drive has spots."
    ),
}
# Donors without an e-mail address need a confirmation by text. An invitation uses only one channel.
UNAVAILABLE_CHANNELS: Mapping[str, ChannelChoice] = {
    ScheduledKind.BOOKED: ChannelChoice.MAIL,
    ScheduledKind.INVITATION: ChannelChoice.BOTH,
}
MAX_LEAD_DAYS = 365


def _number(label: Any, most: int) -> forms.IntegerField:
    error = gettext_lazy("Enter a whole number.")
    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    return forms.IntegerField(
        label=label,
        widget=widget,
        min_value=0,
        max_value=most,
        error_messages={"invalid": error, "required": error, "max_value": error, "min_value": error},
    )


class MessageScheduleForm(forms.Form):
    version = forms.CharField(widget=forms.HiddenInput)
    visit_day = forms.DateField(
        label=gettext_lazy("Day of the visit"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Choose a day for the preview.")},
    )
    visit_time = forms.TimeField(
        label=gettext_lazy("Time"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"required": gettext_lazy("Choose a time for the preview.")},
    )
    lead_days = _number(gettext_lazy("Days booked in advance"), MAX_LEAD_DAYS)

    def __init__(self, message_schedule: MessageSchedule, sample: Drive, data: Any = None) -> None:
        self.saved_schedule, self.sample = message_schedule, sample
        super().__init__(data, initial=_initial(message_schedule, sample))
        for kind in ScheduledKind:
            self._add_entry_fields(kind)

    def _add_entry_fields(self, kind: ScheduledKind) -> None:
        channel_choices = [choice for choice in ChannelChoice.choices if choice[0] != UNAVAILABLE_CHANNELS.get(kind)]
        self.fields[f"{kind}-channel_choice"] = forms.ChoiceField(label=_("How"), choices=channel_choices)
        # The confirmation cannot be turned off.
        if kind != ScheduledKind.BOOKED:
            self.fields[f"{kind}-is_enabled"] = CheckboxField(label=kind.label, required=False)
        if kind in (ScheduledKind.WEEK, ScheduledKind.THREE_DAYS):
            self.fields[f"{kind}-days"] = _number(_("Days before"), 999)
        if kind == ScheduledKind.SAME_DAY:
            self.fields[f"{kind}-hours"] = _number(_("Hours before"), 999)

    @property
    def entries(self) -> list[dict[str, Any]]:
        return [{"kind": kind, "hint": HINTS[kind], **self._get_entry_fields(kind)} for kind in ScheduledKind]

    def _get_entry_fields(self, kind: ScheduledKind) -> dict[str, Any]:
        names = {part: f"{kind}-{part}" for part in ("is_enabled", "days", "hours", "channel_choice")}
        return {part: self[name] for part, name in names.items() if name in self.fields}

    @property
    def message_schedule(self) -> MessageSchedule:
        typed = {kind: self._build_entry(kind) for kind in ScheduledKind.values}
        return reminder_times.normalize_schedule(typed, DEFAULT_SCHEDULE)

    def _build_entry(self, kind: str) -> EntrySettings:
        typed, saved = self.cleaned_data, self.saved_schedule[kind]
        return replace(
            saved,
            channel_choice=typed[f"{kind}-channel_choice"],
            is_enabled=typed.get(f"{kind}-is_enabled", True),
            days=typed.get(f"{kind}-days", saved.days),
            hours=typed.get(f"{kind}-hours", saved.hours),
        )

    @property
    def slot(self) -> tuple[datetime, datetime]:
        typed = getattr(self, "cleaned_data", {})
        day, wall_time = (
            typed.get("visit_day") or self.initial["visit_day"],
            typed.get("visit_time") or self.initial["visit_time"],
        )
        lead = typed.get("lead_days", self.initial["lead_days"])
        starts_at = datetime.combine(day, wall_time, self.sample.site.zone)
        return starts_at, starts_at - timedelta(days=lead)

    def clean(self) -> dict[str, Any]:
        if not self.errors:
            for problem in reminder_times.find_schedule_problems(self.message_schedule):
                self.add_error(f"{problem.kind}-{problem.field}", ValidationError(problem.detail, code=problem.code))
        return self.cleaned_data


def _initial(message_schedule: MessageSchedule, sample: Drive) -> dict[str, Any]:
    local = sample.starts_at.astimezone(sample.site.zone)
    initial: dict[str, Any] = {
        "version": reminder_times.compute_schedule_fingerprint(message_schedule),
        "visit_day": local.date(),
        "visit_time": local.time(),
    }
    for kind, entry in message_schedule.items():
        initial |= {
            f"{kind}-{part}": getattr(entry, part) for part in ("is_enabled", "channel_choice", "days", "hours")
        }
    return {**initial, "lead_days": 14}


class CustomTextForm(forms.Form):
    version = forms.CharField(widget=forms.HiddenInput)
    text = forms.CharField(
        label=gettext_lazy("Text message"),
        required=False,
        max_length=rules.MAX_CUSTOM_TEXT_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off"}),
    )
    opening = forms.CharField(
        label=gettext_lazy("Opening line of the e-mail"),
        required=False,
        max_length=600,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.needed = True  # type: ignore[attr-defined]  # not marked "optional", because an empty text means the default

    def build_template(self, default: TextTemplate) -> TextTemplate:
        """Return the typed texts.

        A text that equals the default becomes "", so that later changes of the default apply.
        """
        typed = {name: " ".join(self.data.get(name, "").split()) for name in ("text", "opening")}
        return TextTemplate(**{name: "" if text == getattr(default, name) else text for name, text in typed.items()})


class SendingForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    class Meta:
        model = Organization
        fields = schedule_settings.SENDING_FIELDS
        labels = {
            "quiet_until_hour": gettext_lazy("Earliest hour for texts"),
            "quiet_from_hour": gettext_lazy("Latest hour for texts"),
            "messages_per_day": gettext_lazy("Maximum texts per day"),
            "codes_per_day": gettext_lazy("Maximum codes per day"),
            "sms_price": gettext_lazy("Price per segment"),
            "sms_currency": gettext_lazy("Currency"),
        }
        help_texts = {
            "messages_per_day": gettext_lazy(
                "Every text counts. When the limit is reached, reminders wait until the next day. Enter 0 for no limit."
            ),
            "codes_per_day": gettext_lazy(
                "Codes that people request on your pages count. This limits how much fraud can cost you."
            ),
            "sms_price": gettext_lazy("Your provider’s price and the carriers’ fee, for example 0.0083 + 0.0035."),
            "sms_currency": gettext_lazy("Three letters, for example USD."),
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["quiet_until_hour"] = _hour(self.fields["quiet_until_hour"], QUIET_UNTIL_HOURS)
        self.fields["quiet_from_hour"] = _hour(self.fields["quiet_from_hour"], QUIET_FROM_HOURS)

    def clean_sms_price(self) -> Any:
        price = self.cleaned_data["sms_price"]
        if price < 0:
            raise ValidationError(_("The price can’t be negative."), code="price_negative")
        return price

    def clean_sms_currency(self) -> str:
        currency = str(self.cleaned_data["sms_currency"]).upper()
        if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
            raise ValidationError(_("Enter three letters, for example USD."), code="currency_unknown")
        return currency

    def clean(self) -> dict[str, Any]:
        typed: dict[str, Any] = super().clean() or {}
        first, last = typed.get("quiet_until_hour"), typed.get("quiet_from_hour")
        if first is not None and last is not None and first >= last:
            self.add_error(
                "quiet_from_hour",
                ValidationError(_("Choose an hour later than the earliest hour for texts."), "no_hours_left"),
            )
        return typed


def _hour(field: forms.Field, hours: range) -> forms.TypedChoiceField:
    choices = [(number, localtime.format_hour(number)) for number in hours]
    return forms.TypedChoiceField(label=field.label, choices=choices, coerce=int)
