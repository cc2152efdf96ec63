"""Invite members and founders by a link that works once, and accept such a link.

The database contains the link's token only hashed and encrypted (`LinkedModel`). A new link for the same invitation
makes the earlier link invalid.
"""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from organizations import audit, memberships, messages, rules, text_locks
from organizations.models import Invitation, InvitationState, Membership, Organization, Role, User, linked_model

_SENTENCES = {
    "invitation_unknown": _("This link is not valid. Check that you opened the whole link, or ask for a new one."),
    "invitation_used": _("This link has already been used. If you used it yourself, sign in."),
    "invitation_withdrawn": _("This invitation has been withdrawn. Ask an owner of the organization for a new one."),
    "invitation_expired": _("This link has expired. Ask for a new one."),
    "invitation_for_another_address": _(
        "This invitation was sent to another e-mail address. Sign out, then open the link again."
    ),
    "already_member": _("This person is already a member."),
    "already_invited": _("This person is already invited. You can send the invitation again."),
    "too_many_invitations": _("You’ve sent too many invitations today. Try again tomorrow."),
    "sent_too_often": _("This invitation was sent several times. Withdraw it and check the e-mail address."),
    "address_invited_often": _("We’ve already sent several links to this address today. Try again tomorrow."),
    "email_taken": _("This e-mail address already has an account. Sign in first, then open the link again."),
    "email_missing": _("Enter your e-mail address."),
}


class InvitationRefused(ValidationError):
    def __init__(self, code: str, field: str = "") -> None:
        problem = ValidationError(_SENTENCES[code], code=code)
        super().__init__({field: problem} if field else problem)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class NewUser:
    """The data for a new account, for an invited person without an account."""

    password: str
    name: str = ""
    email: str = ""  # only if the invitation has none


@transaction.atomic
def create_setup_link(*, now: datetime) -> tuple[Invitation, str]:
    """Create a link to set up an organization. The administrator passes the link on, because nothing is mailed."""
    invitation = _create_invitation(organization=None, email="", role=Role.OWNER, invited_by=None, now=now)
    return invitation, messages.build_invitation_url(invitation)


@transaction.atomic
def mail_setup_link(*, email: str, language: str, now: datetime, invited_by: User | None = None) -> Invitation | None:
    """Mail a link to set up an organization. Return None if the address has reached its limit of links a day."""
    address = User.objects.normalize_email(email).lower()
    text_locks.lock_text(f"setup link {address}")
    sent = Invitation.objects.filter(organization=None, email=address, created_at__gt=now - rules.INVITATION_WINDOW)
    if sent.count() >= rules.MAX_SETUP_LINKS_PER_ADDRESS:
        return None
    invitation = _create_invitation(organization=None, email=address, role=Role.OWNER, invited_by=invited_by, now=now)
    messages.send_invitation(invitation, language=language)
    return invitation


