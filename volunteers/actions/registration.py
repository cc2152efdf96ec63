"""From what somebody typed to a person the organization knows."""

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_address

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from notifications import phone as phone_numbers
from notifications.actions import consents as ledger
from notifications.models import Purpose
from organizations.actions import audit
from organizations.models import Organization, insert
from volunteers import notices, rules
from volunteers.actions import contacts
from volunteers.actions.contacts import Reached
from volunteers.models import Contact, Registration, Volunteer


class NoMailbox(ValidationError):
    """A code was asked for by e-mail, but no mailbox was typed."""

    def __init__(self) -> None:
        super().__init__(_("Enter an e-mail address first."), code="email_missing")


def typed_identities(*, phone: str, email: str, country: str) -> list[str]:
    """The identities of what was typed, as far as it can be read: whoever enters somebody locks them first."""
    typed = rules.details(rules.Problems(), name="", phone=phone, email=email, spoken="", country=country)
    return [rules.identity(address) for address in (typed.phone, typed.email) if address]


@transaction.atomic(savepoint=False)
def register(
    *,
    organization: Organization,
    name: str,
    phone: str = "",
    email: str = "",
    language: str = "",
    consents: Sequence[str] = (),
    confirms: Sequence[str] = (),
    source: str,
    ip: str | None,
    now: datetime,
) -> Registration:
    """Keep what somebody typed, cleaned and normalized; refuses with a ValidationError by field.

    Its identity is that of the phone, else of the mailbox: the code goes there. One INSERT, and no look at who is
    known: the answer and the work are the same for everybody.
    """
    problems = rules.Problems()
    typed = rules.details(problems, name=name, phone=phone, email=email, spoken=language, country=organization.country)
    if typed.phone:
        problems.judge("phone", lambda: phone_numbers.textable(typed.phone), "")
    purposes: list[str] = problems.judge("consents", lambda: rules.purposes(consents), [])
    confirmed: list[str] = problems.judge("confirms", lambda: rules.confirmations(confirms), [])
    problems.refuse()
    row = Registration(
        organization=organization,
        name=typed.name,
        phone=typed.phone,
        phone_as_typed=typed.phone_as_typed,
        email=typed.email,
        identity=rules.identity(typed.phone or typed.email),
        language=typed.language or organization.language,
        consents=purposes,
        confirms=confirmed,
        source=source,
        ip=_usable(ip),
        created_at=now,
    )
    return insert(row)


@transaction.atomic(savepoint=False)
def prove_by_email(*, registration: Registration) -> Registration:
    """Let the mailbox be the contact to prove, not the phone: the next code goes there.

    A proof of the phone must not count for the mailbox, so it is taken back. The phone stays unproved: it is nobody's
    identity, and no text is consented to for it.
    """
    if not registration.email:
        raise NoMailbox
    identity = rules.identity(registration.email)
    if identity != registration.identity:
        unresolved = Registration.objects.filter(pk=registration.pk, volunteer=None)
        unresolved.update(identity=identity, proved_at=None)
        registration.identity, registration.proved_at = identity, None
    return registration


@transaction.atomic(savepoint=False)
def resolve(*, registration: Registration, now: datetime) -> Volunteer:
    """Who this is, once the contact is proved: its owner in the organization, else a new volunteer who owns it now.

    The caller holds the lock of the identity; the contact's row is locked besides, so that two at once make one person.
    The other, unproved contact is linked unless somebody owns it, but never owned: else whoever types a mailbox would
    own what its holder books later. Consents enter the ledger from here on.
    """
    reached = contacts.reach(
        organization_id=registration.organization_id,
        phone=registration.phone,
        email=registration.email,
        proved=registration.identity,
        now=now,
    )
    proved = next(contact for contact in reached.all() if contact.identity == registration.identity)
    volunteer = _known_as(proved.owner_id, registration.name, registration.language, reached)
    if volunteer is None:
        volunteer = _new(registration.organization_id, registration.name, registration.language, reached, now)
        Contact.objects.filter(pk=proved.pk).update(owner=volunteer)
    registration.volunteer, registration.proved_at = volunteer, now
    registration.save(update_fields=["volunteer", "proved_at"])
    if registration.consents:
        _record_proved(registration, proved, now)
    return volunteer


