import hashlib
import json
from datetime import datetime, time
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from drives.messaging.broadcast_queries import SELECTABLE_STATES, Audience
from drives.messaging.broadcasts import BroadcastDraft
from drives.models import EXPECTED_STATES, Drive
from notifications.models import Purpose

PURPOSES = [
    (Purpose.REMINDERS, gettext_lazy("About this visit: something people need to know for that day")),
    (Purpose.NEWS, gettext_lazy("News, such as other dates: only for people who agreed to news")),
]
MAX_TYPED_CHARACTERS = 500


class BroadcastForm(forms.Form):
    """The draft of a broadcast.

    `seen` is the fingerprint of the previewed draft. A draft with another fingerprint must be previewed again.
    """

    states = forms.MultipleChoiceField(
        label=gettext_lazy("Recipients"),
        choices=[(state.value, state.label) for state in SELECTABLE_STATES],
        widget=forms.CheckboxSelectMultiple,
        initial=[state.value for state in EXPECTED_STATES],
        error_messages={"required": gettext_lazy("Choose who gets this message.")},
    )
    from_time = forms.TimeField(
        label=gettext_lazy("Arriving at or after"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("Enter a time, for example 10:30.")},
    )
    until_time = forms.TimeField(
        label=gettext_lazy("Arriving before"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        error_messages={"invalid": gettext_lazy("Enter a time, for example 10:30.")},
    )
    purpose = forms.ChoiceField(
        label=gettext_lazy("What is the message about?"),
        choices=PURPOSES,
        widget=forms.RadioSelect,
        initial=Purpose.REMINDERS,
        error_messages={"required": gettext_lazy("Tell us what the message is about.")},
    )
    request_key = forms.CharField(widget=forms.HiddenInput, max_length=32)
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    typed_count = forms.IntegerField(
        label=gettext_lazy("Type this number to send the message"),
        required=False,
        min_value=0,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": gettext_lazy("Enter the number of people.")},
    )

    def __init__(self, drive: Drive, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.drive = drive
        self.fields["typed_count"].needed = True  # type: ignore[attr-defined]  # the form requires it only after the preview
        home_language = drive.organization.language
        names = sorted(settings.LANGUAGES, key=lambda language: language[0] != home_language)
        # The organization's language comes first and is the only required one.
        for position, (code, name) in enumerate(names):
            self.fields[f"text_{code}"] = forms.CharField(
                label=_("Message") if not position else _("The same message in %(language)s") % {"language": name},
                required=not position,
                max_length=MAX_TYPED_CHARACTERS,
                widget=forms.Textarea(attrs={"rows": 3, "lang": code}),
                error_messages={"required": _("Write the message.")},
            )
        self.languages = [code for code, _name in names]

    def clean(self) -> dict[str, Any]:
        since, until = self.cleaned_data.get("from_time"), self.cleaned_data.get("until_time")
        if since and until and until <= since:
            self.add_error("until_time", _("Choose a time later than the first one."))
        return self.cleaned_data

    @property
    def text_fields(self) -> list[forms.BoundField]:
        return [self[f"text_{code}"] for code in self.languages]

    def draft(self) -> BroadcastDraft:
        typed = self.cleaned_data
        texts = {code: typed[f"text_{code}"] for code in self.languages if typed[f"text_{code}"].strip()}
        audience = Audience(tuple(typed["states"]), self._at(typed["from_time"]), self._at(typed["until_time"]))
        return BroadcastDraft(texts, audience, typed["purpose"])

    def fingerprint(self) -> str:
        draft = self.draft()
        shown = [dict(draft.texts), *draft.audience.states, draft.audience.from_at, draft.audience.until_at]
        # `default=str` converts the audience's times.
        return hashlib.sha256(json.dumps([*shown, draft.purpose], default=str).encode()).hexdigest()

    def _at(self, local: time | None) -> datetime | None:
        return datetime.combine(self.drive.day, local, self.drive.site.zone) if local else None
