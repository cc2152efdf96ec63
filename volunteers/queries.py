"""Who is known, and what a browser has proved."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from notifications import queries as notifications_queries
from notifications.models import ConsentEntry, Purpose
from organizations.models import Organization, linked_model
from volunteers import rules
from volunteers.models import Contact, ContactKind, Registration, VerificationCode, VerifiedBrowser, Volunteer

VERIFICATION_VALID_FOR = timedelta(minutes=15)


def compute_contact_identity(address: str) -> str:
    """The keyed hash by which a phone number or mailbox is known everywhere."""
    return rules.compute_identity(address)


def is_browser_verified(token: str, identity: str, now: datetime) -> bool:
    """Whether this browser proved this contact in the last 30 days."""
    if not token:
        return False
    return filter_browser_verifications(token, now).filter(identity=identity).exists()


def filter_browser_verifications(browser: str, now: datetime) -> QuerySet[VerifiedBrowser]:
    """What this browser proved in the last 30 days."""
    return VerifiedBrowser.objects.filter(token_hash=linked_model.hash_token(browser), expires_at__gt=now)


def filter_volunteers_of_browser(browser: str, now: datetime) -> QuerySet[Volunteer]:
    """Everybody, in every organization, who owns a contact that this browser proved or is reached through it."""
    contacts = Contact.objects.filter(identity__in=filter_browser_verifications(browser, now).values("identity"))
    # The unions keep each part on its index; an OR over them would read the table.
    by_phone, by_email = (
        Volunteer.objects.filter(**{f"{name}__in": contacts}).values("pk") for name in ("phone", "email")
    )
    return Volunteer.objects.filter(pk__in=contacts.exclude(owner=None).values("owner").union(by_phone, by_email))


def list_volunteers_of_browser(browser: str, now: datetime) -> list[Volunteer]:
    """Those of `filter_volunteers_of_browser` with contacts and organization, the first known first;
    `is_contact_owner` says whether the
    contact is their own. One query.
    """
    if not browser:
        return []
    own = Contact.objects.filter(
        owner=OuterRef("pk"), identity__in=filter_browser_verifications(browser, now).values("identity")
    )
    people = filter_volunteers_of_browser(browser, now).annotate(is_contact_owner=Exists(own))
    return list(people.select_related("organization", "phone", "email").order_by("created_at", "pk"))


def filter_contact_sharers(people: Collection[int]) -> QuerySet[Volunteer]:
    """Those who are reached through a contact that one of these people owns, and are none of them."""
    owned = Contact.objects.filter(owner__in=people)
    through = Volunteer.objects.filter(phone__in=owned) | Volunteer.objects.filter(email__in=owned)
    return through.exclude(pk__in=people)


def load_verified_addresses(volunteer: Volunteer, browser: str, now: datetime) -> dict[str, str]:
    """A person's own phone and mailbox, by kind, as far as this browser proved them. One query."""
    verified = filter_browser_verifications(browser, now).values("identity")
    own = Contact.objects.filter(owner=volunteer, identity__in=verified).order_by("pk")
    return dict(own.values_list("kind", "address"))


def is_recently_verified(identity: str, bound_to: str, now: datetime) -> bool:
    """Whether whoever holds `compute_browser_digest` typed a right code for this contact in the last quarter of an
    hour.

    For the second tap on "Book this time", the return after a refusal, and a crash between the proof and the booking:
    the code itself is used up, the proof is not.
    """
    proofs = VerificationCode.objects.filter(
        identity=identity, bound_to=linked_model.hash_token(bound_to), used_at__gt=now - VERIFICATION_VALID_FOR
    )
    return proofs.exists()


def filter_volunteers(organization: Organization, search: str = "") -> QuerySet[Volunteer]:
    """The organization's volunteers with their contacts, by name; `search` is part of a name, number or mailbox."""
    volunteers = Volunteer.objects.of(organization).known().select_related("phone", "email")
    wanted = Q()
    for word in search.replace("\x00", "").split():
        wanted &= Q(name__icontains=word) | Q(email__address__icontains=word)
    digits = "".join(letter for letter in search if letter.isdecimal())
    if len(digits) >= 3:
        numbers = Contact.objects.of(organization).filter(kind=ContactKind.PHONE, address__contains=digits)
        wanted |= Q(phone__address__contains=digits) | Q(pk__in=numbers.values("owner"))
    return volunteers.filter(wanted).order_by("name", "id")


def list_volunteer_addresses(volunteer: Volunteer) -> list[str]:
    """Every phone number and mailbox under which this person is reached or which they proved. One query."""
    return list(filter_volunteer_contacts(volunteer).order_by("kind", "pk").values_list("address", flat=True))


def filter_volunteer_contacts(volunteer: Volunteer) -> QuerySet[Contact]:
    """The contacts under which this person is reached or which they proved."""
    named = [pk for pk in (volunteer.phone_id, volunteer.email_id) if pk]
    return Contact.objects.filter(Q(owner=volunteer) | Q(pk__in=named))


@dataclass(frozen=True)
class ContactOwnership:
    """The contacts that lead to a person: those of nobody else, and those that a family shares."""

    alone: list[Contact]
    shared: list[Contact]

    @property
    def addresses(self) -> list[str]:
        return [contact.address for contact in self.alone]

    @property
    def identities(self) -> list[str]:
        return [contact.identity for contact in self.alone]


