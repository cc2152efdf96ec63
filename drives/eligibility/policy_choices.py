"""The donation programs that the plan form offers."""

from dataclasses import dataclass

from django.db.models import QuerySet

from drives.eligibility import policies as eligibility_policies
from drives.models import Policy
from organizations.models import Organization


def list_newest_policies(organization: Organization) -> QuerySet[Policy]:
    newest = (
        Policy.objects.offered_to(organization)
        .order_by("code", "organization", "-version")
        .distinct("code", "organization")
    )
    return Policy.objects.filter(pk__in=newest.values("pk")).order_by("name", "pk")


def build_visit_minutes(policy: Policy) -> dict[str, int]:
    return {
        "first_screening": policy.first_screening_minutes,
        "first_chair": policy.chair_minutes,
        "return_screening": policy.return_screening_minutes,
        "return_chair": policy.chair_minutes,
    }


@dataclass(frozen=True)
class PolicyChoice:
    policy: Policy
    rule: str
    chosen: bool


def build_policy_choices(
    offered: QuerySet[Policy], chosen: str, country: str
) -> tuple[list[PolicyChoice], list[PolicyChoice]]:
    near: list[PolicyChoice] = []
    far: list[PolicyChoice] = []
    for policy in offered:
        choice = PolicyChoice(policy, eligibility_policies.describe_rules(policy.rules), str(policy.pk) == chosen)
        is_near = choice.chosen or policy.organization_id or policy.code.startswith(f"{country}_")
        (near if is_near else far).append(choice)
    return (near, far) if near else (far, [])
