"""Create, find, lock and delete an organization's contacts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from notifications.models import ConsentEntry, Suppression
from volunteers import rules
from volunteers.models import Contact, ContactKind


@dataclass(frozen=True)
class ContactPair:
    """A person's phone number and e-mail address. At least one of the two is set."""

    phone: Contact | None
    email: Contact | None

    def all(self) -> list[Contact]:
        return [contact for contact in (self.phone, self.email) if contact]


def lock_or_create_contacts(
    *, organization_id: int, phone: str, email: str, verified_identity: str = "", now: datetime | None = None
) -> ContactPair:
    """Find or create the contacts in a single upsert, and lock the rows until the transaction ends.

    A second transaction with the same contact waits, and then sees the owner that the first transaction has set. The
    phone is always locked first, so that two transactions cannot deadlock. The contact with `verified_identity` is
    marked as verified.
    """
    rows = [
        _build_row(organization_id, kind, address, verified_identity, now)
        for kind, address in _list_typed(phone, email)
    ]
    placeholders = ", ".join(["(%s, 0, %s, %s, %s, %s, %s, %s, %s)"] * len(rows))
    found = Contact.objects.raw(
        "INSERT INTO volunteers_contact AS known"  # noqa: S608  the text holds placeholders only
        f" (uuid, epoch, link_hash, link_seal, organization_id, kind, address, identity, verified_at)"
        f" VALUES {placeholders}"
        " ON CONFLICT ON CONSTRAINT one_contact_per_address"
        " DO UPDATE SET verified_at = COALESCE(EXCLUDED.verified_at, known.verified_at)"
        " RETURNING id, uuid, epoch, link_hash, link_seal, organization_id, kind, address, identity, owner_id,"
        " verified_at, (SELECT name FROM volunteers_volunteer WHERE id = known.owner_id) AS owner_name",
        [value for row in rows for value in row],
    )
    by_kind = {contact.kind: contact for contact in found}
    return ContactPair(by_kind.get(ContactKind.PHONE), by_kind.get(ContactKind.EMAIL))


def lock_contacts(rows: QuerySet[Contact]) -> list[Contact]:
    # The phone comes first, as in `lock_or_create_contacts`.
    return list(rows.order_by("-kind", "pk").select_for_update(no_key=True, of=("self",)))


def delete_contacts(contacts: Collection[Contact]) -> int:
    """Delete contacts that no volunteer has, and return their number. The caller has locked them.

    `retention.hash_unknown_addresses` then looks again at the consents and opt-outs that still have their addresses.
    """
    addresses = [contact.address for contact in contacts]
    organizations = {contact.organization_id for contact in contacts}
    consents = ConsentEntry.objects.filter(organization__in=organizations, address__in=addresses)
    consents.update(is_checked=False)
    Suppression.objects.filter(address__in=addresses).update(is_checked=False)
    deleted = Contact.objects.filter(pk__in=[contact.pk for contact in contacts]).delete()[1]
    return deleted.get(Contact._meta.label, 0)


def _list_typed(phone: str, email: str) -> list[tuple[ContactKind, str]]:
    both = [(ContactKind.PHONE, phone), (ContactKind.EMAIL, email)]
    return [(kind, address) for kind, address in both if address]


def _build_row(
    organization_id: int, kind: ContactKind, address: str, verified_identity: str, now: datetime | None
) -> tuple[Any, ...]:
    link, identity = Contact.build_link_fields(), rules.compute_identity(address)
    verified_at = now if identity == verified_identity else None
    token_fields = link["uuid"], link["link_hash"], link["link_seal"]
    return *token_fields, organization_id, kind.value, address, identity, verified_at
