"""Find the set-up steps that an organization has done or skipped."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef

from drives.models import CollectionCenter, Drive, Site
from drives.web.setup_steps import STEPS, SetupStep
from organizations import profile
from organizations.models import Cause, Invitation, InvitationState, Membership, Organization


@dataclass(frozen=True)
class StepState:
    step: SetupStep
    is_done: bool
    is_skipped: bool

    @property
    def is_open(self) -> bool:
        return not self.is_done and not self.is_skipped


def list_steps(organization: Organization) -> list[StepState]:
    """List the set-up steps in order, with their state. One query."""
    here = {"organization": OuterRef("pk")}
    facts = Organization.objects.annotate(
        has_site=Exists(Site.objects.filter(**here)),
        has_center=Exists(CollectionCenter.objects.filter(**here)),
        has_cause=Exists(Cause.objects.filter(**here)),
        has_drive=Exists(Drive.objects.filter(**here)),
        has_colleague=Exists(Invitation.objects.filter(**here).exclude(state=InvitationState.WITHDRAWN))
        | Exists(Membership.objects.filter(**here).values("organization").annotate(n=Count("pk")).filter(n__gt=1)),
    ).get(pk=organization.pk)
    by_data = {
        "site": facts.has_site,
        "center": facts.has_center,
        "cause": facts.has_cause,
        "members": facts.has_colleague,
        "drive": facts.has_drive,
        # A plan names its program, and later drives copy it.
        "program": facts.has_drive or "program" in facts.setup_steps,
    }
    states = []
    for step in STEPS:
        is_done = by_data.get(step.code, step.code in facts.setup_steps)
        is_skipped = step.may_be_skipped and profile.build_skipped_mark(step.code) in facts.setup_steps
        states.append(StepState(step, is_done, is_skipped and not is_done))
    return states


def find_next_step(states: list[StepState], after: str = "") -> SetupStep | None:
    """Return the first open step after the step `after`, or else the first open step. Return None if all are closed."""
    codes = [state.step.code for state in states]
    start = codes.index(after) + 1 if after in codes else 0
    return next((state.step for state in [*states[start:], *states[:start]] if state.is_open), None)
