"""Pages to change a donor's details in every organization: name, language, contacts, consents and calendar."""

from functools import partial
from typing import Any, Final
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from drives.account import profile
from drives.account.views_find import FindForm
from drives.booking import known_people
from drives.booking.known_people import KnownPerson
from drives.messaging import views_consents
from drives.web import choices, code_page, form_errors, redirects, visitor
from drives.web.code_page import CodeForm
from drives.web.fields import NameField
from drives.web.pending_input import PendingInput
from notifications.models import Purpose
from volunteers import consent as volunteers_consent
from volunteers import queries as volunteers_queries
from volunteers.models import Volunteer

PENDING_CONTACT: Final = PendingInput("contact", count=2)
CONTACT_KINDS: Final = ("phone", "email")


class NameForm(forms.Form):
    use_required_attribute = False

    name = NameField(label=_("Your name"))
    language = forms.ChoiceField(label=_("Language of messages"), choices=lambda: settings.LANGUAGES)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit_details(request: HttpRequest, record: UUID) -> HttpResponse:
    person = _get_person_or_404(request, record)
    if request.method != "POST":
        initial = {"name": person.name, "language": person.records[0].language}
        return _render_details(request, person, NameForm(initial=initial))
    form = NameForm(request.POST)
    if form.is_valid():
        try:
            profile.save_details(people=person.records, now=timezone.now(), **form.cleaned_data)
        except ValidationError as problem:
            form.add_error(None, problem)
            page = _render_details(request, person, form, form_errors.compute_http_status(problem))
            return form_errors.add_retry_after(page, problem)
        else:
            messages.success(request, _("Your details have been saved."))
            return _redirect_to(person)
    return _render_details(request, person, form, 422)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def edit_contact(request: HttpRequest, record: UUID) -> HttpResponse:
    person = _get_person_or_404(request, record)
    form = FindForm(request.POST if request.method == "POST" else None)
    browser = visitor.read_browser_token(request)
    if form.is_valid():
        try:
            address = profile.request_contact_code(
                organization=person.records[-1].organization,
                typed=form.cleaned_data["contact"],
                language=translation.get_language() or "",
                browser=browser,
                bound_to=visitor.compute_browser_digest(browser),
                ip=visitor.find_ip_address(request),
                now=timezone.now(),
            )
        except ValidationError as problem:
            form.add_error(None, problem)
            page = _render_contact_page(request, person, form, form_errors.compute_http_status(problem))
            return form_errors.add_retry_after(page, problem)
        response = _redirect_to(person, "donor_contact_code")
        PENDING_CONTACT.save(response, response["Location"], address, form.cleaned_data["contact"])
        return response
    return _render_contact_page(request, person, form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify_new_contact(request: HttpRequest, record: UUID) -> HttpResponse:
    person, pending = _get_person_or_404(request, record), PENDING_CONTACT.read(request)
    if pending is None:
        return _redirect_to(person, "donor_contact")
    address, typed = pending

    def show(form: CodeForm, problem: ValidationError | None = None) -> HttpResponse:
        page = code_page.build_contact_code_page(
            request,
            typed=typed,
            identity=volunteers_queries.compute_contact_identity(address),
            texting_number=volunteers_queries.get_texting_number(person.records[-1].organization),
        )
        return code_page.render_code_page(
            request, "drives/account/contact_code.html", page, form, problem, {"person": person}
        )

    def confirm(_result: None) -> HttpResponse:
        messages.success(
            request,
            _(
                "We’ll use the new phone number or e-mail address from now on. Check which messages you want to get"
                " there."
            ),
        )
        return _redirect_to(person)

    if request.method != "POST":
        return show(CodeForm())
    return code_page.handle_code_form(
        request, partial(profile.save_verified_contact, people=person.records, address=address), confirm, show
    )


@never_cache
@require_POST
def change_consent(request: HttpRequest, record: UUID) -> HttpResponse:
    person = _get_person_or_404(request, record)
    volunteer = _get_record(person, record)
    kind = choices.read_choice(request, "contact", CONTACT_KINDS)
    purpose = choices.read_choice(request, "purpose", Purpose.values)
    if getattr(volunteer, kind) is None:
        return _redirect_to(person)
    try:
        views_consents.turn_consent_on_or_off(request, volunteer, getattr(volunteer, kind), purpose)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    return _redirect_to(person, fragment=f"agreed-{volunteer.pk}")


@never_cache
@require_POST
def renew_donor_feed(request: HttpRequest, record: UUID) -> HttpResponse:
    person = _get_person_or_404(request, record)
    volunteers_consent.renew_feed_link(volunteer_id=_get_record(person, record).pk)
    messages.success(
        request, _("Your calendar has a new link. The old one no longer works, so please subscribe again.")
    )
    return _redirect_to(person)


def _get_person_or_404(request: HttpRequest, record: UUID) -> KnownPerson:
    """Return the person with this volunteer record.

    Raises a 404 unless this browser has verified one of the person's own contacts.
    """
    for person in known_people.list_known_people(visitor.read_browser_token(request), timezone.now()):
        if person.is_contact_owner and any(volunteer.uuid == record for volunteer in person.records):
            return person
    raise Http404


def _get_record(person: KnownPerson, uuid: UUID) -> Volunteer:
    return next(one for one in person.records if one.uuid == uuid)


def _redirect_to(person: KnownPerson, name: str = "donor_details", *, fragment: str = "") -> HttpResponse:
    return redirects.redirect_after_post(name, person.records[0].uuid, fragment=fragment)


def _render_details(request: HttpRequest, person: KnownPerson, form: NameForm, status: int = 200) -> HttpResponse:
    context = {
        "person": person,
        "form": form,
        "reached": _list_addresses(person),
        "organizations": [_build_organization_row(record) for record in person.records],
    }
    return render(request, "drives/account/details.html", context, status=status)


def _list_addresses(person: KnownPerson) -> list[str]:
    contacts = [one for record in person.records for one in (record.phone, record.email) if one]
    return sorted({one.address for one in contacts}, key=lambda address: ("@" in address, address))


def _build_organization_row(record: Volunteer) -> dict[str, Any]:
    return {
        "record": record,
        "agreed": views_consents.list_consents_by_purpose(record),
        "agreed_address": reverse("donor_consent", args=[record.uuid]),
        "texting_number": volunteers_queries.get_texting_number(record.organization),
    }


def _render_contact_page(request: HttpRequest, person: KnownPerson, form: FindForm, status: int = 200) -> HttpResponse:
    status = 422 if form.errors and status == 200 else status
    return render(request, "drives/account/contact.html", {"person": person, "form": form}, status=status)
