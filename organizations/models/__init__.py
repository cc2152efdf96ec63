from organizations.models.access import ApiKey, Membership, Role, User
from organizations.models.audit_entry import AuditEntry
from organizations.models.database_marker import DatabaseMarker
from organizations.models.idempotent_answer import IdempotentAnswer
from organizations.models.invitation import Invitation, InvitationState
from organizations.models.key_fingerprint import KeyFingerprint
from organizations.models.linked_model import LINK_FIELDS, LinkedModel, hash_token
from organizations.models.organization import Cause, CauseFact, CausePicture, Organization, OrganizationLogo
from organizations.models.parked_row import ParkedRow
from organizations.models.shared_cache import SharedCacheEntry

__all__ = [
    "LINK_FIELDS",
    "ApiKey",
    "AuditEntry",
    "Cause",
    "CauseFact",
    "CausePicture",
    "DatabaseMarker",
    "IdempotentAnswer",
    "Invitation",
    "InvitationState",
    "KeyFingerprint",
    "LinkedModel",
    "Membership",
    "Organization",
    "OrganizationLogo",
    "ParkedRow",
    "Role",
    "SharedCacheEntry",
    "User",
    "hash_token",
]
