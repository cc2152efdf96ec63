"""Create organizations, and change memberships and roles."""

import re
import unicodedata
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from organizations import audit, slugs
from organizations.models import Membership, Organization, Role, User
from organizations.models.organization import SMS_NAME_LENGTH


class LastOwner(ValidationError):
    """The change would leave the organization without an owner."""

    def __init__(self) -> None:
        super().__init__(_("Make someone else an owner first."), code="last_owner")


class NotMember(ValidationError):
    """Another request removed the member."""

    def __init__(self) -> None:
        super().__init__(_("This person is no longer a member."), code="not_a_member")


@transaction.atomic
def create_organization(
    *,
    name: str,
    slug: str,
    sms_name: str,
    email: str,
    now: datetime,
    legal_name: str = "",
    phone: str = "",
    website: str = "",
    country: str = "US",
    language: str = "en",
    timezone: str = "",
    accent: str = "#1f4e5c",
    owner: User | None = None,
    actor: str = "system",
) -> Organization:
    organization = Organization.objects.create(
        name=name,
        slug=slug,
        sms_name=sms_name,
        email=email,
        legal_name=legal_name,
        phone=phone,
        website=website,
        country=country,
        language=language,
        timezone=timezone,
        accent=accent,
        created_at=now,
    )
    audit.add_audit_entry(
        organization=organization, actor=actor, verb="created", about=f"organization:{organization.pk}", now=now
    )
    if owner:
        add_member(organization=organization, user=owner, role=Role.OWNER, actor=actor, now=now)
    return organization


def choose_free_slug(name: str) -> str:
    """Return a slug that no organization has. Other callers wait until this transaction ends."""
    return slugs.choose_free_slug(Organization, slugify(name)[:50].strip("-") or "organization")


def shorten_name(name: str) -> str:
    """Shorten an organization's name for text messages: at most 20 plain characters, cut between words."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = " ".join(re.sub(r"[^A-Za-z0-9 .,'&/-]", " ", ascii_name).split())
    if len(plain) > SMS_NAME_LENGTH:
        plain = plain[: SMS_NAME_LENGTH + 1].rpartition(" ")[0] or plain[:SMS_NAME_LENGTH]
    return plain or "Plasma drive"


@transaction.atomic
def set_retention_months(*, organization: Organization, months: int, actor: str, now: datetime) -> Organization:
    """Set the retention period. The database allows 3 to 120 months."""
    about = f"organization:{organization.pk}"
    if Organization.objects.filter(pk=organization.pk).exclude(retention_months=months).update(retention_months=months):
        fields = ["retention_months"]
        audit.add_audit_entry(
            organization=organization, actor=actor, verb="changed", about=about, fields=fields, now=now
        )
    organization.retention_months = months
    return organization


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: str, actor: str, now: datetime) -> Membership:
    """Add a user to an organization. If the user is already a member, change the role."""
    _lock_owners(organization)
    existing = Membership.objects.filter(organization=organization, user=user).first()
    if existing:
        return change_role(membership=existing, role=role, actor=actor, now=now)
    membership = Membership.objects.create(organization=organization, user=user, role=Role(role))
    audit.add_audit_entry(
        organization=organization, actor=actor, verb="added", about=f"user:{user.pk}", fields=["role"], now=now
    )
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: str, actor: str, now: datetime) -> Membership:
    """Change a member's role. Locks the organization.

    Refuses to make the last owner something else (LastOwner), and to change a removed member (NotMember).
    """
    owners = _lock_owners(membership.organization)
    if role != Role.OWNER and owners == [membership.pk]:
        raise LastOwner
    if not Membership.objects.filter(pk=membership.pk).update(role=Role(role)):
        raise NotMember
    membership.role = Role(role)
    about = f"user:{membership.user_id}"
    audit.add_audit_entry(
        organization=membership.organization, actor=actor, verb="changed", about=about, fields=["role"], now=now
    )
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, actor: str, now: datetime) -> None:
    """End a membership. Locks the organization.

    Refuses to remove the last owner (LastOwner), or a member who is already removed (NotMember).
    """
    organization, about = membership.organization, f"user:{membership.user_id}"
    if _lock_owners(organization) == [membership.pk]:
        raise LastOwner
    if not Membership.objects.filter(pk=membership.pk).delete()[0]:
        raise NotMember
    audit.add_audit_entry(organization=organization, actor=actor, verb="removed", about=about, now=now)


def _lock_owners(organization: Organization) -> list[int]:
    """Lock the organization, so that two owners cannot remove each other. Return its owners' membership ids."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    owners = Membership.objects.filter(organization=organization, role=Role.OWNER)
    return list(owners.values_list("pk", flat=True))
