"""Pages where donors download or erase their own data, after this browser has verified their contact."""

from collections.abc import Sequence
from typing import TypeAlias

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from drives.booking import known_people
from drives.privacy import erase as privacy_erase
from drives.privacy import export_file
from drives.privacy.erase import ErasureReason
from drives.web import redirects, visitor
from drives.web.fields import CheckboxField
from volunteers.models import Volunteer

KnownRecord: TypeAlias = tuple[Volunteer, str]  # and a title that distinguishes people with the same name


class EraseMyDataForm(forms.Form):
    records = forms.MultipleChoiceField(
        label=_("Who should erase your data?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one organization.")},
    )
    sure = CheckboxField(
        label=_("Permanently erase everything about me"),
        error_messages={"required": _("Check the box to confirm. This can’t be undone.")},
    )

    def __init__(self, records: Sequence[KnownRecord], *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        field = self.fields["records"]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(str(record.pk), f"{record.organization.name} ({title})") for record, title in records]
        if len(records) == 1:
            field.initial = [str(records[0][0].pk)]


@never_cache
@require_safe
def show_my_data(request: HttpRequest) -> HttpResponse:
    records = _list_records(request)
    return (
        render(request, "drives/privacy/donor_data.html", {"records": records}) if records else redirect("find_booking")
    )


@never_cache
@require_safe
def download_my_data(request: HttpRequest, volunteer_id: int) -> HttpResponse:
    for record, _title in _list_records(request):
        if record.pk == volunteer_id:
            return export_file.build_export_response(record, timezone.now())
    raise Http404


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def erase_my_data(request: HttpRequest) -> HttpResponse:
    records = _list_records(request)
    if not records:
        return redirect("find_booking")
    form = EraseMyDataForm(records, request.POST if request.method == "POST" else None)
    if form.is_valid():
        chosen = [int(pk) for pk in form.cleaned_data["records"]]
        try:
            privacy_erase.erase_volunteers(
                volunteer_ids=chosen, reason=ErasureReason.ASKED, actor="donor", now=timezone.now()
            )
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            return redirects.redirect_after_post("donor_data_erased")
    status = 422 if form.errors else 200
    return render(request, "drives/privacy/donor_data_erase.html", {"form": form}, status=status)


@require_safe
def show_my_data_erased(request: HttpRequest) -> HttpResponse:
    return render(request, "drives/privacy/donor_data_erased.html")


def _list_records(request: HttpRequest) -> list[KnownRecord]:
    people = known_people.list_known_people(visitor.read_browser_token(request), timezone.now())
    return [(record, person.title) for person in people if person.is_contact_owner for record in person.records]
