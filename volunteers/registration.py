"""Store the details that a donor typed, and match them to a volunteer after verification."""

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notifications import consents as notifications_consents
from notifications import contact_address as phone_numbers
from notifications.models import Purpose
from organizations import audit
from organizations.models import Organization
from volunteers import consent_texts, contacts, matching, rules
from volunteers import person_names as volunteers_names
from volunteers.contacts import ContactPair
from volunteers.matching import BookingFor, ContactPeople
from volunteers.models import Contact, Registration, Volunteer

_INSERT = Path(__file__).with_name("insert_registrations.sql").read_text()
_COLUMNS = [field.attname for field in Registration._meta.concrete_fields]


class EmailMissing(ValidationError):
    """The donor asked for a code by e-mail but did not enter an e-mail address."""

    def __init__(self) -> None:
        super().__init__(_("Enter an e-mail address first."), code="email_missing")


def compute_typed_identities(*, phone: str, email: str, country: str) -> list[str]:
    typed = rules.clean_details(
        rules.FieldErrors(), name="", phone=phone, email=email, language_code="", country=country
    )
    return [rules.compute_identity(address) for address in (typed.phone, typed.email) if address]


def build_registration(
    *,
    organization: Organization,
    name: str,
    phone: str = "",
    email: str = "",
    language: str = "",
    consents: Sequence[str] = (),
    self_check: Sequence[str] = (),
    source: str,
    ip: str | None,
    now: datetime,
    is_for_other: bool = False,
) -> Registration:
    """Build a cleaned, unsaved registration. Refuses with a ValidationError by field.

    The code will go to the phone, or by e-mail if there is no phone. The `identity` is that of this contact. Known and
    unknown people get the same result after the same work.
    """
    errors = rules.FieldErrors()
    typed = rules.clean_details(
        errors, name=name, phone=phone, email=email, language_code=language, country=organization.country
    )
    if typed.phone:
        errors.collect("phone", lambda: phone_numbers.require_textable(typed.phone), "")
    purposes: list[str] = errors.collect("consents", lambda: rules.parse_purposes(consents), [])
    confirmed: list[str] = errors.collect("self_check", lambda: rules.parse_self_check(self_check), [])
    errors.raise_errors()
    return Registration(
        **{**vars(typed), "language": typed.language or organization.language},
        organization=organization,
        identity=rules.compute_identity(typed.phone or typed.email),
        consents=purposes,
        self_check=confirmed,
        is_for_other=is_for_other,
        source=source,
        ip=_parse_ip(ip),
        created_at=now,
    )


def build_companion_registrations(first: Registration, names: Sequence[str]) -> list[Registration]:
    """Build unsaved registrations for the other people in a party, with the same contact.

    Refuses names with a ValidationError by field, such as `people/1/name`. Each registration gets all consents that the
    donor gave, because consents belong to the shared contact, and the donor may remove their own registration before
    verification.
    """
    errors, cleaned = rules.FieldErrors(), []
    for position, name in enumerate(names, start=1):
        cleaned.append(
            errors.collect(f"people/{position}/name", partial(rules.clean_name, name, is_own_name=False), "")
        )
    for position, name in enumerate(cleaned, start=1):
        if any(
            name and volunteers_names.is_same_name(name, before) for before in [first.name, *cleaned[: position - 1]]
        ):
            message = _("Two people have the same name. Add something to tell them apart.")
            errors.by_field[f"people/{position}/name"] = [ValidationError(message, code="name_twice")]
    errors.raise_errors()
    shared = {column: getattr(first, column) for column in _COLUMNS if column not in {"id", "name", "is_for_other"}}
    return [Registration(**shared, name=name, is_for_other=True) for name in cleaned]


def has_name(registration: Registration, name: str) -> bool:
    return volunteers_names.is_same_name(registration.name, name)


