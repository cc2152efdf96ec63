"""Requests about members run at the same moment.

One invitation adds one member, and an organization keeps its last owner.
"""

from collections.abc import Callable
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest
from django.contrib.auth import password_validation

from organizations import invitations, memberships, text_locks
from organizations.invitations import NewUser
from organizations.models import Invitation, Membership, Organization, Role, User
from tests import builders, seeds, storm
from tests.builders import NOW, PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = 10


def use_one_link_twice() -> int:
    """Let two people use the same setup link. Return how many organizations they create."""
    before = Organization.objects.count()
    token = invitations.create_setup_link(now=NOW)[0].token

    def found(number: int) -> Membership:
        dora = NewUser(password=PASSWORD, email=f"dora{before}{number}@example.org")
        name = f"Hope {before}{number}"
        return invitations.found_organization(token=token, organization_name=name, user=dora, language="en", now=NOW)

    storm.at_once(2, found)
    return Organization.objects.count() - before


def lose_two_owners() -> int:
    """Remove one of two owners, and make the other a viewer, at the same moment. Return how many owners are left."""
    hope = builders.organization()
    owners = [builders.member(hope), builders.member(hope)]
    acts: list[Callable[[], object]] = [
        partial(memberships.remove_member, membership=owners[0], actor="test", now=NOW),
        partial(memberships.change_role, membership=owners[1], role=Role.VIEWER, actor="test", now=NOW),
    ]
    storm.meet(acts)
    return Membership.objects.filter(organization=hope, role=Role.OWNER).count()


def found_two_of_one_name() -> int:
    """Create two organizations with the same name at the same moment. Return how many were created."""
    before = Organization.objects.count()
    tokens = [invitations.create_setup_link(now=NOW)[0].token for _ in range(2)]
    create = memberships.create_organization

    def found(number: int) -> Membership:
        dora = NewUser(password=PASSWORD, email=f"dora{before}{number}@example.org")
        return invitations.found_organization(
            token=tokens[number], organization_name=f"Hope {before}", user=dora, language="en", now=NOW
        )

    def create_later(**values: Any) -> Organization:
        storm.pause()
        return create(**values)

    with patch.object(memberships, "create_organization", create_later):
        storm.at_once(2, found)
    return Organization.objects.count() - before


def join_two_with_one_address() -> list[str]:
    """Let a person without an account accept two invitations at the same moment.

    Return the type names of the two results.
    """
    address = f"dana{User.objects.count()}@example.org"
    tokens = []
    for owner in (builders.member(builders.organization()), builders.member(builders.organization())):
        invitation = invitations.invite_member(
            organization=owner.organization, email=address, role=Role.VIEWER, invited_by=owner.user, now=NOW
        )
        tokens.append(invitation.token)

    def join(number: int) -> Membership:
        return invitations.accept_invitation(token=tokens[number], user=NewUser(password=PASSWORD), now=NOW)

    with patch.object(password_validation, "validate_password", lambda *_: storm.pause()):
        return sorted(type(answer).__name__ for answer in storm.at_once(2, join))


def test_two_founders_of_one_name_both_get_an_organization() -> None:
    assert [found_two_of_one_name() for _ in range(RUNS)] == [2] * RUNS


def test_control_without_the_lock_one_founder_fails() -> None:
    with patch.object(text_locks, "lock_text"):
        assert sum(found_two_of_one_name() == 1 for _ in range(RUNS)) >= 9


def test_one_address_gets_one_account_and_the_second_link_says_sign_in() -> None:
    assert [join_two_with_one_address() for _ in range(RUNS)] == [["InvitationRefused", "Membership"]] * RUNS


def test_control_without_the_lock_the_second_link_fails() -> None:
    with patch.object(text_locks, "lock_text"):
        assert sum("IntegrityError" in join_two_with_one_address() for _ in range(RUNS)) >= 9


def test_one_link_founds_one_organization(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, invitations, "_lock_invitation")
    assert [use_one_link_twice() for _ in range(RUNS)] == [1] * RUNS


def test_control_without_the_lock_it_founds_two() -> None:
    def read_without_lock(pk: int) -> Invitation:
        invitation = Invitation.objects.select_related("organization").get(pk=pk)
        storm.pause()
        return invitation

    with patch.object(invitations, "_lock_invitation", read_without_lock):
        assert sum(use_one_link_twice() == 2 for _ in range(RUNS)) >= 9


def test_one_of_two_owners_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    seeds.pause_after(monkeypatch, memberships, "_lock_owners")
    assert [lose_two_owners() for _ in range(RUNS)] == [1] * RUNS


def test_control_without_the_lock_none_stays() -> None:
    def list_without_lock(organization: Organization) -> list[int]:
        rows = Membership.objects.filter(organization=organization, role=Role.OWNER)
        owners = list(rows.values_list("pk", flat=True))
        storm.pause()
        return owners

    with patch.object(memberships, "_lock_owners", list_without_lock):
        assert sum(lose_two_owners() == 0 for _ in range(RUNS)) >= 9
