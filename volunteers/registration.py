"""From what somebody typed to a person the organization knows."""

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
from volunteers import contacts, matching, message_texts, rules
from volunteers import person_names as volunteers_names
from volunteers.contacts import ContactPair
from volunteers.matching import BookingFor, ContactPeople
from volunteers.models import Contact, Registration, Volunteer

_INSERT = Path(__file__).with_name("insert_registrations.sql").read_text()
_COLUMNS = [field.attname for field in Registration._meta.concrete_fields]


class EmailMissing(ValidationError):
    """A code was asked for by e-mail, but no mailbox was typed."""

    def __init__(self) -> None:
        super().__init__(_("Enter an e-mail address first."), code="email_missing")


def compute_typed_identities(*, phone: str, email: str, country: str) -> list[str]:
    """The identities of what was typed, as far as it can be read: whoever enters somebody locks them first."""
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
    """What somebody typed, cleaned and normalized, not kept yet; refuses with a ValidationError by field.

    Its identity is that of the phone, else of the mailbox: the code goes there. No look at who is known: the answer and
    the work are the same for everybody.
    """
    problems = rules.FieldErrors()
    typed = rules.clean_details(
        problems, name=name, phone=phone, email=email, language_code=language, country=organization.country
    )
    if typed.phone:
        problems.judge("phone", lambda: phone_numbers.require_textable(typed.phone), "")
    purposes: list[str] = problems.judge("consents", lambda: rules.parse_purposes(consents), [])
    confirmed: list[str] = problems.judge("self_check", lambda: rules.parse_self_check(self_check), [])
    problems.refuse()
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
    """Clean the other people of a party, reached through the same contact; not kept yet.

    Refuses names with a ValidationError by field, such as `people/1/name`. What was ticked is kept with each: it is
    about the contact, and the donor may take out their own row before the verification.
    """
    problems, cleaned = rules.FieldErrors(), []
    for position, name in enumerate(names, start=1):
        cleaned.append(
            problems.judge(f"people/{position}/name", partial(rules.clean_name, name, is_own_name=False), "")
        )
    for position, name in enumerate(cleaned, start=1):
        if any(
            name and volunteers_names.is_same_name(name, before) for before in [first.name, *cleaned[: position - 1]]
        ):
            message = _("Two people have the same name. Add what tells them apart.")
            problems.by_field[f"people/{position}/name"] = [ValidationError(message, code="name_twice")]
    problems.refuse()
    shared = {column: getattr(first, column) for column in _COLUMNS if column not in {"id", "name", "is_for_other"}}
    return [Registration(**shared, name=name, is_for_other=True) for name in cleaned]


def save_registrations(registrations: Sequence[Registration]) -> None:
    """Write what `cleaned` and `companions` made, in one statement. Part of its caller."""
    rows = [{column: getattr(each, column) for column in _COLUMNS} for each in registrations]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"registrations": json.dumps(rows, default=str)})
        ids = sorted(pk for (pk,) in cursor.fetchall())
    for each, pk in zip(registrations, ids, strict=True):
        each.pk, each._state.adding = pk, False


