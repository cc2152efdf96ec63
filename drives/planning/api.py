"""Drives, their plans, and the records they are planned with."""

from dataclasses import replace
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import access, bodies, documented, preview_shapes, shapes
from drives.api.access import ApiView
from drives.api.documented import CURSOR, IF_MATCH
from drives.api.serializers import SlotSerializer
from drives.domain import plan as domain_plan
from drives.models import Drive, DriveState, Policy, Site, Visit
from drives.planning import drives, plan_json, slots
from drives.planning import plan as planning_plan
from drives.public import listing
from drives.public.queries import DriveSummary
from drives.public.serializers import DriveDetailSerializer, DriveSerializer, DrivesQuery, SlotsQuery

PLAN, CHANGE = bodies.PlanBody(), bodies.PlanBody(partial=True)


class OwnDriveSerializer(DriveDetailSerializer):
    plan = shapes.Plan(required=False)


class Drives(ApiView):
    """The drives that take bookings; with a key also the organization's own in any other state."""

    needs: ClassVar = {"GET": "public", "POST": "plan"}
    ordering = "starts_at"

    @documented.operation(
        "list_drives",
        "List drives",
        "Published drives that are not over, the next one first. With a key or a session, `status` lists the "
        "organization's own drives in that state, drafts and past ones included.",
        gives=DriveSerializer,
        lists=True,
        public=True,
        parameters=(DrivesQuery, CURSOR),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        wanted = DrivesQuery.read(request.query_params)
        now = timezone.now()
        return self.page(
            request,
            self._found(request, wanted),
            DriveSerializer,
            lambda rows: listing.with_places(rows, now),
        )

    @documented.operation(
        "create_drive",
        "Create a drive",
        "Creates a draft from a plan. The public sees it once it is published. A plan that cannot work is refused with "
        "every problem at once, each with its member.",
        gives=OwnDriveSerializer,
        takes=PLAN,
        status=201,
    )
    def post(self, request: Request) -> Response:
        plan, member = plan_json.read(PLAN.run_validation(request.data)), self.caller
        made = drives.create_drive(organization=member.organization, plan=plan, actor=member.actor, now=timezone.now())
        return own_drive(self.drive(made.pk), status=201)

    def _found(self, request: Request, wanted: dict[str, Any]) -> QuerySet[Drive]:
        narrow = {"city": wanted.get("city", ""), "first_day": wanted.get("from"), "last_day": wanted.get("to")}
        if wanted.get("status", DriveState.PUBLISHED) == DriveState.PUBLISHED:
            return listing.listed_drives(timezone.now(), organization=wanted.get("organization", ""), **narrow)
        member = access.caller(request)
        if member is None:
            raise NotAuthenticated
        return listing.own_drives(member.organization, states=[wanted["status"]], **narrow)


class OneDrive(ApiView):
    """One drive. Its own organization sees drafts, the plan and the version, and changes it."""

    needs: ClassVar = {"GET": "public", "PATCH": "plan"}

    @documented.operation(
        "read_drive",
        "Read a drive",
        "A public drive with its description, cause, donation rules and visit lengths. The drive's own organization "
        "also sees drafts, the `plan`, and the `ETag` that a change must name.",
        gives=OwnDriveSerializer,
        public=True,
        refuses=(404,),
    )
    def get(self, request: Request, drive_id: int) -> Response:
        member = access.caller(request)
        drive = listing.shown_drive(drive_id, member.organization if member else None)
        if drive is None:
            raise Http404
        if member and member.organization == drive.organization:
            return own_drive(drive)
        return Response(DriveDetailSerializer.write(DriveSummary(drive, listing.places_shown(drive, timezone.now()))))

    @documented.operation(
        "change_drive",
        "Change a drive",
        "Changes the members of the plan that are sent and keeps the others. `If-Match` names the version that was "
        "read; if the drive has changed since, the answer is 412. A change of time or capacity that existing bookings "
        "do not fit is refused.",
        gives=OwnDriveSerializer,
        takes=CHANGE,
        parameters=(IF_MATCH,),
        refuses=(404, 409, 412, 428),
    )
    def patch(self, request: Request, drive_id: int) -> Response:
        drive = self.drive(drive_id)
        version, body = plan_json.version(request), CHANGE.run_validation(request.data)
        drives.change_drive(
            drive_id=drive.pk,
            plan=plan_json.changed(drive, body),
            version=version,
            actor=self.caller.actor,
            now=timezone.now(),
        )
        return own_drive(self.drive(drive_id))


class Slots(ApiView):
    """The arrival times of a drive that still have places for a kind of visit. One query."""

    needs: ClassVar = {"GET": "public"}

    @documented.operation(
        "list_slots",
        "List open slots",
        "The arrival times of a drive that still have room for a kind of visit; without `visit`, for a return visit. "
        "First visits take longer, so their list is shorter. The list is empty while the drive takes no bookings.",
        gives=SlotSerializer,
        lists=True,
        public=True,
        parameters=(SlotsQuery,),
        refuses=(400, 404),
    )
    def get(self, request: Request, drive_id: int) -> Response:
        visit = SlotsQuery.read(request.query_params).get("visit", Visit.RETURN)
        shown = listing.times_shown(drive_id, visit, timezone.now())
        if shown is None:
            raise Http404
        with timezone.override(shown.zone):
            times = [SlotSerializer.write(time) for time in shown.times]
        return Response({"results": times, "next": None})


def own_drive(drive: Drive, status: int = 200) -> Response:
    """A drive for those who run it, with its plan and the tag that a change has to name."""
    summary = DriveSummary(drive, listing.places_shown(drive, timezone.now()))
    said = {**DriveDetailSerializer.write(summary), "plan": plan_json.answer(drive)}
    return Response(said, status=status, headers={"ETag": plan_json.etag(drive)})


PLAN, DAY, REASON = bodies.PlanBody(), bodies.DayBody(), bodies.ReasonBody()


class Preview(ApiView):
    """What a plan would make: its times and capacity, or what is wrong with it. Nothing is kept."""

    needs: ClassVar = {"POST": "plan"}

    @documented.operation(
        "preview_drive",
        "Preview a plan",
        "Computes the times and the capacity of a plan, or its problems. Nothing is saved.",
        gives=preview_shapes.Preview,
        takes=PLAN,
    )
    def post(self, request: Request) -> Response:
        plan = plan_json.read(PLAN.run_validation(request.data))
        site = Site.objects.filter(organization=self.caller.organization, pk=plan.site_id).first()
        if site is None:
            raise ValidationError({"site": ValidationError(_("Choose one of your sites."), code="site_unknown")})
        slots.refuse_foreign(self.caller.organization, plan)
        found = domain_plan.preview(plan=plan, zone=site.timezone)
        problems = [*found.problems, *planning_plan.looser(plan, Policy.objects.get(pk=plan.policy_id))]
        return Response(plan_json.preview(replace(found, problems=problems), site.timezone))


class Publish(ApiView):
    """Open a draft, or a closed drive, for booking."""

    needs: ClassVar = {"POST": "plan"}

    @documented.operation(
        "publish_drive",
        "Publish a drive",
        "Opens a draft, or a closed drive, for online booking.",
        gives=OwnDriveSerializer,
        refuses=(404, 409),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive = self.drive(drive_id)
        drives.publish(drive_id=drive.pk, actor=self.caller.actor, now=timezone.now())
        return own_drive(self.drive(drive_id))


class Close(ApiView):
    """Take no more bookings online; what is booked stays."""

    needs: ClassVar = {"POST": "plan"}

    @documented.operation(
        "close_drive",
        "Close a drive",
        "Stops online booking. Existing bookings stay, and a held slot can still be verified.",
        gives=OwnDriveSerializer,
        refuses=(404, 409),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive = self.drive(drive_id)
        drives.close(drive_id=drive.pk, actor=self.caller.actor, now=timezone.now())
        return own_drive(self.drive(drive_id))


class CancelDrive(ApiView):
    """Cancel a drive with all its bookings, and tell everybody once."""

    needs: ClassVar = {"POST": "plan"}

    @documented.operation(
        "cancel_drive",
        "Cancel a drive",
        "Cancels the drive with all its bookings. Every donor and everyone on the waitlist is notified once, with the "
        "`reason` if one is given.",
        gives=OwnDriveSerializer,
        takes=REASON,
        refuses=(404, 409),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive, body = self.drive(drive_id), REASON.run_validation(request.data)
        drives.cancel_drive(
            drive_id=drive.pk, reason=body.get("reason", ""), actor=self.caller.actor, now=timezone.now()
        )
        return own_drive(self.drive(drive_id))


class Copy(ApiView):
    """A draft with the same plan on another day."""

    needs: ClassVar = {"POST": "plan"}

    @documented.operation(
        "copy_drive",
        "Copy a drive",
        "Creates a draft with the same plan on another day.",
        gives=OwnDriveSerializer,
        takes=DAY,
        status=201,
        refuses=(404,),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive, body = self.drive(drive_id), DAY.run_validation(request.data)
        made = drives.copy_drive(drive_id=drive.pk, on=body["on"], actor=self.caller.actor, now=timezone.now())
        return own_drive(self.drive(made.pk), status=201)