@transaction.atomic(savepoint=False)
def enter(
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

    The caller holds the locks of `typed_identities`: they come before the contacts' rows, which are locked here.
    Refuses with a ValidationError by field. A contact that nobody owns belongs to this volunteer from here on. The
    consents are those the person gave to whoever typed them; the ledger says who that was.
    """
    problems = rules.Problems()
    typed = rules.details(problems, name=name, phone=phone, email=email, spoken=language, country=organization.country)
    purposes: list[str] = problems.judge("consents", lambda: rules.purposes(consents), [])
    problems.refuse()
    reached = contacts.reach(organization_id=organization.pk, phone=typed.phone, email=typed.email)
    volunteer = _known_as(_owner(reached), typed.name, typed.language, reached)
    if volunteer is None:
        volunteer = _new(organization.pk, typed.name, typed.language or organization.language, reached, now)
        audit.note(organization=organization, actor=actor, verb="entered", about=f"volunteer:{volunteer.pk}", now=now)
    if free := [contact.pk for contact in reached.all() if contact.owner_id is None]:
        Contact.objects.filter(pk__in=free).update(owner=volunteer)
    addresses = [contact.address for contact in reached.all() if contact.owner_id in {None, volunteer.pk}]
    source = "api" if actor.startswith("key:") else "coordinator"
    for purpose in purposes:
        _record(organization, addresses, purpose, volunteer.language, source=source, actor=actor, ip=None, now=now)
    return volunteer


def _owner(reached: Reached) -> int | None:
    """Who owns one of the contacts, the phone first; else who has named one of them, unproved."""
    if owners := [contact.owner_id for contact in reached.all() if contact.owner_id]:
        return owners[0]
    named = Volunteer.objects.filter(Q(phone__in=reached.all()) | Q(email__in=reached.all()))
    return named.order_by("id").values_list("pk", flat=True).first()


def _known_as(volunteer_id: int | None, name: str, language: str, reached: Reached) -> Volunteer | None:
    """The volunteer, with what was said last: name, language (if any), and the contacts nobody else owns."""
    if volunteer_id is None:
        return None
    phone, email = _linkable(reached, volunteer_id)
    found = Volunteer.objects.raw(
        "UPDATE volunteers_volunteer SET name = %s, language = COALESCE(NULLIF(%s, ''), language),"
        " phone_id = COALESCE(%s, phone_id), email_id = COALESCE(%s, email_id) WHERE id = %s"
        " RETURNING id, uuid, epoch, link_hash, organization_id, name, language, phone_id, email_id, created_at",
        [name, language, phone and phone.pk, email and email.pk, volunteer_id],
    )
    volunteer = next(iter(found), None)
    return volunteer and _with_contacts(volunteer, reached)


def _new(organization_id: int, name: str, language: str, reached: Reached, now: datetime) -> Volunteer:
    phone, email = _linkable(reached, None)
    return Volunteer.objects.create(
        organization_id=organization_id,
        name=name,
        language=language,
        phone=phone,
        email=email,
        created_at=now,
        **Volunteer.new_link(),
    )


def _linkable(reached: Reached, volunteer_id: int | None) -> tuple[Contact | None, Contact | None]:
    """The contacts that this volunteer may be reached under: not those that somebody else owns."""

    def free(contact: Contact | None) -> Contact | None:
        return contact if contact and contact.owner_id in {None, volunteer_id} else None

    return free(reached.phone), free(reached.email)


def _with_contacts(volunteer: Volunteer, reached: Reached) -> Volunteer:
    """Fill in the contacts just read, so that no reader fetches them again."""
    for contact in reached.all():
        if volunteer.phone_id == contact.pk:
            volunteer.phone = contact
        if volunteer.email_id == contact.pk:
            volunteer.email = contact
    return volunteer


def _record_proved(registration: Registration, proved: Contact, now: datetime) -> None:
    """Write what was ticked to the ledger, for the proved contact.

    An unproved mailbox gets reminders only, an unproved phone nothing: nobody consents to texts to another's number.
    """
    for purpose in registration.consents:
        addresses = [proved.address]
        if purpose == Purpose.REMINDERS and registration.email not in {"", proved.address}:
            addresses.append(registration.email)
        _record(
            registration.organization,
            addresses,
            purpose,
            registration.language,
            source=registration.source,
            actor="donor",
            ip=registration.ip,
            now=now,
        )


def _record(
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
    version, wording = notices.consent_wording(purpose, language, organization)
    for address in addresses:
        ledger.record(
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


def _usable(ip: str | None) -> str | None:
    try:
        return str(ip_address(ip or ""))
    except ValueError:
        return None
