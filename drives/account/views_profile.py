"""A donor's own details: name, language, phone, mailbox, messages, calendar; the same in all organizations."""

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
from drives.booking import reached_people
from drives.booking.reached_people import PersonHere
from drives.messaging import views_agreements
from drives.web import code_page, form_errors, redirects, visitor
from drives.web.code_page import CodeForm
from drives.web.fields import NameField
from drives.web.pending import Pending
from notifications.models import Purpose
from volunteers import consent as volunteers_consent
from volunteers import queries as volunteers_queries
from volunteers.models import Volunteer

NEW: Final = Pending("contact", count=2)
KINDS: Final = ("phone", "email")


class NameForm(forms.Form):
    """What somebody is called, and the language we write to them in."""

    use_required_attribute = False

    name = NameField(label=_("Your name"))
    language = forms.ChoiceField(label=_("Language of our messages"), choices=lambda: settings.LANGUAGES)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def details(request: HttpRequest, record: UUID) -> HttpResponse:
    """How the organizations know the donor; a form for name and language, and ways to change the rest."""
    person = _person_or_404(request, record)
    if request.method != "POST":
        said = {"name": person.name, "language": person.records[0].language}
        return _page(request, person, NameForm(initial=said))
    form = NameForm(request.POST)
    if form.is_valid():
        try:
            profile.describe(people=person.records, **form.cleaned_data)
        except ValidationError as problem:
            form.add_error(None, problem)
        else:
            messages.success(request, _("Your details are saved."))
            return _to(person)
    return _page(request, person, form, 422)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest, record: UUID) -> HttpResponse:
    """A new phone number or mailbox is typed; a code goes there."""
    person = _person_or_404(request, record)
    form = FindForm(request.POST if request.method == "POST" else None)
    browser = visitor.browser_of(request)
    if form.is_valid():
        try:
            address = profile.ask(
                organization=person.records[-1].organization,
                typed=form.cleaned_data["contact"],
                language=translation.get_language() or "",
                browser=browser,
                bound_to=visitor.bound_to(browser),
                ip=visitor.ip_of(request),
                now=timezone.now(),
            )
        except ValidationError as problem:
            form.add_error(None, problem)
            page = _contact_page(request, person, form, form_errors.status_of(problem))
            return form_errors.answered(page, problem)
        response = _to(person, "me_contact_code")
        NEW.keep(response, response["Location"], address, form.cleaned_data["contact"])
        return response
    return _contact_page(request, person, form)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def contact_code(request: HttpRequest, record: UUID) -> HttpResponse:
    """The code that came there: from now on it counts."""
    person, asked = _person_or_404(request, record), NEW.texts(request)
    if asked is None:
        return _to(person, "me_contact")
    address, typed = asked

    def show(form: CodeForm, problem: ValidationError | None = None) -> HttpResponse:
        page = code_page.page_of_contact(
            request,
            typed=typed,
            identity=volunteers_queries.identity_of(address),
            texting_number=volunteers_queries.texting_number(person.records[-1].organization),
        )
        return code_page.render_page(
            request, "drives/account/me_contact_code.html", page, form, problem, {"person": person}
        )

    def changed(_result: None) -> HttpResponse:
        messages.success(request, _("The new number or address counts from now on. Look what may be sent there."))
        return _to(person)

    if request.method != "POST":
        return show(CodeForm())
    return code_page.verify(request, partial(profile.change, people=person.records, address=address), changed, show)


@never_cache
@require_POST
def consent(request: HttpRequest, record: UUID) -> HttpResponse:
    """Turn one purpose on or off in one organization, under the words that stand beside the button."""
    person = _person_or_404(request, record)
    volunteer = _record(person, record)
    kind, purpose = request.POST.get("contact", ""), request.POST.get("purpose", "")
    if kind not in KINDS or purpose not in Purpose.values or getattr(volunteer, kind) is None:
        return _to(person)
    try:
        views_agreements.turn(request, volunteer, getattr(volunteer, kind), purpose)
    except ValidationError as refusal:
        messages.error(request, " ".join(refusal.messages))
    return _to(person, fragment=f"agreed-{volunteer.pk}")


@never_cache
@require_POST
def new_feed(request: HttpRequest, record: UUID) -> HttpResponse:
    """Another address for the calendar of one organization's bookings."""
    person = _person_or_404(request, record)
    volunteers_consent.renew_feed(volunteer_id=_record(person, record).pk)
    messages.success(request, _("This is a new address. The old one shows nothing any more: subscribe again."))
    return _to(person)


def _person_or_404(request: HttpRequest, record: UUID) -> PersonHere:
    """The person who owns this record, if this browser proved a contact of theirs."""
    for person in reached_people.people_here(visitor.browser_of(request), timezone.now()):
        if person.is_theirs and any(one.uuid == record for one in person.records):
            return person
    raise Http404


def _record(person: PersonHere, uuid: UUID) -> Volunteer:
    return next(one for one in person.records if one.uuid == uuid)


def _to(person: PersonHere, name: str = "me_details", *, fragment: str = "") -> HttpResponse:
    return redirects.see_other(name, person.records[0].uuid, fragment=fragment)


def _page(request: HttpRequest, person: PersonHere, form: NameForm, status: int = 200) -> HttpResponse:
    context = {
        "person": person,
        "form": form,
        "reached": _reached(person),
        "organizations": [_known_to(record) for record in person.records],
    }
    return render(request, "drives/account/me_details.html", context, status=status)


def _reached(person: PersonHere) -> list[str]:
    """The numbers and mailboxes under which the organizations reach the person, phones first."""
    contacts = [one for record in person.records for one in (record.phone, record.email) if one]
    return sorted({one.address for one in contacts}, key=lambda address: ("@" in address, address))


def _known_to(record: Volunteer) -> dict[str, Any]:
    return {
        "record": record,
        "agreed": views_agreements.agreed(record),
        "agreed_address": reverse("me_consent", args=[record.uuid]),
        "texting_number": volunteers_queries.texting_number(record.organization),
    }


def _contact_page(request: HttpRequest, person: PersonHere, form: FindForm, status: int = 200) -> HttpResponse:
    status = 422 if form.errors and status == 200 else status
    return render(request, "drives/account/me_contact.html", {"person": person, "form": form}, status=status)
