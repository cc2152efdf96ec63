"""Which visit and which hours somebody waits for: the choices of a drive, on donors' and coordinators' pages."""

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
    """The kind of visit, and between which full hours somebody can come. Empty hours are any time."""

    use_required_attribute = False

    visit = forms.ChoiceField(
        label=gettext_lazy("Have you given plasma before?"),
        choices=[(Visit.RETURN, gettext_lazy("Yes")), (Visit.FIRST, gettext_lazy("First time"))],
        widget=forms.RadioSelect,
    )
    since = forms.ChoiceField(label=gettext_lazy("I can come from"), required=False)
    until = forms.ChoiceField(label=gettext_lazy("and start before"), required=False)

    def __init__(self, drive: Drive, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.hours = {_format_hour(hour): hour for hour in _list_full_hours(drive)}
        shown = [(value, localtime.format_time(hour, drive.site.timezone)) for value, hour in self.hours.items()]
        self._offer("since", _("any time"), shown[:-1])
        self._offer("until", _("any time"), shown[1:])

    def _offer(self, name: str, empty: str, shown: list[tuple[str, str]]) -> None:
        self.fields[name].choices = [("", empty), *shown]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The second hour lies after the first."""
        typed = super().clean() or {}
        try:
            rules.parse_arrival_window(*self._hours(typed))
        except ValidationError as empty:
            self.add_error("until", empty.error_dict["to"])
        return typed

    def _hours(self, typed: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
        return self.hours.get(typed.get("since", "")), self.hours.get(typed.get("until", ""))

    @property
    def waitlist_request(self) -> WaitlistRequest:
        """What was chosen; the form is valid."""
        typed = self.cleaned_data
        return WaitlistRequest(typed["visit"], rules.parse_arrival_window(*self._hours(typed)))


def build_initial(entry: WaitlistEntry) -> dict[str, str]:
    """What somebody waits for, as the form's first values."""
    since, until = entry.window_from, entry.window_to
    return {
        "visit": entry.visit,
        "since": _format_hour(since) if since else "",
        "until": _format_hour(until) if until else "",
    }


def _list_full_hours(drive: Drive) -> Iterator[datetime]:
    """Opening, every full hour at the site, and closing."""
    local = drive.starts_at.astimezone(drive.site.zone)
    yield drive.starts_at
    hour = drive.starts_at + timedelta(minutes=60 - local.minute)
    while hour < drive.ends_at:
        yield hour
        hour += HOUR
    yield drive.ends_at


def _format_hour(hour: datetime) -> str:
    return f"{int(hour.timestamp())}"
