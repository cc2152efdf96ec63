"""Match the people of a file to the people that an organization knows, and add the new ones.

The rules are those of `registration.enter_volunteer`, for many people with a fixed number of statements. One
difference: a person that the organization knows keeps their name, language and contacts, and only gets a missing
contact.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from organizations.models import Organization
from volunteers import contacts as volunteers_contacts
from volunteers import person_names, rules
from volunteers.models import Contact, ContactKind, Volunteer

_SET_OWNERS = """
UPDATE volunteers_contact AS contact SET owner_id = pair.owner_id
FROM unnest(%s::bigint[], %s::bigint[]) AS pair(id, owner_id) WHERE contact.id = pair.id
"""
_LOADED_AT_ONCE = 5_000  # a statement takes at most 65,535 parameters


@dataclass(frozen=True)
class ImportedPerson:
    """The cleaned values of a row: the phone number in E.164, the e-mail address in lower case."""

    name: str
    phone: str = ""
    email: str = ""
    language: str = ""

    @property
    def addresses(self) -> list[str]:
        return [address for address in (self.phone, self.email) if address]


@dataclass(eq=False)
class KnownPerson:
    name: str
    volunteer: Volunteer | None = None  # None for a person of an earlier row, who has no volunteer yet


@dataclass
class _KnownContact:
    owner: KnownPerson | None = None
    people: list[KnownPerson] = field(default_factory=list)  # in the order in which they were added

    def list_people(self) -> list[KnownPerson]:
        return list(dict.fromkeys([*([self.owner] if self.owner else []), *self.people]))


class KnownPeople:
    """The people with the contacts of a file: those of the organization, and those of the file's earlier rows."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self._contacts: dict[str, _KnownContact] = {}
        self._people: dict[int, KnownPerson] = {}

    def load(self, addresses: Iterable[str]) -> None:
        """Load the people with these contacts. Two queries for up to 5,000 contacts that are not loaded yet."""
        fresh = list({address: None for address in addresses if address not in self._contacts})
        for start in range(0, len(fresh), _LOADED_AT_ONCE):
            self._load(fresh[start : start + _LOADED_AT_ONCE])

    def _load(self, fresh: Sequence[str]) -> None:
        self._contacts |= {address: _KnownContact() for address in fresh}
        rows = Contact.objects.of(self.organization).filter(address__in=fresh).values_list("pk", "address", "owner")
        owners = {pk: (address, owner) for pk, address, owner in rows}
        linked = Q(phone__in=owners) | Q(email__in=owners) | Q(pk__in={owner for _address, owner in owners.values()})
        volunteers = Volunteer.objects.of(self.organization).filter(linked).order_by("pk")
        for volunteer in volunteers if owners else ():
            person = self._people.setdefault(volunteer.pk, KnownPerson(volunteer.name, volunteer))
            for contact_id in (volunteer.phone_id, volunteer.email_id):
                if contact_id in owners:
                    self._contacts[owners[contact_id][0]].people.append(person)
        for address, owner in owners.values():
            self._contacts[address].owner = self._people.get(owner) if owner else None

    def find(self, person: ImportedPerson) -> KnownPerson | None:
        """Return the person with this name and one of these contacts, or None if the person is new.

        The owner's name may be similar; other names must be the same (`matching.find_entered_volunteer`).
        """
        known = [self._contacts[address] for address in person.addresses]
        others = [one for contact in known for one in contact.people]
        first = next((contact.owner for contact in known if contact.owner), None) or (others[0] if others else None)
        if first is None or person_names.is_similar_name(first.name, person.name):
            return first
        return next((one for one in others if person_names.is_same_name(one.name, person.name)), None)

    def count_people(self, person: ImportedPerson) -> int:
        """Return how many people share the most widely shared of these contacts."""
        return max((len(self._contacts[address].list_people()) for address in person.addresses), default=0)

    def add(self, person: ImportedPerson, volunteer: Volunteer | None = None) -> KnownPerson:
        added = KnownPerson(person.name, volunteer)
        for address in self.list_linkable(person):
            self._link(address, added)
        return added

    def list_linkable(self, person: ImportedPerson) -> list[str]:
        """Return the contacts that a new person gets: those without an owner, and those of the first owner.

        `matching.build_volunteer` has the same rule.
        """
        owners = {address: self._contacts[address].owner for address in person.addresses}
        first = next((owner for owner in owners.values() if owner), None)
        return [address for address, owner in owners.items() if owner in {None, first}]

    def add_contacts(self, known: KnownPerson, person: ImportedPerson) -> None:
        """Give a known person the contacts of a row, except those that another person owns."""
        for address in person.addresses:
            if self._contacts[address].owner in {None, known}:
                self._link(address, known)

    def _link(self, address: str, person: KnownPerson) -> None:
        contact = self._contacts[address]
        contact.owner = contact.owner or person
        if person not in contact.people:
            contact.people.append(person)

    def is_owner(self, person: KnownPerson, address: str) -> bool:
        return self._contacts[address].owner is person


