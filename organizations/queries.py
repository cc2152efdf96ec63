import hmac
from datetime import datetime

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Q, QuerySet

from organizations import rules
from organizations.models import ApiKey, Membership, Organization, Role, User, linked_model


def find_membership(user: User | AnonymousUser, organization_slug: str | None = None) -> Membership | None:
    """Return the user's membership in this organization. Without a slug, return the first by organization name."""
    if not isinstance(user, User) or not user.is_active or "\x00" in (organization_slug or ""):
        return None
    memberships = Membership.objects.filter(user=user).select_related("organization")
    if organization_slug is not None:
        memberships = memberships.filter(organization__slug=organization_slug)
    return memberships.order_by("organization__name", "id").first()


def lacks_second_step(membership: Membership) -> bool:
    """Return whether the member needs a second sign-in step but has none. One query.

    A user with a second step (app codes or a passkey) cannot sign in without using it.
    """
    return requires_second_step(membership.role) and signs_in_with_password_only(membership.user_id)


def requires_second_step(role: str) -> bool:
    """Return whether members with this role must set up a second sign-in step. The demo requires none."""
    return settings.SECOND_STEP_REQUIRED and rules.needs_second_step(role)


def signs_in_with_password_only(user_id: int) -> bool:
    if not settings.SECOND_STEP_REQUIRED:
        return False
    authenticators = Authenticator.objects.filter(user=user_id).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return not authenticators.exists()


def list_organizations(user: User | AnonymousUser) -> QuerySet[Organization]:
    if not isinstance(user, User):
        return Organization.objects.none()
    return Organization.objects.filter(memberships__user=user).order_by("name", "id")


def find_api_key(header: str, now: datetime) -> ApiKey | None:
    scheme, _, token = header.strip().partition(" ")
    marker, _, rest = token.strip().partition("_")
    prefix, _, secret = rest.partition("_")
    if scheme.lower() != "bearer" or marker != "pd" or not prefix or not secret or "\x00" in token:
        return None
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
    key = ApiKey.objects.filter(live, prefix=prefix).select_related("organization").first()
    return key if key and hmac.compare_digest(key.secret_hash, linked_model.hash_token(secret)) else None


def list_countries() -> list[str]:
    """List the countries of all organizations, the most common first. One query."""
    countries = Organization.objects.values("country").annotate(many=Count("pk")).order_by("-many", "country")
    return list(countries.values_list("country", flat=True))


def list_coordinator_emails(organization: Organization) -> list[str]:
    members = User.objects.filter(
        is_active=True,
        memberships__organization=organization,
        memberships__role__in=[Role.OWNER, Role.COORDINATOR],
    )
    return list(members.order_by("email").values_list("email", flat=True))
