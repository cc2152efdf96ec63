import pytest

from organizations import rules as organizations_rules
from organizations.models import Role
from organizations.rules import PERMISSIONS


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, ["view"]),
        (Role.CHECK_IN, ["view", "check_in"]),
        (Role.COORDINATOR, ["view", "check_in", "plan"]),
        (Role.OWNER, ["view", "check_in", "plan", "manage"]),
        ("stranger", []),
        ("", []),
    ],
)
def test_a_role_may_do_what_is_listed_and_nothing_else(role: str, allowed: list[str]) -> None:
    assert [verb for verb in PERMISSIONS if organizations_rules.is_allowed(role, verb)] == allowed
