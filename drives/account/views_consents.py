"""Change a donor's consents: by the unsubscribe link in an e-mail, or on the booking page."""

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from drives.booking import views_donor, views_links
from drives.messaging import views_consents
from drives.web import choices, visitor
from notifications import contact_address
from notifications import queries as notifications_queries
from notifications.models import Purpose
from volunteers import consent
from volunteers.models import Contact, ContactKind, Volunteer

NEWS, ADDRESS, EVERYTHING = "news", "address", "everything"
SCOPES = (ADDRESS, NEWS, EVERYTHING)
CONSENTS_OPEN_QUERY = "agreed=1"  # keeps the consents section open after the redirect


@csrf_exempt  # mail apps post without a cookie (RFC 8058); the token in the link protects it
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def stop_messages(request: HttpRequest, token: str) -> HttpResponse:
    """Stop messages to a contact, or to all contacts of its owner.

    A GET changes nothing, because mail scanners open links, too.
    """
    contact = Contact.filter_by_token(token).select_related("organization").first()
    if contact is None:
        raise Http404
    scope = request.GET.get("scope", ADDRESS)  # an invitation's link stops news only
    if request.method == "POST":
        scope = choices.read_choice(request, "scope", SCOPES, default=scope)
        _stop_contact(request, contact, scope)
    elif scope not in SCOPES:
        scope = ADDRESS
    consents = notifications_queries.load_consents(contact.organization, [contact.address])
    context = {
        "organization": contact.organization,
        "is_phone": contact.kind == ContactKind.PHONE,
        "address": contact_address.format_phone(contact.address)
        if contact.kind == ContactKind.PHONE
        else contact.address,
        "scope": scope,
        "stopped": scope if request.method == "POST" else "",
        "gets_messages": any(consents.values()),
    }
    return render(request, "drives/account/stop_messages.html", context)


@never_cache
@views_links.require_booking_post
def change_booking_consent(request: HttpRequest, key: str) -> HttpResponse:
    """Give or withdraw a consent. The sentence next to the button is stored as evidence."""
    page = views_links.get_booking_page_or_404(request, key)
    person, purpose = page.booking.volunteer, choices.read_choice(request, "purpose", Purpose.values)
    contact = _find_contact(person, choices.read_choice(request, "contact", ContactKind.values))
    if person is None or contact is None:
        return views_links.redirect_to_booking(key)
    try:
        views_consents.turn_consent_on_or_off(request, person, contact, purpose)
    except ValidationError as refusal:
        return views_donor.render_booking_page(request, page, refusal, 409)
    return views_links.redirect_to_booking(key, CONSENTS_OPEN_QUERY)


@never_cache
@views_links.require_booking_post
def renew_booking_feed(request: HttpRequest, key: str) -> HttpResponse:
    volunteer = views_links.get_booking_page_or_404(request, key).booking.volunteer
    if volunteer is None:
        return views_links.redirect_to_booking(key)
    consent.renew_feed_link(volunteer_id=volunteer.pk)
    return views_links.redirect_to_booking(key, "new_feed=1")


def _stop_contact(request: HttpRequest, contact: Contact, scope: str) -> None:
    one_click = request.POST.get("List-Unsubscribe") == "One-Click"
    wordings = {
        NEWS: _("Only news about upcoming drives"),
        ADDRESS: _("Reminders and news"),
        EVERYTHING: _("All messages from %(org)s") % {"org": contact.organization.name},
    }
    consent.opt_out_contact(
        contact=contact,
        purposes=[Purpose.NEWS] if scope == NEWS else Purpose.values,
        all_contacts=scope == EVERYTHING,
        wording="List-Unsubscribe=One-Click" if one_click else wordings[scope],
        source="one_click" if one_click else "link",
        actor="donor",
        ip=visitor.find_ip_address(request),
        now=timezone.now(),
    )


def _find_contact(person: Volunteer | None, kind: str) -> Contact | None:
    return {"phone": person.phone, "email": person.email}.get(kind) if person else None
