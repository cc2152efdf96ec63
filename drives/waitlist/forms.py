"""The form for a waitlist request, on donors' and coordinators' pages."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives.domain import localtime
from drives.models import Drive, Visit, WaitlistEntry
from drives.waitlist import rules
from drives.waitlist.entries import WaitlistRequest

HOUR = timedelta(hours=1)


class WaitlistRequestForm(forms.Form):
    """The visit type and the arrival times in full hours. An empty hour means no limit."""

    use_required_attribute = False

    visit = forms.ChoiceField(
        label=gettext_lazy("Have you given plasma before?"),
        choices=[(Visit.RETURN, gettext_lazy("Yes")), (Visit.FIRST, gettext_lazy("First time"))],
        widget=forms.RadioSelect,
    )
    since = forms.ChoiceField(label=gettext_lazy("I can arrive at or after"), required=False)
    until = forms.ChoiceField(label=gettext_lazy("I need to start before"), required=False)

    def __init__(self, drive: Drive, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.hours = {_format_hour(hour): hour for hour in _list_full_hours(drive)}
        choices = [(value, localtime.format_time(hour, drive.site.timezone)) for value, hour in self.hours.items()]
        self._set_choices("since", _("any time"), choices[:-1])
        self._set_choices("until", _("any time"), choices[1:])

    def _set_choices(self, name: str, empty: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = [("", empty), *choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        typed = super().clean() or {}
        try:
            rules.parse_arrival_window(*self._parse_hours(typed))
        except ValidationError as empty:
            self.add_error("until", empty.error_dict["to"])
        return typed

    def _parse_hours(self, typed: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
        return self.hours.get(typed.get("since", "")), self.hours.get(typed.get("until", ""))

    @property
    def waitlist_request(self) -> WaitlistRequest:
        typed = self.cleaned_data
        return WaitlistRequest(typed["visit"], rules.parse_arrival_window(*self._parse_hours(typed)))


def build_initial(entry: WaitlistEntry) -> dict[str, str]:
    since, until = entry.window_from, entry.window_to
    return {
        "visit": entry.visit,
        "since": _format_hour(since) if since else "",
        "until": _format_hour(until) if until else "",
    }


def _list_full_hours(drive: Drive) -> Iterator[datetime]:
    # Use full hours in local time, because some zones are half an hour off UTC.
    local = drive.starts_at.astimezone(drive.site.zone)
    yield drive.starts_at
    hour = drive.starts_at + timedelta(minutes=60 - local.minute)
    while hour < drive.ends_at:
        yield hour
        hour += HOUR
    yield drive.ends_at


def _format_hour(hour: datetime) -> str:
    return f"{int(hour.timestamp())}"
