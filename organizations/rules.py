"""The permissions of each role, and the limits of sign-ins, API keys, repeated requests and invitations."""

from datetime import timedelta
from typing import Final, Literal, get_args

from organizations.models import Role

MAX_IDLE_TIME = timedelta(hours=2)  # after it, a member must sign in again
MAX_SESSIONS_SHOWN = 200

# Requests to the API: of one IP address, and of one API key or member.
ANONYMOUS_REQUESTS_PER_MINUTE, MEMBER_REQUESTS_PER_MINUTE = 300, 1200

KEY_USE_RECORDED_EVERY = timedelta(minutes=1)

ANSWER_LIFETIME = timedelta(hours=24)  # how long a repeated request gets the stored response
RETRY_PARKED_ROW_AFTER = timedelta(hours=1)
PARKED_ROW_KEPT = timedelta(days=1)  # after `retry_at`; longer than the six hours between two runs of any sweep

INVITATION_LIFETIME = timedelta(days=7)
INVITATION_KEPT = timedelta(days=30)  # after it expired
INVITATION_WINDOW = timedelta(days=1)
MAX_INVITATIONS_PER_DAY = 30  # by one organization
MAX_FOUNDERS_PER_DAY = 5  # by one organization
MAX_SENDS_PER_INVITATION = 5
MAX_SETUP_LINKS_PER_ADDRESS = 3  # per day

Permission = Literal["view", "see_plan", "check_in", "plan", "manage"]
PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

_PERMISSIONS_BY_ROLE: Final[dict[str, frozenset[str]]] = {
    Role.VIEWER: frozenset({"view", "see_plan"}),
    Role.CHECK_IN: frozenset({"view", "check_in"}),
    Role.COORDINATOR: frozenset({"view", "see_plan", "check_in", "plan"}),
    Role.OWNER: frozenset(PERMISSIONS),
}


def is_allowed(role: str, permission: Permission) -> bool:
    return permission in _PERMISSIONS_BY_ROLE.get(role, frozenset())


def needs_second_step(role: str) -> bool:
    """Return whether members with this role need a second sign-in step, unless the installation requires none."""
    return is_allowed(role, "plan")
