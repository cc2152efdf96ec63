from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from notifications import contact_address
from notifications import queries as notifications_queries
from notifications.models import ConsentEntry, Purpose
from organizations.models import Organization, linked_model
from volunteers import person_names, rules
from volunteers.models import Contact, ContactKind, Registration, VerificationCode, VerifiedBrowser, Volunteer


def compute_contact_identity(address: str) -> str:
    return rules.compute_identity(address)


def is_browser_verified(token: str, identity: str, now: datetime) -> bool:
    if not token:
        return False
    return filter_browser_verifications(token, now).filter(identity=identity).exists()


def filter_browser_verifications(browser: str, now: datetime) -> QuerySet[VerifiedBrowser]:
    return VerifiedBrowser.objects.filter(token_hash=linked_model.hash_token(browser), expires_at__gt=now)


def filter_volunteers_of_browser(browser: str, now: datetime) -> QuerySet[Volunteer]:
    contacts = Contact.objects.filter(identity__in=filter_browser_verifications(browser, now).values("identity"))
    # In a union, each part uses its own index. One OR across all parts would scan the table.
    by_phone, by_email = (
        Volunteer.objects.filter(**{f"{name}__in": contacts}).values("pk") for name in ("phone", "email")
    )
    return Volunteer.objects.filter(pk__in=contacts.exclude(owner=None).values("owner").union(by_phone, by_email))


def list_volunteers_of_browser(browser: str, now: datetime) -> list[Volunteer]:
    # `is_contact_owner` says whether the volunteer owns the verified contact.
    if not browser:
        return []
    own = Contact.objects.filter(
        owner=OuterRef("pk"), identity__in=filter_browser_verifications(browser, now).values("identity")
    )
    people = filter_volunteers_of_browser(browser, now).annotate(is_contact_owner=Exists(own))
    return list(people.select_related("organization", "phone", "email").order_by("created_at", "pk"))


def filter_contact_sharers(people: Collection[int]) -> QuerySet[Volunteer]:
    owned = Contact.objects.filter(owner__in=people)
    through = Volunteer.objects.filter(phone__in=owned) | Volunteer.objects.filter(email__in=owned)
    return through.exclude(pk__in=people)


def load_verified_addresses(volunteer: Volunteer, browser: str, now: datetime) -> dict[str, str]:
    verified = filter_browser_verifications(browser, now).values("identity")
    own = Contact.objects.filter(owner=volunteer, identity__in=verified).order_by("pk")
    return dict(own.values_list("kind", "address"))


def is_recently_verified(identity: str, bound_to: str, now: datetime) -> bool:
    """Return whether this contact was verified with this secret in the last 15 minutes.

    A code works only once. So the donor needs this after a second tap on "Book this time", after a refusal, and after a
    crash between verification and booking.
    """
    used_codes = VerificationCode.objects.filter(
        identity=identity, bound_to=linked_model.hash_token(bound_to), used_at__gt=now - rules.VERIFICATION_VALID_FOR
    )
    return used_codes.exists()


def filter_volunteers(organization: Organization, search: str = "", *, by_contact: bool = True) -> QuerySet[Volunteer]:
    """Find volunteers by parts of their names, in order of the names.

    With `by_contact`, also search in phone numbers and e-mail addresses. Do not allow this to members without access to
    contacts, because searches reveal a number digit by digit.
    """
    volunteers = Volunteer.objects.of(organization).known().select_related("phone", "email")
    typed = contact_address.clean_compatible_line(search)
    words = contact_address.split_words(typed)
    condition = Q() if words or not typed else Q(pk__in=())  # a search with only punctuation finds no one
    for word in words:
        by_name = build_name_condition(word)
        condition &= by_name | Q(email__address__icontains=word) if by_contact else by_name
    digits = "".join(letter for letter in typed if letter.isdecimal())
    if by_contact and len(digits) >= 3:
        numbers = Contact.objects.of(organization).filter(kind=ContactKind.PHONE, address__contains=digits)
        condition |= Q(phone__address__contains=digits) | Q(pk__in=numbers.values("owner"))
    return volunteers.filter(condition).order_by("folded_name", "id")


def build_name_condition(search: str, person: str = "") -> Q:
    """Build the condition that a volunteer's name contains every word of a search.

    `person` is the lookup prefix to the volunteer, such as "volunteer__".
    """
    words = person_names.fold_name(search).split()
    return Q(*(Q((f"{person}folded_name__contains", word)) for word in words)) if words else Q(pk__in=())


def list_volunteer_addresses(volunteer: Volunteer) -> list[str]:
    return list(filter_volunteer_contacts(volunteer).order_by("kind", "pk").values_list("address", flat=True))


