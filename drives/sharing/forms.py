from django import forms
from django.utils.translation import gettext_lazy as _

from drives.models import ShareLink


class ShareLinkForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    use_required_attribute = False

    class Meta:
        model = ShareLink
        fields = ("name",)
        labels = {"name": _("Name for the link")}
        help_texts = {"name": _("The recruiter, or where you post it. For example: Ben, or the library.")}
        error_messages = {"name": {"required": _("Enter a name for the link.")}}
