"""Drives: what anybody may see of them, and the plans of those who run them."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from drives.actions import planning
from drives.api import access, bodies, documented, plans, shapes
from drives.api.access import ApiView
from drives.api.documented import CURSOR, IF_MATCH
from drives.models import Drive, DriveState, Visit
from drives.public import answers as public_answers
from drives.public import listing

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
        plan, member = plans.read(PLAN.run_validation(request.data)), self.caller
        made = planning.create_drive(
            organization=member.organization, plan=plan, actor=member.actor, now=timezone.now()
        )
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
        version, body = plans.version(request), CHANGE.run_validation(request.data)
        planning.change_drive(
            drive_id=drive.pk,
            plan=plans.changed(drive, body),
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
    said = {**public_answers.drive(drive, places_left), "plan": plans.answer(drive)}
    return Response(said, status=status, headers={"ETag": plans.etag(drive)})
