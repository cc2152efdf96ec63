from django import forms
from django.utils.translation import gettext_lazy as _

from drives.privacy.erase import ErasureReason
from drives.web.fields import CheckboxField
from organizations.models.organization import MAX_RETENTION_MONTHS, MIN_RETENTION_MONTHS


class EraseForm(forms.Form):
    because = forms.ChoiceField(
        label=_("Why?"),
        choices=[(one.value, one.label) for one in (ErasureReason.ASKED, ErasureReason.MISTAKE)],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose why.")},
    )
    sure = CheckboxField(
        label=_("Erase this person’s data for good"),
        error_messages={"required": _("Check the box to confirm. This can’t be undone.")},
    )


class RevokeLinksForm(forms.Form):
    sure = CheckboxField(
        label=_("Revoke all links"),
        error_messages={"required": _("Check the box to confirm. This can’t be undone.")},
    )


class RetentionForm(forms.Form):
    months = forms.IntegerField(
        label=_("Months after the last contact"),
        min_value=MIN_RETENTION_MONTHS,
        max_value=MAX_RETENTION_MONTHS,
        help_text=_("From 3 to 120. A visit, a booking, a text or a sign-in counts as contact."),
    )