def load_contact_ownership(volunteer: Volunteer) -> ContactOwnership:
    """How one organization reaches a person or once did, apart from whom else it reaches so. Two queries.

    A mailbox that was typed beside a proved phone is nobody's: once another one is named, or the person is made one
    with somebody who has one, only what they typed leads to it.
    """
    said = Registration.objects.filter(volunteer=volunteer)
    typed = Q(address__in=said.values("phone")) | Q(address__in=said.values("email"))
    loose = Contact.objects.filter(typed, organization=volunteer.organization_id, owner=None)
    contacts = list((filter_volunteer_contacts(volunteer) | loose).order_by("kind", "pk"))
    others = Volunteer.objects.exclude(pk=volunteer.pk).filter(Q(phone__in=contacts) | Q(email__in=contacts))
    named = {pk for pair in others.values_list("phone", "email") for pk in pair}
    shared = [one for one in contacts if one.pk in named or one.owner_id not in {None, volunteer.pk}]
    return ContactOwnership([one for one in contacts if one not in shared], shared)


def list_addresses_known_elsewhere(organization: Organization, addresses: Sequence[str]) -> set[str]:
    """Which of these addresses another organization knows. One query."""
    others = Contact.objects.exclude(organization=organization).filter(
        identity__in=map(rules.compute_identity, addresses)
    )
    return set(others.values_list("address", flat=True))


def filter_volunteer_registrations(volunteer: Volunteer, contacts: ContactOwnership) -> QuerySet[Registration]:
    """What a person typed: what was proved to be theirs, and what nobody proved under contacts of theirs alone."""
    typed = Q(identity__in=contacts.identities) | Q(phone__in=contacts.addresses) | Q(email__in=contacts.addresses)
    theirs = Q(volunteer=volunteer) | Q(volunteer=None, verified_at=None) & typed
    return Registration.objects.filter(theirs, organization=volunteer.organization_id)


# The unions keep each part on its index; an OR over them would read the tables.
_IDENTITIES = """
WITH typed AS (SELECT id, owner_id FROM volunteers_contact WHERE organization_id = %(organization)s
        AND identity = ANY(%(identities)s)),
people AS (
    SELECT %(volunteer)s::bigint AS id
    UNION SELECT owner_id FROM typed
    UNION SELECT person.id FROM typed JOIN volunteers_volunteer AS person ON person.phone_id = typed.id
    UNION SELECT person.id FROM typed JOIN volunteers_volunteer AS person ON person.email_id = typed.id)
SELECT contact.identity FROM people JOIN volunteers_contact AS contact ON contact.owner_id = people.id
UNION SELECT contact.identity FROM people JOIN volunteers_volunteer AS person ON person.id = people.id
    JOIN volunteers_contact AS contact ON contact.id IN (person.phone_id, person.email_id)
"""


def list_person_identities(
    *, organization_id: int | None = None, identities: Sequence[str] = (), volunteer_id: int | None = None
) -> set[str]:
    """The identities of all contacts of a person, and those given: what is locked before a place is taken. One query.

    The person is a volunteer, or whoever in an organization owns or names a contact with one of these identities. Two
    volunteers of two organizations are one person by an identity that both have proved, so both of them lock it.
    """
    asked = {"organization": organization_id, "identities": list(identities), "volunteer": volunteer_id}
    with connection.cursor() as cursor:
        cursor.execute(_IDENTITIES, asked)
        return {*identities, *(identity for (identity,) in cursor.fetchall())}


@dataclass(frozen=True)
class ConsentStatus:
    """Whether one contact gets messages of one purpose, since when, and what the person may do about it."""

    contact: Contact
    purpose: str
    line: ConsentEntry | None  # the newest of the ledger
    is_stopped: bool  # by a text: only a START opens the way again
    may_turn_on: bool

    @property
    def is_on(self) -> bool:
        return self.line is not None and self.line.given and not self.is_stopped

    @property
    def has_default_consent(self) -> bool:
        """Mail of reminders needs no yes, only heeds a no."""
        return self.line is None and self.contact.kind == ContactKind.EMAIL and self.purpose == Purpose.REMINDERS


def list_consent_statuses(volunteer: Volunteer) -> list[ConsentStatus]:
    """What somebody agreed to, by purpose and contact. Three queries."""
    contacts = [contact for contact in (volunteer.phone, volunteer.email) if contact]
    addresses = [contact.address for contact in contacts]
    lines = notifications_queries.load_newest_consent_entries(volunteer.organization, addresses)
    stopped = notifications_queries.list_suppressed_addresses(volunteer.organization, addresses)
    return [
        ConsentStatus(
            contact=contact,
            purpose=purpose,
            line=lines.get((contact.address, purpose)),
            is_stopped=contact.address in stopped,
            may_turn_on=_may_consent(contact, volunteer.pk, purpose, stopped=contact.address in stopped),
        )
        for purpose in Purpose.values
        for contact in contacts
    ]


def get_texting_number(organization: Organization) -> str:
    """The number that an organization's texts come from; empty for a service of several."""
    sender = notifications_queries.find_sender(organization)
    return sender.number if sender else ""


def _may_consent(contact: Contact, volunteer_id: int, purpose: str, *, stopped: bool) -> bool:
    try:
        rules.require_may_consent(contact, volunteer_id, purpose, stopped=stopped)
    except ValidationError:
        return False
    return True