def save_registrations(registrations: Sequence[Registration]) -> None:
    rows = [{column: getattr(each, column) for column in _COLUMNS} for each in registrations]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"registrations": json.dumps(rows, default=str)})
        ids = sorted(pk for (pk,) in cursor.fetchall())
    for each, pk in zip(registrations, ids, strict=True):
        each.pk, each._state.adding = pk, False


@transaction.atomic(savepoint=False)
def switch_verification_to_email(*, registrations: Sequence[Registration]) -> None:
    """Let the donor verify the e-mail address instead of the phone. The next code goes there. Raises EmailMissing.

    An earlier verification of the phone no longer counts, because it does not verify the e-mail address. An unverified
    phone identifies no person and gets no texts.
    """
    email = registrations[0].email
    if not email:
        raise EmailMissing
    identity = rules.compute_identity(email)
    changed = [each for each in registrations if each.identity != identity]
    unresolved = Registration.objects.filter(pk__in=[each.pk for each in changed], volunteer=None)
    if changed:
        unresolved.update(identity=identity, verified_at=None)
    for each in changed:
        each.identity, each.verified_at = identity, None


def resolve_registration(*, registration: Registration, now: datetime, booking_for: BookingFor = "") -> Volunteer:
    return resolve_registrations(registrations=[registration], now=now, booking_for=booking_for)[0]


@transaction.atomic(savepoint=False)
def resolve_registrations(
    *, registrations: Sequence[Registration], now: datetime, booking_for: BookingFor = ""
) -> list[Volunteer]:
    """Match registrations to volunteers after their shared contact is verified.

    - the first person to verify a contact becomes its owner
    - a clearly different name raises NameMismatch, unless the caller passes `booking_for`; only "me" renames the owner
    - the unverified contact is linked to the volunteer if it has no owner; the volunteer does not become its owner,
      because a donor may have typed another person's address and would then own that person's later bookings
    - consents are written to the ledger

    The caller locks the identity. This function locks the contact rows, so that two calls at the same time create only
    one volunteer.
    """
    first = registrations[0]
    pair = contacts.lock_or_create_contacts(
        organization_id=first.organization_id,
        phone=first.phone,
        email=first.email,
        verified_identity=first.identity,
        now=now,
    )
    verified = next(contact for contact in pair.all() if contact.identity == first.identity)
    people = matching.ContactPeople(verified, pair)
    owners = [each for each in registrations if matching.is_contact_owner(people, each, booking_for)]
    volunteers = {each.pk: _get_or_create_owner(people, each, booking_for, now) for each in owners}
    if others := [each for each in registrations if each.pk not in volunteers]:
        volunteers |= dict(
            zip((each.pk for each in others), matching.find_or_create_others(people, others, now), strict=True)
        )
    for each in registrations:
        each.volunteer, each.verified_at = volunteers[each.pk], now
    _save_verified(registrations)
    if first.consents:
        _record_verified_consents(first, verified, now)
    return [volunteers[each.pk] for each in registrations]


def _get_or_create_owner(
    people: ContactPeople, registration: Registration, booking_for: BookingFor, now: datetime
) -> Volunteer:
    verified, pair = people.verified, people.contacts
    name = registration.name if booking_for == "me" and not registration.is_for_other else people.owner_name
    owner_id = verified.owner_id
    if owner_id is None and booking_for != "other" and (known := people.find_next_owner(registration.name)):
        Contact.objects.filter(pk=verified.pk).update(owner=known)
        owner_id, name, verified.owner_id = known.pk, known.name, known.pk
    volunteer = matching.update_known_volunteer(owner_id, name, registration.language, pair)
    if volunteer is None:
        volunteer = matching.build_volunteer(
            registration.organization_id, registration.name, registration.language, pair, now
        )
        volunteer.save()
        Contact.objects.filter(pk=verified.pk).update(owner=volunteer)
    return volunteer


def _save_verified(registrations: Sequence[Registration]) -> None:
    if len(registrations) == 1:
        registrations[0].save(update_fields=["volunteer", "verified_at"])
    else:
        Registration.objects.bulk_update(registrations, ["volunteer", "verified_at"])


