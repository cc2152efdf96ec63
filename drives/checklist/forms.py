from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from drives.models import ChecklistCheck, ChecklistItem
from drives.planning.forms_sites import RecordForm

_TITLE_HELP = _("What to do, in a few words.")
_DAYS_HELP = _("The task is due this many days before the drive. Enter 0 for the day of the drive.")
_ERRORS: dict[str, Any] = {
    "title": {"required": _("Enter the task.")},
    "days": {
        "required": _("Enter the number of days before the drive."),
        "invalid": _("Enter a whole number of days."),
        "min_value": _("Enter 0 or more days."),
        "max_value": _("Enter at most %(limit_value)s days."),
    },
}


class OwnTaskForm(RecordForm):
    class Meta:
        model = ChecklistItem
        fields = ("title", "days")
        help_texts = {"title": _TITLE_HELP, "days": _DAYS_HELP}
        error_messages = _ERRORS


class CheckField(forms.ChoiceField):
    """A choice field without the label "optional". The empty option means that a coordinator checks off the task."""

    needed = True


class TemplateTaskForm(RecordForm):
    check_kind = CheckField(
        label=_("Who checks it off"),
        help_text=_("If the service checks off a task, you can’t check it off by hand."),
        choices=[
            ("", _("A coordinator, by hand")),
            (_("The service, as soon as this is true"), ChecklistCheck.choices),
        ],
        required=False,
    )

    class Meta:
        model = ChecklistItem
        fields = ("title", "days", "check_kind")
        help_texts = {"title": _TITLE_HELP, "days": _DAYS_HELP}
        error_messages = _ERRORS