@dataclass(frozen=True)
class AddedPeople:
    volunteers: list[Volunteer]  # one for each imported person, in the same order
    new_count: int
    owned: list[list[str]]  # for each row, the contacts that its person owns


@transaction.atomic(savepoint=False)
def add_imported_people(*, organization: Organization, people: Sequence[ImportedPerson], now: datetime) -> AddedPeople:
    """Find or create the volunteers. Their contacts stay unverified. A second call with the same people adds nothing.

    The caller locks the identities of all contacts. This function locks the contact rows. Nine statements at most.
    """
    contacts = _lock_or_create_contacts(
        organization, {(kind, one) for each in people for kind, one in _list_pairs(each)}
    )
    known = KnownPeople(organization)
    known.load(contacts)
    records: list[KnownPerson] = []
    created: list[KnownPerson] = []
    changed: dict[int, Volunteer] = {}
    for person in people:
        record = known.find(person)
        if record is None:
            record = known.add(
                person, _build_volunteer(organization, person, contacts, known.list_linkable(person), now)
            )
            created.append(record)
        else:
            known.add_contacts(record, person)
            if _add_missing_contacts(record, person, contacts, known) and record not in created:
                changed[id(record)] = _get_volunteer(record)
        records.append(record)
    Volunteer.objects.bulk_create(_get_volunteer(record) for record in created)
    Volunteer.objects.bulk_update(changed.values(), ["phone", "email"])
    _save_owners(contacts, people, records, known)
    return AddedPeople(
        [_get_volunteer(record) for record in records],
        len(created),
        [
            [address for address in person.addresses if known.is_owner(record, address)]
            for person, record in zip(people, records, strict=True)
        ],
    )


def compute_identities(people: Iterable[ImportedPerson]) -> set[str]:
    return {rules.compute_identity(address) for person in people for address in person.addresses}


def _list_pairs(person: ImportedPerson) -> list[tuple[ContactKind, str]]:
    pairs = [(ContactKind.PHONE, person.phone), (ContactKind.EMAIL, person.email)]
    return [(kind, address) for kind, address in pairs if address]


def _lock_or_create_contacts(
    organization: Organization, pairs: Collection[tuple[ContactKind, str]]
) -> dict[str, Contact]:
    fresh = [
        Contact(
            organization=organization,
            kind=kind,
            address=address,
            identity=rules.compute_identity(address),
            **Contact.build_link_fields(),
        )
        for kind, address in sorted(pairs, reverse=True)  # phones first
    ]
    rows = Contact.objects.of(organization).filter(address__in=[address for _kind, address in pairs])
    known = set(rows.values_list("address", flat=True))
    Contact.objects.bulk_create((one for one in fresh if one.address not in known), ignore_conflicts=True)
    return {contact.address: contact for contact in volunteers_contacts.lock_contacts(rows.all())}


def _build_volunteer(
    organization: Organization, person: ImportedPerson, contacts: dict[str, Contact], linkable: list[str], now: datetime
) -> Volunteer:
    return Volunteer(
        organization=organization,
        name=person.name,
        language=person.language or organization.language,
        phone=contacts[person.phone] if person.phone in linkable else None,
        email=contacts[person.email] if person.email in linkable else None,
        created_at=now,
        **Volunteer.build_link_fields(),
    )


def _add_missing_contacts(
    record: KnownPerson, person: ImportedPerson, contacts: dict[str, Contact], known: KnownPeople
) -> bool:
    volunteer = _get_volunteer(record)
    missing = [
        (name, contacts[address])
        for name, address in (("phone", person.phone), ("email", person.email))
        if address and getattr(volunteer, f"{name}_id") is None and known.is_owner(record, address)
    ]
    for name, contact in missing:
        setattr(volunteer, name, contact)
    return bool(missing)


def _save_owners(
    contacts: dict[str, Contact], people: Sequence[ImportedPerson], records: Sequence[KnownPerson], known: KnownPeople
) -> None:
    owned: dict[str, Contact] = {}
    for person, record in zip(people, records, strict=True):
        for address in person.addresses:
            contact = contacts[address]
            if contact.owner_id is None and known.is_owner(record, address):
                contact.owner = _get_volunteer(record)
                owned[address] = contact
    # Django's `bulk_update` takes ten times as long for hundreds of rows.
    with connection.cursor() as cursor:
        pairs = [(contact.pk, contact.owner_id) for contact in owned.values()]
        cursor.execute(_SET_OWNERS, [[pk for pk, _owner in pairs], [owner for _pk, owner in pairs]])


def _get_volunteer(record: KnownPerson) -> Volunteer:
    assert record.volunteer is not None
    return record.volunteer
