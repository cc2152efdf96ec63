import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import IntegrityError, transaction

from drives.privacy.forms import RetentionForm
from organizations import memberships
from organizations import queries as organizations_queries
from organizations.memberships import LastOwner
from organizations.models import AuditEntry, Membership, Role
from tests import builders, storm
from tests.builders import NOW


@pytest.mark.django_db
def test_a_user_is_found_in_their_own_organization_only() -> None:
    hope, other = builders.organization("Hope"), builders.organization("Other")
    ben = builders.member(hope)
    assert organizations_queries.find_membership(ben.user) == ben
    assert organizations_queries.find_membership(ben.user, hope.slug) == ben
    assert organizations_queries.find_membership(ben.user, other.slug) is None
    assert organizations_queries.find_membership(ben.user, "unknown") is None
    assert organizations_queries.find_membership(AnonymousUser()) is None
    assert list(organizations_queries.list_organizations(ben.user)) == [hope]
    assert list(organizations_queries.list_organizations(AnonymousUser())) == []


@pytest.mark.django_db
def test_a_deactivated_user_has_no_membership() -> None:
    ben = builders.member(builders.organization())
    ben.user.is_active = False
    assert organizations_queries.find_membership(ben.user) is None


@pytest.mark.django_db
def test_with_several_organizations_the_first_by_name_is_taken() -> None:
    zeal, hope = builders.organization("Zeal"), builders.organization("Hope")
    ben = builders.member(zeal)
    memberships.add_member(organization=hope, user=ben.user, role=Role.VIEWER, actor="test", now=NOW)
    found = organizations_queries.find_membership(ben.user)
    assert found is not None
    assert found.organization == hope
    assert list(organizations_queries.list_organizations(ben.user)) == [hope, zeal]


@pytest.mark.django_db
def test_only_owners_and_coordinators_get_the_e_mail() -> None:
    hope = builders.organization()
    for role in Role:
        builders.member(hope, role, f"{role.value}@example.org")
    builders.member(builders.organization(), Role.OWNER, "cleo@example.org")
    gone = builders.member(hope, Role.OWNER, "gone@example.org")
    gone.user.is_active = False
    gone.user.save()
    assert organizations_queries.list_coordinator_emails(hope) == ["coordinator@example.org", "owner@example.org"]


@pytest.mark.django_db
def test_an_organization_is_founded_with_its_owner_and_a_trace() -> None:
    ben = builders.member(builders.organization()).user
    hope = memberships.create_organization(
        name="Hope", slug="hope", sms_name="Hope", email="office@example.org", owner=ben, actor="system", now=NOW
    )
    assert [member.role for member in hope.memberships.all()] == ["owner"]
    traces = list(AuditEntry.objects.filter(organization=hope).order_by("pk").values_list("verb", "about"))
    assert traces == [("created", f"organization:{hope.pk}"), ("added", f"user:{ben.pk}")]


@pytest.mark.django_db
def test_adding_a_member_again_changes_the_role() -> None:
    hope = builders.organization()
    builders.member(hope)
    ben = builders.member(hope, Role.VIEWER)
    memberships.add_member(organization=hope, user=ben.user, role=Role.COORDINATOR, actor="test", now=NOW)
    assert list(Membership.objects.filter(user=ben.user).values_list("role", flat=True)) == ["coordinator"]


@pytest.mark.django_db
def test_the_last_owner_stays() -> None:
    ben = builders.member(builders.organization())
    builders.member(ben.organization, Role.COORDINATOR)
    with pytest.raises(LastOwner):
        memberships.remove_member(membership=ben, actor="test", now=NOW)
    with pytest.raises(LastOwner):
        memberships.change_role(membership=ben, role=Role.VIEWER, actor="test", now=NOW)
    assert list(Membership.objects.filter(role=Role.OWNER)) == [ben]


@pytest.mark.django_db(transaction=True)
def test_two_owners_cannot_remove_each_other_at_once() -> None:
    hope = builders.organization()
    owners = [builders.member(hope), builders.member(hope)]
    storm.at_once(2, lambda n: memberships.remove_member(membership=owners[n], actor="test", now=NOW))
    assert Membership.objects.filter(role=Role.OWNER).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("months", "is_fine"), [(2, False), (3, True), (120, True), (121, False)])
def test_people_are_kept_for_3_to_120_months(months: int, is_fine: bool) -> None:
    hope = builders.organization()
    if is_fine:
        assert memberships.set_retention_months(organization=hope, months=months, actor="user:1", now=NOW)
    else:
        with pytest.raises(IntegrityError), transaction.atomic():
            memberships.set_retention_months(organization=hope, months=months, actor="user:1", now=NOW)
    errors = RetentionForm({"months": months}).errors
    assert ("months" in errors) is not is_fine


@pytest.mark.django_db
def test_people_are_kept_for_24_months_unless_their_organization_says_otherwise() -> None:
    assert builders.organization().retention_months == 24