def filter_volunteer_contacts(volunteer: Volunteer) -> QuerySet[Contact]:
    named = [pk for pk in (volunteer.phone_id, volunteer.email_id) if pk]
    return Contact.objects.filter(Q(owner=volunteer) | Q(pk__in=named))


@dataclass(frozen=True)
class ContactOwnership:
    """A volunteer's contacts: `alone` are used by no other volunteer, `shared` are."""

    alone: list[Contact]
    shared: list[Contact]

    @property
    def addresses(self) -> list[str]:
        return [contact.address for contact in self.alone]

    @property
    def identities(self) -> list[str]:
        return [contact.identity for contact in self.alone]


def load_contact_ownership(volunteer: Volunteer) -> ContactOwnership:
    """Load all present and past contacts of a volunteer in the organization. Two queries.

    Past contacts are also found through registrations: an e-mail address that was typed together with a verified phone
    has no owner, and only the registration refers to it after the volunteer gets another address or is merged.
    """
    registrations = Registration.objects.filter(volunteer=volunteer)
    typed = Q(address__in=registrations.values("phone")) | Q(address__in=registrations.values("email"))
    unowned = Contact.objects.filter(typed, organization=volunteer.organization_id, owner=None)
    contacts = list((filter_volunteer_contacts(volunteer) | unowned).order_by("kind", "pk"))
    others = Volunteer.objects.exclude(pk=volunteer.pk).filter(Q(phone__in=contacts) | Q(email__in=contacts))
    used_by_others = {pk for pair in others.values_list("phone", "email") for pk in pair}
    shared = [one for one in contacts if one.pk in used_by_others or one.owner_id not in {None, volunteer.pk}]
    return ContactOwnership([one for one in contacts if one not in shared], shared)


def list_addresses_known_elsewhere(organization: Organization, addresses: Sequence[str]) -> set[str]:
    """Return the addresses that another organization also has. One query."""
    others = Contact.objects.exclude(organization=organization).filter(
        identity__in=map(rules.compute_identity, addresses)
    )
    return set(others.values_list("address", flat=True))


def filter_volunteer_registrations(volunteer: Volunteer, contacts: ContactOwnership) -> QuerySet[Registration]:
    # Include a registration without a volunteer if only this volunteer has its contact.
    typed = Q(identity__in=contacts.identities) | Q(phone__in=contacts.addresses) | Q(email__in=contacts.addresses)
    own = Q(volunteer=volunteer) | Q(volunteer=None) & typed
    return Registration.objects.filter(own, organization=volunteer.organization_id)


# In a union, each part uses its own index. One OR across all parts would scan the tables.
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
    """Return all identities of a person, to lock before a booking. One query.

    Pass a volunteer, or identities in an organization. Volunteers of two organizations with the same verified
    identity are the same person. So bookings at both organizations lock the same identity.
    """
    params = {"organization": organization_id, "identities": list(identities), "volunteer": volunteer_id}
    with connection.cursor() as cursor:
        cursor.execute(_IDENTITIES, params)
        return {*identities, *(identity for (identity,) in cursor.fetchall())}


@dataclass(frozen=True)
class ConsentStatus:
    """Whether a contact gets messages for a purpose, and whether the donor may give consent to them."""

    contact: Contact
    purpose: str
    entry: ConsentEntry | None  # the newest ledger entry
    is_stopped: bool  # after a STOP; only a START lifts it
    may_turn_on: bool

    @property
    def is_on(self) -> bool:
        return self.entry is not None and self.entry.given and not self.is_stopped

    @property
    def has_default_consent(self) -> bool:
        # Reminders by e-mail need no consent, but respect a refusal.
        return self.entry is None and self.contact.kind == ContactKind.EMAIL and self.purpose == Purpose.REMINDERS


def list_consent_statuses(volunteer: Volunteer) -> list[ConsentStatus]:
    contacts = [contact for contact in (volunteer.phone, volunteer.email) if contact]
    addresses = [contact.address for contact in contacts]
    entries = notifications_queries.load_newest_consent_entries(volunteer.organization, addresses)
    sender = notifications_queries.find_sender(volunteer.organization)
    stopped = notifications_queries.list_suppressed_addresses(sender, addresses)
    return [
        ConsentStatus(
            contact=contact,
            purpose=purpose,
            entry=entries.get((contact.address, purpose)),
            is_stopped=contact.address in stopped,
            may_turn_on=_may_consent(contact, volunteer.pk, purpose, stopped=contact.address in stopped),
        )
        for purpose in Purpose.values
        for contact in contacts
    ]


def get_texting_number(organization: Organization) -> str:
    sender = notifications_queries.find_sender(organization)
    return sender.number if sender else ""


def _may_consent(contact: Contact, volunteer_id: int, purpose: str, *, stopped: bool) -> bool:
    try:
        rules.require_may_consent(contact, volunteer_id, purpose, stopped=stopped)
    except ValidationError:
        return False
    return True