@transaction.atomic(savepoint=False)
def enter_volunteer(
    *,
    organization: Organization,
    name: str,
    phone: str = "",
    email: str = "",
    language: str = "",
    consents: Sequence[str] = (),
    actor: str,
    now: datetime,
) -> Volunteer:
    """Find or create the volunteer that a coordinator or an API key entered. The contacts stay unverified.

    If the contact is known and the name is similar, return the known volunteer. The volunteer becomes the owner of a
    contact without an owner. The ledger names the actor that reported the consents. Refuses with a ValidationError by
    field.

    The caller first locks the identities from `compute_typed_identities`. This function locks the contact rows.
    """
    errors = rules.FieldErrors()
    typed = rules.clean_details(
        errors,
        name=name,
        phone=phone,
        email=email,
        language_code=language,
        country=organization.country,
        is_own_name=False,
    )
    purposes: list[str] = errors.collect("consents", lambda: rules.parse_purposes(consents), [])
    errors.raise_errors()
    pair = contacts.lock_or_create_contacts(organization_id=organization.pk, phone=typed.phone, email=typed.email)
    owner_id, language_code = _find_owner_id(pair), typed.language or organization.language
    volunteer = matching.find_entered_volunteer(owner_id, typed.name, typed.language, pair)
    if volunteer is None:
        volunteer = matching.build_volunteer(organization.pk, typed.name, language_code, pair, now, owner_id=owner_id)
        volunteer.save()
        audit.add_audit_entry(
            organization=organization, actor=actor, verb="entered", about=f"volunteer:{volunteer.pk}", now=now
        )
    if unowned := [contact for contact in pair.all() if contact.owner_id is None]:
        Contact.objects.filter(pk__in=[contact.pk for contact in unowned]).update(owner=volunteer)
        for contact in unowned:
            contact.owner_id = volunteer.pk  # the confirmation message, queued in this transaction, reads it
    addresses = [contact.address for contact in pair.all() if contact.owner_id in {None, volunteer.pk}]
    source = "api" if actor.startswith("key:") else "coordinator"
    for purpose in purposes:
        _record_consent(
            organization, addresses, purpose, volunteer.language, source=source, actor=actor, ip=None, now=now
        )
    return volunteer


def _find_owner_id(pair: ContactPair) -> int | None:
    if owners := [contact.owner_id for contact in pair.all() if contact.owner_id]:
        return owners[0]
    named = Volunteer.objects.filter(Q(phone__in=pair.all()) | Q(email__in=pair.all()))
    return named.order_by("id").values_list("pk", flat=True).first()


def _record_verified_consents(registration: Registration, verified: Contact, now: datetime) -> None:
    # An unverified mailbox gets reminders only. An unverified phone gets nothing, because it may be another person's
    # number.
    for purpose in registration.consents:
        addresses = [verified.address]
        if purpose == Purpose.REMINDERS and registration.email not in {"", verified.address}:
            addresses.append(registration.email)
        _record_consent(
            registration.organization,
            addresses,
            purpose,
            registration.language,
            source=registration.source,
            actor="donor",
            ip=registration.ip,
            now=now,
        )


def _record_consent(
    organization: Organization,
    addresses: Sequence[str],
    purpose: str,
    language: str,
    *,
    source: str,
    actor: str,
    ip: str | None,
    now: datetime,
) -> None:
    version, wording = consent_texts.render_consent_text(purpose, language, organization)
    for address in addresses:
        notifications_consents.record_consents(
            organization=organization,
            address=address,
            purposes=[purpose],
            given=True,
            wording_version=version,
            wording=wording,
            source=source,
            actor=actor,
            ip=ip,
            now=now,
        )


def _parse_ip(ip: str | None) -> str | None:
    try:
        return str(ip_address(ip or ""))
    except ValueError:
        return None
