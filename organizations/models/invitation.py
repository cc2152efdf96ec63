from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from organizations.models.access import Role, User
from organizations.models.linked_model import LinkedModel
from organizations.models.organization import Organization


class InvitationState(models.TextChoices):
    OPEN = "open", _("Invited")
    USED = "used", _("Accepted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Invitation(LinkedModel):
    """A link that adds one member. It works once, until `expires_at`.

    Without an organization, the link founds a new one, and its user becomes the owner.
    """

    link_purpose: ClassVar[str] = "invitation"

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, null=True, blank=True, related_name="invitations"
    )
    email = models.EmailField(blank=True)  # blank if `manage.py create_organization` printed the link
    role = models.CharField(max_length=12, choices=Role, default=Role.OWNER)
    state = models.CharField(max_length=10, choices=InvitationState, default=InvitationState.OPEN)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    sent_count = models.PositiveSmallIntegerField(default=1)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link_hash"], name="one_invitation_per_link"),
            models.CheckConstraint(
                condition=models.Q(state__in=InvitationState.values), name="invitation_state_is_known"
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_is_known"),
            models.CheckConstraint(
                condition=models.Q(organization=None) | ~models.Q(email=""), name="invitation_of_a_member_has_an_email"
            ),
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=models.Q(state="open"),
                name="one_open_invitation_per_email",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_role_display()}, {self.organization or 'a new organization'}"
