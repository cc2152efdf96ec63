"""E-mails about accounts. Django's mail backend queues them in the outbox, in the caller's transaction."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import formats, translation
from django.utils.translation import gettext as _

from organizations.models import Invitation


def build_invitation_url(invitation: Invitation) -> str:
    return f"{settings.BASE_URL}/start/{invitation.token}/"


def send_invitation(invitation: Invitation, *, language: str) -> None:
    with translation.override(language):
        if invitation.organization:
            subject, opening = _write_member_text(invitation)
        else:
            subject = _("Set up your organization")
            opening = _("Open this link to set up your organization for plasma drives:")
        ending = _("The link works once, until %(date)s. If you didn’t expect this e-mail, you can ignore it.") % {
            "date": formats.date_format(invitation.expires_at, "DATE_FORMAT")
        }
        body = f"{opening}\n\n{build_invitation_url(invitation)}\n\n{ending}\n"
        EmailMessage(subject=subject, body=body, to=[invitation.email]).send()


def _write_member_text(invitation: Invitation) -> tuple[str, str]:
    organization, inviter = invitation.organization, invitation.invited_by
    facts = {
        "organization": organization,
        "role": invitation.get_role_display(),
        "inviter": (inviter.get_full_name() or inviter.email) if inviter else organization,
    }
    subject = _("Join %(organization)s") % facts
    opening = _("%(inviter)s invites you to plan and run plasma drives with %(organization)s. Your role: %(role)s.")
    return subject, f"{opening % facts} {_('Open this link to join:')}"
