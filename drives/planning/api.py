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

    @documented.call("list_drives", shapes.Drive, 400, lists=True, public=True, parameters=(bodies.DrivesQuery, CURSOR))
    def get(self, request: Request) -> Response:
        wanted = bodies.asked(DRIVES, request.query_params)
        now = timezone.now()
        return self.page(
            request,
            self._found(request, wanted),
            lambda rows: [public_answers.drive_row(row) for row in listing.with_places(rows, now)],
        )

    @documented.call("create_drive", shapes.OwnDrive, takes=PLAN, status=201)
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

    @documented.call("read_drive", shapes.OwnDrive, 404, public=True)
    def get(self, request: Request, drive_id: int) -> Response:
        member = access.caller(request)
        drive = listing.shown_drive(drive_id, member.organization if member else None)
        if drive is None:
            raise Http404
        if member and member.organization == drive.organization:
            return own_drive(drive)
        return Response(public_answers.drive(drive, listing.places_shown(drive, timezone.now())))

    @documented.call("change_drive", shapes.OwnDrive, 404, 409, 412, 428, takes=CHANGE, parameters=(IF_MATCH,))
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

    @documented.call("list_slots", shapes.Slot, 400, 404, lists=True, public=True, parameters=(bodies.SlotsQuery,))
    def get(self, request: Request, drive_id: int) -> Response:
        visit = bodies.asked(SLOTS, request.query_params).get("visit", Visit.RETURN)
        shown = listing.times_shown(drive_id, visit, timezone.now())
        if shown is None:
            raise Http404
        return Response({"results": public_answers.slots(shown.times, shown.zone), "next": None})


def own_drive(drive: Drive, status: int = 200) -> Response:
    """A drive for those who run it, with its plan and the tag that a change has to name."""
    places_left = listing.places_shown(drive, timezone.now())
    said = {**public_answers.drive(drive, places_left), "plan": plan_json.answer(drive)}
    return Response(said, status=status, headers={"ETag": plan_json.etag(drive)})


PLAN, DAY, REASON = bodies.PlanBody(), bodies.DayBody(), bodies.ReasonBody()


class Preview(ApiView):
    """What a plan would make: its times and capacity, or what is wrong with it. Nothing is kept."""

    needs: ClassVar = {"POST": "plan"}

    @documented.call("preview_drive", preview_shapes.Preview, takes=PLAN)
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

    @documented.call("publish_drive", shapes.OwnDrive, 404, 409)
    def post(self, request: Request, drive_id: int) -> Response:
        drive = self.drive(drive_id)
        drives.publish(drive_id=drive.pk, actor=self.caller.actor, now=timezone.now())
        return own_drive(self.drive(drive_id))


class Close(ApiView):
    """Take no more bookings online; what is booked stays."""

    needs: ClassVar = {"POST": "plan"}

    @documented.call("close_drive", shapes.OwnDrive, 404, 409)
    def post(self, request: Request, drive_id: int) -> Response:
        drive = self.drive(drive_id)
        drives.close(drive_id=drive.pk, actor=self.caller.actor, now=timezone.now())
        return own_drive(self.drive(drive_id))


class CancelDrive(ApiView):
    """Cancel a drive with all its bookings, and tell everybody once."""

    needs: ClassVar = {"POST": "plan"}

    @documented.call("cancel_drive", shapes.OwnDrive, 404, 409, takes=REASON)
    def post(self, request: Request, drive_id: int) -> Response:
        drive, body = self.drive(drive_id), REASON.run_validation(request.data)
        drives.cancel_drive(
            drive_id=drive.pk, reason=body.get("reason", ""), actor=self.caller.actor, now=timezone.now()
        )
        return own_drive(self.drive(drive_id))


class Copy(ApiView):
    """A draft with the same plan on another day."""

    needs: ClassVar = {"POST": "plan"}

    @documented.call("copy_drive", shapes.OwnDrive, 404, takes=DAY, status=201)
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
    @documented.call("list_organizations", shapes.Organization, 400, lists=True, parameters=(CURSOR,))
    def get(self, request: Request) -> Response:
        return self.all(request, _organizations(self.caller.organization), public_answers.organization)


class OneOrganization(RecordsView):
    @documented.call("read_organization", shapes.Organization, 404)
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_organizations(self.caller.organization), pk, public_answers.organization)


class Sites(RecordsView):
    @documented.call("list_sites", shapes.Site, 400, lists=True, parameters=(CURSOR,))
    def get(self, request: Request) -> Response:
        return self.all(request, _sites(self.caller.organization), public_answers.site)


class OneSite(RecordsView):
    @documented.call("read_site", shapes.Site, 404)
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_sites(self.caller.organization), pk, public_answers.site)


class Causes(RecordsView):
    @documented.call("list_causes", shapes.Cause, 400, lists=True, parameters=(CURSOR,))
    def get(self, request: Request) -> Response:
        return self.all(request, _causes(self.caller.organization), public_answers.cause)


class OneCause(RecordsView):
    @documented.call("read_cause", shapes.Cause, 404)
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_causes(self.caller.organization), pk, public_answers.cause)


class Collectors(RecordsView):
    @documented.call("list_collectors", shapes.Collector, 400, lists=True, parameters=(CURSOR,))
    def get(self, request: Request) -> Response:
        return self.all(request, _collectors(self.caller.organization), public_answers.collector)


class OneCollector(RecordsView):
    @documented.call("read_collector", shapes.Collector, 404)
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_collectors(self.caller.organization), pk, public_answers.collector)


class Policies(RecordsView):
    @documented.call("list_policies", shapes.Policy, 400, lists=True, parameters=(CURSOR,))
    def get(self, request: Request) -> Response:
        return self.all(request, _policies(self.caller.organization), public_answers.policy)


class OnePolicy(RecordsView):
    @documented.call("read_policy", shapes.Policy, 404)
    def get(self, request: Request, pk: int) -> Response:
        return self.one(_policies(self.caller.organization), pk, public_answers.policy)
