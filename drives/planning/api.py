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
from drives.api import answers as api_answers
from drives.api.access import ApiView
from drives.api.documented import CURSOR, IF_MATCH
from drives.api.serializers import SlotSerializer
from drives.domain import plan as domain_plan
from drives.models import Collector, Drive, DriveState, Policy, Site, Visit
from drives.planning import drives, plan_json, slots
from drives.planning import plan as planning_plan
from drives.public import answers as public_answers
from drives.public import listing
from organizations.models import Cause, Organization

DRIVES, SLOTS = bodies.DrivesQuery(), bodies.SlotsQuery()
PLAN, CHANGE = bodies.PlanBody(), bodies.PlanBody(partial=True)


class Drives(ApiView):
    """The drives that take bookings; with a key also the organization's own in any other state."""

    needs: ClassVar = {"GET": "public", "POST": "plan"}
    ordering = "starts_at"

    @documented.operation(
        "list_drives",
        "List drives",
        "Published drives that are not over, the next one first. With a key or a session, `status` lists the "
        "organization's own drives in that state, drafts and past ones included.",
        gives=shapes.Drive,
        lists=True,
        public=True,
        parameters=(bodies.DrivesQuery, CURSOR),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        wanted = bodies.asked(DRIVES, request.query_params)
        now = timezone.now()
        return self.page(
            request,
            self._found(request, wanted),
            lambda rows: [public_answers.drive_row(row) for row in listing.with_places(rows, now)],
        )

    @documented.operation(
        "create_drive",
        "Create a drive",
        "Creates a draft from a plan. The public sees it once it is published. A plan that cannot work is refused with "
        "every problem at once, each with its member.",
        gives=shapes.OwnDrive,
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
        gives=shapes.OwnDrive,
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
        return Response(public_answers.drive(drive, listing.places_shown(drive, timezone.now())))

    @documented.operation(
        "change_drive",
        "Change a drive",
        "Changes the members of the plan that are sent and keeps the others. `If-Match` names the version that was "
        "read; if the drive has changed since, the answer is 412. A change of time or capacity that existing bookings "
        "do not fit is refused.",
        gives=shapes.OwnDrive,
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
        parameters=(bodies.SlotsQuery,),
        refuses=(400, 404),
    )
    def get(self, request: Request, drive_id: int) -> Response:
        visit = bodies.asked(SLOTS, request.query_params).get("visit", Visit.RETURN)
        shown = listing.times_shown(drive_id, visit, timezone.now())
        if shown is None:
            raise Http404
        with timezone.override(shown.zone):
            times = [SlotSerializer.write(time) for time in shown.times]
        return Response({"results": times, "next": None})


def own_drive(drive: Drive, status: int = 200) -> Response:
    """A drive for those who run it, with its plan and the tag that a change has to name."""
    places_left = listing.places_shown(drive, timezone.now())
    said = {**public_answers.drive(drive, places_left), "plan": plan_json.answer(drive)}
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
        gives=shapes.OwnDrive,
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
        gives=shapes.OwnDrive,
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
        gives=shapes.OwnDrive,
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
        gives=shapes.OwnDrive,
        takes=DAY,
        status=201,
        refuses=(404,),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive, body = self.drive(drive_id), DAY.run_validation(request.data)
        made = drives.copy_drive(drive_id=drive.pk, on=body["on"], actor=self.caller.actor, now=timezone.now())
        return own_drive(self.drive(made.pk), status=201)


class RecordsView(ApiView):
    """Records of the caller's organization; strangers' are as unknown as those that never were."""

    needs: ClassVar = {"GET": "view"}

    def all(self, request: Request, rows: QuerySet[Any], answer: api_answers.Maker) -> Response:
        return self.page(request, rows, lambda shown: [answer(row) for row in shown])

    def one(self, rows: QuerySet[Any], pk: int, answer: api_answers.Maker) -> Response:
        row = rows.filter(pk=pk).first()
        if row is None:
            raise Http404
        return Response(answer(row))


def _organizations(of: Organization) -> QuerySet[Organization]:
    return Organization.objects.filter(pk=of.pk)


def _sites(of: Organization) -> QuerySet[Site]:
    return Site.objects.filter(organization=of)


def _causes(of: Organization) -> QuerySet[Cause]:
    return Cause.objects.filter(organization=of).prefetch_related("facts")


def _collectors(of: Organization) -> QuerySet[Collector]:
    return Collector.objects.filter(organization=of)


def _policies(of: Organization) -> QuerySet[Policy]:
    """Those offered to everybody, and the organization's own tightened ones."""
    return Policy.objects.offered_to(of)


class Organizations(RecordsView):
    @documented.operation(
        "list_organizations",
        "List organizations",
        "The organization that the key or session acts for.",
        gives=shapes.Organization,
        lists=True,
        parameters=(CURSOR,),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.all(request, _organizations(self.caller.organization), public_answers.organization)


class OneOrganization(RecordsView):
    @documented.operation(
        "read_organization",
        "Read an organization",
        "The organization that the key or session acts for, by its id.",
        gives=shapes.Organization,
        refuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_organizations(self.caller.organization), pk, public_answers.organization)


class Sites(RecordsView):
    @documented.operation(
        "list_sites",
        "List sites",
        "The organization's sites. A plan names one by its id.",
        gives=shapes.Site,
        lists=True,
        parameters=(CURSOR,),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.all(request, _sites(self.caller.organization), public_answers.site)


class OneSite(RecordsView):
    @documented.operation(
        "read_site",
        "Read a site",
        "One of the organization's sites.",
        gives=shapes.Site,
        refuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_sites(self.caller.organization), pk, public_answers.site)


class Causes(RecordsView):
    @documented.operation(
        "list_causes",
        "List causes",
        "The organization's causes with their sourced facts.",
        gives=shapes.Cause,
        lists=True,
        parameters=(CURSOR,),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.all(request, _causes(self.caller.organization), public_answers.cause)


class OneCause(RecordsView):
    @documented.operation(
        "read_cause",
        "Read a cause",
        "One of the organization's causes with its sourced facts.",
        gives=shapes.Cause,
        refuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_causes(self.caller.organization), pk, public_answers.cause)


class Collectors(RecordsView):
    @documented.operation(
        "list_centers",
        "List centers",
        "The licensed centers and blood services that collect plasma at the organization's drives.",
        gives=shapes.Collector,
        lists=True,
        parameters=(CURSOR,),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.all(request, _collectors(self.caller.organization), public_answers.collector)


class OneCollector(RecordsView):
    @documented.operation(
        "read_center",
        "Read a center",
        "One of the organization's centers.",
        gives=shapes.Collector,
        refuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_collectors(self.caller.organization), pk, public_answers.collector)


class Policies(RecordsView):
    @documented.operation(
        "list_policies",
        "List policies",
        "The donation rules that a plan may name: those offered to every organization, and the organization's own. A "
        "version of a policy never changes.",
        gives=shapes.Policy,
        lists=True,
        parameters=(CURSOR,),
        refuses=(400,),
    )
    def get(self, request: Request) -> Response:
        return self.all(request, _policies(self.caller.organization), public_answers.policy)


class OnePolicy(RecordsView):
    @documented.operation(
        "read_policy",
        "Read a policy",
        "One version of a set of donation rules.",
        gives=shapes.Policy,
        refuses=(404,),
    )
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_policies(self.caller.organization), pk, public_answers.policy)
