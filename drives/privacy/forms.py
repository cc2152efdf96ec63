"""Forms about who is kept, and for how long."""

from django import forms
from django.utils.translation import gettext_lazy as _

from drives.privacy.erase import Because
from organizations.models.organization import RETENTION_LEAST, RETENTION_MOST


class EraseForm(forms.Form):
    """Why, and that it is meant."""

    because = forms.ChoiceField(
        label=_("Why?"),
        choices=[(one.value, one.label) for one in (Because.ASKED, Because.MISTAKE)],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose why.")},
    )
    sure = forms.BooleanField(
        label=_("Erase this person for good"),
        error_messages={"required": _("Tick the box: this cannot be undone.")},
    )


class RetentionForm(forms.Form):
    """How long somebody is kept who is not heard of."""

    months = forms.IntegerField(
        label=_("Months after the last contact"),
        min_value=RETENTION_LEAST,
        max_value=RETENTION_MOST,
        help_text=_("From 3 to 120. A visit, a booking, a text or a sign-in counts as contact."),
    )
