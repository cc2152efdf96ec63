"""Book again in two taps, in a browser that has verified the donor's contact."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from drives.booking import known_people, rebook, views_links
from drives.capacity import availability, visit_length
from drives.eligibility import self_check
from drives.models import Visit
from drives.public import queries as public_queries
from drives.public import times, views_donor
from drives.public.queries import DrivePage
from drives.refusals import OpenTime, Refusal
from drives.web import form_errors, link_cookies, share_cookie, visitor
from drives.web.fields import CheckboxField
from notifications import queries as notifications_queries
from notifications.models import Purpose
from volunteers import consent_texts
from volunteers import queries as volunteers_queries
from volunteers.models import Volunteer


class RebookForm(forms.Form):
    known = forms.UUIDField()
    visit = forms.ChoiceField(choices=Visit.choices)
    slot = forms.IntegerField(required=False)
    reminders = CheckboxField(label=_("Text me reminders"), required=False, described_by="id_reminders_hint")
    confirmed = CheckboxField(label=_("All of this is true for me"), required=False, described_by="id_confirmed_hint")


@dataclass(frozen=True)
class KnownDonor:
    """A donor with a contact that this browser has verified.

    `record` is the donor's record at the drive's organization, or else at another organization.
    """

    record: Volunteer
    title: str  # the name, with details to tell people with the same name apart
    addresses: Sequence[str]
    is_reminded: bool


def list_known_donors(request: HttpRequest, page: DrivePage) -> list[KnownDonor]:
    """List the donors that this browser may book for without a code. Up to two queries, plus up to three per donor."""
    browser, now, organization = visitor.read_browser_token(request), timezone.now(), page.drive.organization
    donors = []
    for person in known_people.list_known_people(browser, now):
        if person.is_contact_owner:
            own_records = [record for record in person.records if record.organization_id == organization.pk]
            record = (own_records or person.records)[-1]
            addresses = list(volunteers_queries.load_verified_addresses(record, browser, now).values())
            is_reminded = any(
                notifications_queries.has_consent(organization, address, Purpose.REMINDERS) for address in addresses
            )
            donors.append(KnownDonor(record, person.title, addresses, is_reminded))
    return donors


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def submit_rebooking(request: HttpRequest, slug: str) -> HttpResponse:
    page = public_queries.load_drive_page(slug, timezone.now())
    if page is None:
        raise Http404
    form = RebookForm(request.POST)
    if request.method != "POST" or not form.is_valid() or form.cleaned_data["slot"] is None:
        return views_donor.redirect_to_drive(page, times.parse_party_request(request.POST))
    donors = list_known_donors(request, page)
    donor = next((one for one in donors if one.record.uuid == form.cleaned_data["known"]), None)
    visit, slot_id = form.cleaned_data["visit"], form.cleaned_data["slot"]
    if donor is None:  # the browser's verification has expired, so ask for the details
        return redirect(f"{reverse('book', args=[slug])}?visit={visit}&slot={slot_id}")
    try:
        return _rebook_donor(request, page, form, donor)
    except ValidationError as problem:
        refused = problem if isinstance(problem, Refusal) else None
        status = form_errors.compute_http_status(problem)
        return form_errors.add_retry_after(
            render_rebooking(request, page, donors, visit, slot_id, problem.messages, refused, status), problem
        )


def _rebook_donor(request: HttpRequest, page: DrivePage, form: RebookForm, donor: KnownDonor) -> HttpResponse:
    typed, drive = form.cleaned_data, page.drive
    booking = rebook.rebook_donor(
        drive=drive,
        slot_id=typed["slot"],
        visit=typed["visit"],
        volunteer=donor.record,
        browser=visitor.read_browser_token(request),
        language=translation.get_language() or "",
        consents=[Purpose.REMINDERS] if typed["reminders"] else [],
        self_check=list(drive.policy.self_check) if typed["confirmed"] else [],
        share_code=share_cookie.read_share_code(request),
        ip=visitor.find_ip_address(request),
        now=timezone.now(),
    )
    response = views_links.redirect_to_booking(booking.reference, "visit=1" if booking.visit != typed["visit"] else "")
    link_cookies.BOOKINGS.add_tokens(response, request, booking.token)
    return response


def render_rebooking(
    request: HttpRequest,
    page: DrivePage,
    donors: Sequence[KnownDonor],
    visit: str,
    slot_id: int | None,
    problems: Sequence[str] = (),
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    time = None if refusal else times.find_chosen_time(page.list_times(visit), slot_id)
    alternatives: Sequence[OpenTime] = refusal.alternatives if refusal else ()
    if time is None and not refusal:
        alternatives = availability.list_nearest_times(page.drive, (visit,), None, timezone.now())
    drive, language = page.drive, translation.get_language() or "en"
    context = {
        **views_donor.build_drive_context(page),
        "form": RebookForm(),
        "donors": donors,
        "visit": visit,
        "time": time,
        "slot_id": slot_id,
        "problems": problems,
        "alternatives": [time for time in alternatives if not time.other_drive],
        "at_others": [time for time in alternatives if time.other_drive],
        "asks_to_remind": not all(donor.is_reminded for donor in donors),
        "reminders_wording": consent_texts.render_consent_text(Purpose.REMINDERS, language, drive.organization)[1],
        "self_check": self_check.list_self_check_sentences(drive),
        "minutes": visit_length.compute_visit_minutes(drive, visit),
    }
    return render(request, "drives/booking/rebook.html", context, status=status)
