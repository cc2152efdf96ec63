"""One invitation adds one member, and an organization keeps its last owner, also if requests meet."""

from collections.abc import Callable
from functools import partial
from unittest.mock import patch

import pytest

from organizations import invitations, memberships
from organizations.invitations import NewUser
from organizations.models import Invitation, Membership, Organization, Role
from tests import builders, storm
from tests.builders import NOW, PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = 10


def use_one_link_twice() -> int:
    """Return how many organizations two people found with one link."""
    before = Organization.objects.count()
    token = invitations.create_setup_link(now=NOW)[0].token

    def found(number: int) -> Membership:
        dora = NewUser(password=PASSWORD, email=f"dora{before}{number}@example.org")
        name = f"Hope {before}{number}"
        return invitations.found_organization(token=token, organization_name=name, user=dora, language="en", now=NOW)

    storm.at_once(2, found)
    return Organization.objects.count() - before


def lose_two_owners() -> int:
    """Return how many owners are left after two owners leave at the same moment: one removed, one made viewer."""
    hope = builders.organization()
    owners = [builders.member(hope), builders.member(hope)]
    acts: list[Callable[[], object]] = [
        partial(memberships.remove_member, membership=owners[0], actor="test", now=NOW),
        partial(memberships.change_role, membership=owners[1], role=Role.VIEWER, actor="test", now=NOW),
    ]
    storm.meet(acts)
    return Membership.objects.filter(organization=hope, role=Role.OWNER).count()


def test_one_link_founds_one_organization() -> None:
    assert [use_one_link_twice() for _ in range(RUNS)] == [1] * RUNS


def test_control_without_the_lock_it_founds_two() -> None:
    def read_without_lock(pk: int) -> Invitation:
        invitation = Invitation.objects.select_related("organization").get(pk=pk)
        storm.pause()
        return invitation

    with patch.object(invitations, "_lock_invitation", read_without_lock):
        assert sum(use_one_link_twice() == 2 for _ in range(RUNS)) >= 9


def test_one_of_two_owners_stays() -> None:
    assert [lose_two_owners() for _ in range(RUNS)] == [1] * RUNS


def test_control_without_the_lock_none_stays() -> None:
    def list_without_lock(organization: Organization) -> list[int]:
        rows = Membership.objects.filter(organization=organization, role=Role.OWNER)
        owners = list(rows.values_list("pk", flat=True))
        storm.pause()
        return owners

    with patch.object(memberships, "_lock_owners", list_without_lock):
        assert sum(lose_two_owners() == 0 for _ in range(RUNS)) >= 9