@transaction.atomic(savepoint=False)
def switch_verification_to_email(*, registrations: Sequence[Registration]) -> None:
    """Let the mailbox be the contact to prove, not the phone: the next code of these people goes there.

    A proof of the phone must not count for the mailbox, so it is taken back. The phone stays unproved: it is nobody's
    identity, and no text is consented to for it.
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
    """Who one registration means; see `resolve_registrations`."""
    return resolve_registrations(registrations=[registration], now=now, booking_for=booking_for)[0]


@transaction.atomic(savepoint=False)
def resolve_registrations(
    *, registrations: Sequence[Registration], now: datetime, booking_for: BookingFor = ""
) -> list[Volunteer]:
    """Who these are, once their one contact is proved: its owner, others reached through it, or new people.

    The first to prove a contact owns it from now on. A name that is clearly another's is asked about (NameMismatch)
    until
    `whose` answers; "me" gives the owner the new name, else no booking renames anybody.
    The caller holds the lock of the identity; the contact's row is locked besides, so that two at once make one person.
    The other, unproved contact is linked unless somebody owns it, but never owned: else whoever types a mailbox would
    own what its holder books later. Consents enter the ledger from here on.
    """
    first = registrations[0]
    reached = contacts.lock_or_create_contacts(
        organization_id=first.organization_id,
        phone=first.phone,
        email=first.email,
        verified_identity=first.identity,
        now=now,
    )
    verified = next(contact for contact in reached.all() if contact.identity == first.identity)
    circle = matching.ContactPeople(verified, reached)
    owners = [each for each in registrations if matching.is_contact_owner(circle, each, booking_for)]
    found = {each.pk: _get_or_create_owner(circle, each, booking_for, now) for each in owners}
    if others := [each for each in registrations if each.pk not in found]:
        found |= dict(
            zip((each.pk for each in others), matching.find_or_create_others(circle, others, now), strict=True)
        )
    for each in registrations:
        each.volunteer, each.verified_at = found[each.pk], now
    _save_verified(registrations)
    if first.consents:
        _record_verified_consents(first, verified, now)
    return [found[each.pk] for each in registrations]


def _get_or_create_owner(
    circle: ContactPeople, registration: Registration, booking_for: BookingFor, now: datetime
) -> Volunteer:
    """The contact's owner, with the language and the contacts named last; new if nobody owns it yet."""
    verified, reached = circle.verified, circle.reached
    name = registration.name if booking_for == "me" and not registration.is_for_other else circle.owner_name
    volunteer = matching.update_known_volunteer(verified.owner_id, name, registration.language, reached)
    if volunteer is None:
        volunteer = matching.build_volunteer(
            registration.organization_id, registration.name, registration.language, reached, now
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
    """The volunteer a coordinator or a key typed: the same contact is the same person; the contacts stay unproved.

    A name that is clearly another's means somebody else who is reached through the contact. The caller holds the locks
    of `compute_typed_identities`: they come before the contacts' rows, which are locked here. Refuses with a
    ValidationError by
    field. A contact that nobody owns belongs to this volunteer from here on. The consents are those the person gave to
    whoever typed them; the ledger says who that was.
    """
    problems = rules.FieldErrors()
    typed = rules.clean_details(
        problems,
        name=name,
        phone=phone,
        email=email,
        language_code=language,
        country=organization.country,
        is_own_name=False,
    )
    purposes: list[str] = problems.judge("consents", lambda: rules.parse_purposes(consents), [])
    problems.refuse()
    reached = contacts.lock_or_create_contacts(organization_id=organization.pk, phone=typed.phone, email=typed.email)
    owner, spoken = _find_owner_id(reached), typed.language or organization.language
    volunteer = matching.find_entered_volunteer(owner, typed.name, typed.language, reached)
    if volunteer is None:
        volunteer = matching.build_volunteer(organization.pk, typed.name, spoken, reached, now, owner_id=owner)
        volunteer.save()
        audit.add_audit_entry(
            organization=organization, actor=actor, verb="entered", about=f"volunteer:{volunteer.pk}", now=now
        )
    if free := [contact.pk for contact in reached.all() if contact.owner_id is None]:
        Contact.objects.filter(pk__in=free).update(owner=volunteer)
    addresses = [contact.address for contact in reached.all() if contact.owner_id in {None, volunteer.pk}]
    source = "api" if actor.startswith("key:") else "coordinator"
    for purpose in purposes:
        _record_consent(
            organization, addresses, purpose, volunteer.language, source=source, actor=actor, ip=None, now=now
        )
    return volunteer


def _find_owner_id(reached: ContactPair) -> int | None:
    """Who owns one of the contacts, the phone first; else who has named one of them, unproved."""
    if owners := [contact.owner_id for contact in reached.all() if contact.owner_id]:
        return owners[0]
    named = Volunteer.objects.filter(Q(phone__in=reached.all()) | Q(email__in=reached.all()))
    return named.order_by("id").values_list("pk", flat=True).first()


def _record_verified_consents(registration: Registration, verified: Contact, now: datetime) -> None:
    """Write what was ticked to the ledger, for the proved contact.

    An unproved mailbox gets reminders only, an unproved phone nothing: nobody consents to texts to another's number.
    """
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
    version, wording = message_texts.render_consent_text(purpose, language, organization)
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
