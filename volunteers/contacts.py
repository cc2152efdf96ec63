"""The phone numbers and mailboxes of an organization: made or met, and locked, in one statement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from volunteers import rules
from volunteers.models import Contact, ContactKind


@dataclass(frozen=True)
class Reached:
    """The contacts under which somebody can be reached; at least one of them is there."""

    phone: Contact | None
    email: Contact | None

    def all(self) -> list[Contact]:
        return [contact for contact in (self.phone, self.email) if contact]


def reach(*, organization_id: int, phone: str, email: str, proved: str = "", now: datetime | None = None) -> Reached:
    """Make or find the contacts and lock their rows until the transaction ends; `proved` is a proved identity.

    One upsert instead of a look-up and an insert: two callers at once get the same row one after the other, and the
    second sees the owner that the first one set. The phone always comes first, so that nobody waits in a circle.
    """
    rows = [_row(organization_id, kind, address, proved, now) for kind, address in _named(phone, email)]
    marks = ", ".join(["(%s, 0, %s, %s, %s, %s, %s, %s)"] * len(rows))
    found = Contact.objects.raw(
        "INSERT INTO volunteers_contact AS known"  # noqa: S608  the text holds placeholders only
        f" (uuid, epoch, link_hash, organization_id, kind, address, identity, proved_at) VALUES {marks}"
        " ON CONFLICT ON CONSTRAINT one_contact_per_address"
        " DO UPDATE SET proved_at = COALESCE(EXCLUDED.proved_at, known.proved_at)"
        " RETURNING id, uuid, epoch, link_hash, organization_id, kind, address, identity, owner_id, proved_at,"
        " (SELECT name FROM volunteers_volunteer WHERE id = known.owner_id) AS owner_name",
        [value for row in rows for value in row],
    )
    by_kind = {contact.kind: contact for contact in found}
    return Reached(by_kind.get(ContactKind.PHONE), by_kind.get(ContactKind.EMAIL))


def locked(rows: QuerySet[Contact]) -> list[Contact]:
    """These contacts as they are now, without those that are gone; locked phones first, as `reach` locks them."""
    return list(rows.order_by("-kind", "pk").select_for_update(no_key=True, of=("self",)))


def _named(phone: str, email: str) -> list[tuple[ContactKind, str]]:
    both = [(ContactKind.PHONE, phone), (ContactKind.EMAIL, email)]
    return [(kind, address) for kind, address in both if address]


def _row(organization_id: int, kind: ContactKind, address: str, proved: str, now: datetime | None) -> tuple[Any, ...]:
    link, identity = Contact.new_link(), rules.identity(address)
    proved_at = now if identity == proved else None
    return link["uuid"], link["link_hash"], organization_id, kind.value, address, identity, proved_at
