from organizations.models.access import ApiKey, Membership, Role, User
from organizations.models.audit import AuditEntry
from organizations.models.idempotency import IdempotentAnswer
from organizations.models.linked import Linked, token_digest
from organizations.models.organization import Cause, CauseFact, Organization

__all__ = [
    "ApiKey",
    "AuditEntry",
    "Cause",
    "CauseFact",
    "IdempotentAnswer",
    "Linked",
    "Membership",
    "Organization",
    "Role",
    "User",
    "token_digest",
]
