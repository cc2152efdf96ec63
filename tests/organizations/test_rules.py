import pytest

from organizations import rules as organizations_rules
from organizations.models import Role
from organizations.rules import PERMISSIONS


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, ["view", "see_plan"]),
        (Role.CHECK_IN, ["view", "check_in"]),
        (Role.COORDINATOR, ["view", "see_plan", "check_in", "plan"]),
        (Role.OWNER, ["view", "see_plan", "check_in", "plan", "manage"]),
        ("stranger", []),
        ("", []),
    ],
)
def test_a_role_may_do_what_is_listed_and_nothing_else(role: str, allowed: list[str]) -> None:
    assert [verb for verb in PERMISSIONS if organizations_rules.is_allowed(role, verb)] == allowed


def test_the_requests_to_the_api_that_a_caller_may_make_in_a_minute() -> None:
    assert organizations_rules.ANONYMOUS_REQUESTS_PER_MINUTE == 300
    assert organizations_rules.MEMBER_REQUESTS_PER_MINUTE == 1200
