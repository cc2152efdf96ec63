from organizations.models.access import ApiKey, Membership, Role, User
from organizations.models.audit import AuditEntry
from organizations.models.idempotency import IdempotentAnswer
from organizations.models.linked import Linked, token_digest
from organizations.models.organization import Cause, CauseFact, Organization
from organizations.models.rows import append, blank, insert, together
from organizations.models.statements import Rows, Sql, Statement, answers

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
    "Rows",
    "Sql",
    "Statement",
    "User",
    "answers",
    "append",
    "blank",
    "insert",
    "together",
    "token_digest",
]