@transaction.atomic
def invite_founder(*, organization: Organization, email: str, invited_by: User, now: datetime) -> Invitation:
    """Mail a link that lets another foundation set up its own organization. Locks the inviting organization.

    Refuses too_many_invitations, address_invited_often.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    rows = Invitation.objects.filter(organization=None, invited_by__memberships__organization=organization)
    if rows.filter(created_at__gt=now - rules.INVITATION_WINDOW).count() >= rules.MAX_FOUNDERS_PER_DAY:
        raise InvitationRefused("too_many_invitations")
    invitation = mail_setup_link(email=email, language=organization.language, invited_by=invited_by, now=now)
    if invitation is None:
        raise InvitationRefused("address_invited_often", "email")
    actor, about = f"user:{invited_by.pk}", f"invitation:{invitation.pk}"
    audit.add_audit_entry(organization=organization, actor=actor, verb="invited_founder", about=about, now=now)
    return invitation


@transaction.atomic
def invite_member(*, organization: Organization, email: str, role: str, invited_by: User, now: datetime) -> Invitation:
    """Mail an invitation to become a member. It replaces an expired invitation to the same address.

    Refuses already_member, already_invited, too_many_invitations. Locks the organization.
    """
    address = User.objects.normalize_email(email).lower()
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)
    if Membership.objects.filter(organization=organization, user__email=address).exists():
        raise InvitationRefused("already_member", "email")
    rows = Invitation.objects.filter(organization=organization)
    if rows.filter(sent_at__gt=now - rules.INVITATION_WINDOW).count() >= rules.MAX_INVITATIONS_PER_DAY:
        raise InvitationRefused("too_many_invitations")
    existing = rows.filter(email=address, state=InvitationState.OPEN).first()
    if existing and existing.expires_at > now:
        raise InvitationRefused("already_invited", "email")
    if existing:
        existing.state = InvitationState.WITHDRAWN
        existing.save(update_fields=["state"])
    invitation = _create_invitation(organization=organization, email=address, role=role, invited_by=invited_by, now=now)
    messages.send_invitation(invitation, language=organization.language)
    _add_audit_entry(invitation, "invited", f"user:{invited_by.pk}", now)
    return invitation


@transaction.atomic
def resend_invitation(*, invitation: Invitation, actor: str, now: datetime) -> Invitation:
    """Mail a new link for an invitation. The earlier link stops working.

    Refuses an invitation that was used or withdrawn, and one that was mailed too often (sent_too_often).
    """
    row = _lock_invitation(invitation.pk)
    _refuse_ended(row)
    if row.sent_count >= rules.MAX_SENDS_PER_INVITATION:
        raise InvitationRefused("sent_too_often")
    changes = {
        **row.build_renewed_link_fields(),
        "sent_at": now,
        "sent_count": row.sent_count + 1,
        "expires_at": now + rules.INVITATION_LIFETIME,
    }
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))
    messages.send_invitation(row, language=row.organization.language if row.organization else "en")
    _add_audit_entry(row, "invited_again", actor, now)
    return row


@transaction.atomic
def withdraw_invitation(*, invitation: Invitation, actor: str, now: datetime) -> None:
    row = _lock_invitation(invitation.pk)
    _refuse_ended(row)
    row.state = InvitationState.WITHDRAWN
    row.save(update_fields=["state"])
    _add_audit_entry(row, "withdrew_invitation", actor, now)


def find_invitation(token: str, now: datetime) -> Invitation:
    """Return the open invitation of this link, or raise InvitationRefused with the reason."""
    row = Invitation.filter_by_token(token).select_related("organization").first()
    if row is None:
        raise InvitationRefused("invitation_unknown")
    _refuse_ended(row)
    if row.expires_at <= now:
        raise InvitationRefused("invitation_expired")
    return row


@transaction.atomic
def found_organization(
    *, token: str, organization_name: str, user: User | NewUser, language: str, now: datetime
) -> Membership:
    """Create an organization from a set-up link, and an account for its owner if needed. Locks the invitation."""
    invitation = _take_invitation(token, now)
    if invitation.organization:
        raise InvitationRefused("invitation_unknown")
    owner = _ensure_user(invitation, user)
    organization = memberships.create_organization(
        name=organization_name,
        slug=memberships.choose_free_slug(organization_name),
        sms_name=memberships.shorten_name(organization_name),
        email=owner.email,
        language=language,
        owner=owner,
        actor=f"user:{owner.pk}",
        now=now,
    )
    return Membership.objects.select_related("organization").get(organization=organization, user=owner)


@transaction.atomic
def accept_invitation(*, token: str, user: User | NewUser, now: datetime) -> Membership:
    """Make the invited person a member, and create an account if needed. Locks the invitation.

    A member of the organization keeps their present role.
    """
    invitation = _take_invitation(token, now)
    if invitation.organization is None:
        raise InvitationRefused("invitation_unknown")
    member = _ensure_user(invitation, user)
    existing = Membership.objects.filter(organization=invitation.organization, user=member).first()
    return existing or memberships.add_member(
        organization=invitation.organization, user=member, role=invitation.role, actor=f"user:{member.pk}", now=now
    )


def _take_invitation(token: str, now: datetime) -> Invitation:
    """Lock the invitation and mark it as used. A second caller waits for the lock and is then refused."""
    found = find_invitation(token, now)
    invitation = _lock_invitation(found.pk)
    _refuse_ended(invitation)
    if invitation.link_hash != linked_model.hash_token(token):  # the link was renewed while this call waited
        raise InvitationRefused("invitation_unknown")
    invitation.state = InvitationState.USED
    invitation.save(update_fields=["state"])
    return invitation


def _ensure_user(invitation: Invitation, user: User | NewUser) -> User:
    if isinstance(user, User):
        if invitation.email and invitation.email != user.email:
            raise InvitationRefused("invitation_for_another_address")
        return user
    email = invitation.email or User.objects.normalize_email(user.email).lower()
    if not email:
        raise InvitationRefused("email_missing", "email")
    text_locks.lock_text(f"user {email}")
    if User.objects.filter(email=email).exists():
        raise InvitationRefused("email_taken", "" if invitation.email else "email")
    made = User(email=email, first_name=user.name)
    try:
        password_validation.validate_password(user.password, made)
    except ValidationError as error:
        raise ValidationError({"password": error}) from error
    return User.objects.create_user(email, user.password, first_name=user.name)


def _create_invitation(
    *, organization: Organization | None, email: str, role: str, invited_by: User | None, now: datetime
) -> Invitation:
    return Invitation.objects.create(
        **Invitation.build_link_fields(),
        organization=organization,
        email=email,
        role=Role(role),
        invited_by=invited_by,
        created_at=now,
        sent_at=now,
        expires_at=now + rules.INVITATION_LIFETIME,
    )


def _lock_invitation(pk: int) -> Invitation:
    return Invitation.objects.select_for_update(no_key=True, of=("self",)).select_related("organization").get(pk=pk)


def _refuse_ended(invitation: Invitation) -> None:
    if invitation.state != InvitationState.OPEN:
        raise InvitationRefused(f"invitation_{invitation.state}")


def _add_audit_entry(invitation: Invitation, verb: str, actor: str, now: datetime) -> None:
    if invitation.organization:
        about = f"invitation:{invitation.pk}"
        audit.add_audit_entry(organization=invitation.organization, actor=actor, verb=verb, about=about, now=now)
