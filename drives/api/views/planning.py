"""The life of a drive: preview, publish, close, cancel, copy."""

from dataclasses import replace
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from drives.actions import grid, planning
from drives.api import bodies, documented, plans, preview_shapes, shapes
from drives.api.access import ApiView
from drives.api.views import drives
from drives.domain import plan as domain_plan
from drives.models import Policy, Site
from drives.planning import plan as planning_plan

PLAN, DAY, REASON = bodies.PlanBody(), bodies.DayBody(), bodies.ReasonBody()


class Preview(ApiView):
    """What a plan would make: its times and capacity, or what is wrong with it. Nothing is kept."""

    needs: ClassVar = {"POST": "plan"}

    @documented.call("preview_drive", preview_shapes.Preview, takes=PLAN)
    def post(self, request: Request) -> Response:
        plan = plans.read(PLAN.run_validation(request.data))
        site = Site.objects.filter(organization=self.caller.organization, pk=plan.site_id).first()
        if site is None:
            raise ValidationError({"site": ValidationError(_("Choose one of your sites."), code="site_unknown")})
        grid.refuse_foreign(self.caller.organization, plan)
        found = domain_plan.preview(plan=plan, zone=site.timezone)
        problems = [*found.problems, *planning_plan.looser(plan, Policy.objects.get(pk=plan.policy_id))]
        return Response(plans.preview(replace(found, problems=problems), site.timezone))


class Publish(ApiView):
    """Open a draft, or a closed drive, for booking."""

    needs: ClassVar = {"POST": "plan"}

    @documented.call("publish_drive", shapes.OwnDrive, 404, 409)
    def post(self, request: Request, drive_id: int) -> Response:
        drive = self.drive(drive_id)
        planning.publish(drive_id=drive.pk, actor=self.caller.actor, now=timezone.now())
        return drives.own_drive(self.drive(drive_id))


class Close(ApiView):
    """Take no more bookings online; what is booked stays."""

    needs: ClassVar = {"POST": "plan"}

    @documented.call("close_drive", shapes.OwnDrive, 404, 409)
    def post(self, request: Request, drive_id: int) -> Response:
        drive = self.drive(drive_id)
        planning.close(drive_id=drive.pk, actor=self.caller.actor, now=timezone.now())
        return drives.own_drive(self.drive(drive_id))


class CancelDrive(ApiView):
    """Cancel a drive with all its bookings, and tell everybody once."""

    needs: ClassVar = {"POST": "plan"}

    @documented.call("cancel_drive", shapes.OwnDrive, 404, 409, takes=REASON)
    def post(self, request: Request, drive_id: int) -> Response:
        drive, body = self.drive(drive_id), REASON.run_validation(request.data)
        planning.cancel_drive(
            drive_id=drive.pk, reason=body.get("reason", ""), actor=self.caller.actor, now=timezone.now()
        )
        return drives.own_drive(self.drive(drive_id))


class Copy(ApiView):
    """A draft with the same plan on another day."""

    needs: ClassVar = {"POST": "plan"}

    @documented.call("copy_drive", shapes.OwnDrive, 404, takes=DAY, status=201)
    def post(self, request: Request, drive_id: int) -> Response:
        drive, body = self.drive(drive_id), DAY.run_validation(request.data)
        made = planning.copy_drive(drive_id=drive.pk, on=body["on"], actor=self.caller.actor, now=timezone.now())
        return drives.own_drive(self.drive(made.pk), status=201)
