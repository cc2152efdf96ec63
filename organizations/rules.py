"""What a role may do."""

from typing import Final, Literal, get_args

from organizations.models import Role

Verb = Literal["view", "check_in", "plan", "manage"]
VERBS: Final[tuple[Verb, ...]] = get_args(Verb)

_ALLOWED: Final[dict[str, frozenset[str]]] = {
    Role.VIEWER: frozenset({"view"}),
    Role.CHECK_IN: frozenset({"view", "check_in"}),
    Role.COORDINATOR: frozenset({"view", "check_in", "plan"}),
    Role.OWNER: frozenset(VERBS),
}


def may(role: str, verb: Verb) -> bool:
    """Whether somebody in this role may do this; an unknown role may do nothing."""
    return verb in _ALLOWED.get(role, frozenset())
