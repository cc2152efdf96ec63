import re
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import access, openapi
from drives.api.access import ApiView
from drives.api.openapi import CURSOR, IF_MATCH
from drives.api.serializers import SlotSerializer
from drives.booking import rules as booking_rules
from drives.models import Drive, DriveState, Visit
from drives.planning import lifecycle, plan_check
from drives.planning.lifecycle import DriveVersionChanged
from drives.planning.serializers import (
    CancellationSerializer,
    DaySerializer,
    OwnDriveSerializer,
    PlanSerializer,
    PreviewSerializer,
)
from drives.public import api_queries
from drives.public.queries import DriveSummary
from drives.public.serializers import (
    DriveDetailSerializer,
    DriveSerializer,
    DrivesQuerySerializer,
    SlotsQuerySerializer,
)

ETAG_PATTERN = re.compile(r'"([0-9]{1,9})"')


class DriveVersionMissing(APIException):
    """The refusal of a change without If-Match. Such a change could overwrite another coordinator's change."""

    status_code = 428
    default_detail = _("Send If-Match with the drive’s ETag from your last read.")
    default_code = "if_match_missing"


class PlanningView(ApiView):
    def build_drive(self, request: Request) -> Drive:
        organization = self.caller.organization
        body = PlanSerializer(context={"language": organization.language})
        return Drive(organization=organization, **body.run_validation(request.data))


class DriveListView(PlanningView):
    needs: ClassVar = {"GET": "public", "POST": "plan"}
    ordering = "starts_at"

    @openapi.describe_operation(
        "list_drives",
        "List drives",
        "Lists published drives that are not over, the next one first. With a key or a session, `status` lists the "
        "organization's own drives in that state, including drafts and past drives.",
        response_serializer=DriveSerializer,
        is_list=True,
        public=True,
        parameters=(DrivesQuerySerializer, CURSOR),
        error_statuses=(400,),
    )
    def get(self, request: Request) -> Response:
        filters = DrivesQuerySerializer.read(request.query_params)
        now = timezone.now()
        return self.paginate_rows(
            request,
            self._list_drives(request, filters),
            DriveSerializer,
            lambda rows: api_queries.load_summaries_with_spots(rows, now),
        )

    @openapi.describe_operation(
        "create_drive",
        "Create a drive",
        "Creates a draft from a plan. Donors see the drive after you publish it. If the plan is not valid, the"
        " response is 400. It lists every problem with its member.",
        response_serializer=OwnDriveSerializer,
        request_serializer=PlanSerializer,
        status=201,
    )
    def post(self, request: Request) -> Response:
        drive = self.build_drive(request)
        created = lifecycle.create_drive(drive=drive, actor=self.caller.actor, now=timezone.now())
        return build_drive_response(self.get_drive_or_404(created.pk), status=201)

    def _list_drives(self, request: Request, filters: dict[str, Any]) -> QuerySet[Drive]:
        common = {"city": filters.get("city", ""), "first_day": filters.get("from"), "last_day": filters.get("to")}
        if filters.get("status", DriveState.PUBLISHED) == DriveState.PUBLISHED:
            return api_queries.list_published_drives(
                timezone.now(), organization=filters.get("organization", ""), **common
            )
        member = access.find_caller(request)
        if member is None:
            raise NotAuthenticated
        return api_queries.list_organization_drives(member.organization, states=[filters["status"]], **common)


class DriveView(ApiView):
    needs: ClassVar = {"GET": "public", "PATCH": "plan"}

    @openapi.describe_operation(
        "read_drive",
        "Read a drive",
        "Returns a drive with its description, cause, donation rules and visit lengths. The drive's own "
        "organization can also read drafts, and gets the `plan` and the `ETag` that a change must send.",
        response_serializer=OwnDriveSerializer,
        public=True,
        error_statuses=(404,),
    )
    def get(self, request: Request, drive_id: int) -> Response:
        member = access.find_caller(request)
        drive = api_queries.find_visible_drive(drive_id, member.organization if member else None)
        if drive is None:
            raise Http404
        if member and member.organization == drive.organization:
            return build_drive_response(drive)
        return Response(
            DriveDetailSerializer.write(DriveSummary(drive, api_queries.count_visible_spots(drive, timezone.now())))
        )

    @openapi.describe_operation(
        "change_drive",
        "Change a drive",
        "Changes the members of the plan that you send and keeps the others. Send the `ETag` that you read in "
        "`If-Match`; if the drive has changed since, the response is 412. Changes of times or capacity that do not"
        " fit the existing bookings are refused.",
        response_serializer=OwnDriveSerializer,
        request_serializer=PlanSerializer(partial=True),
        parameters=(IF_MATCH,),
        error_statuses=(404, 409, 412, 428),
    )
    def patch(self, request: Request, drive_id: int) -> Response:
        drive = self.get_drive_or_404(drive_id)
        version = _read_version(request)
        change = PlanSerializer(partial=True, context={"language": drive.organization.language})
        for name, value in change.run_validation(request.data).items():
            setattr(drive, name, value)
        lifecycle.change_drive(drive=drive, version=version, actor=self.caller.actor, now=timezone.now())
        return build_drive_response(self.get_drive_or_404(drive_id))


class SlotListView(ApiView):
    needs: ClassVar = {"GET": "public"}

    @openapi.describe_operation(
        "list_slots",
        "List open slots",
        "Lists the arrival times of a drive that can still take a visit of this type. First visits take longer, so "
        "their list is shorter. The list is empty while the drive takes no bookings.",
        response_serializer=SlotSerializer,
        is_list=True,
        public=True,
        parameters=(SlotsQuerySerializer,),
        error_statuses=(400, 404),
    )
    def get(self, request: Request, drive_id: int) -> Response:
        visit = SlotsQuerySerializer.read(request.query_params).get("visit", Visit.RETURN)
        public_times = api_queries.find_public_times(drive_id, visit, timezone.now())
        if public_times is None:
            raise Http404
        return Response({"results": SlotSerializer.write_all(public_times.times, public_times.zone), "next": None})


def build_drive_response(drive: Drive, status: int = 200) -> Response:
    summary = DriveSummary(drive, api_queries.count_visible_spots(drive, timezone.now()))
    return Response(OwnDriveSerializer.write(summary), status=status, headers={"ETag": f'"{drive.version}"'})


def _read_version(request: Request) -> int:
    """Return the drive's version from If-Match.

    Refuses a missing header with 428, and an unknown format with 412.
    """
    header = request.headers.get("If-Match", "").strip()
    if not header:
        raise DriveVersionMissing
    named = ETAG_PATTERN.fullmatch(header)
    if named is None:
        raise DriveVersionChanged
    return int(named[1])


class PreviewDriveView(PlanningView):
    needs: ClassVar = {"POST": "plan"}

    @openapi.describe_operation(
        "preview_drive",
        "Preview a plan",
        "Computes the arrival times and the capacity of a plan, or lists its problems. Saves nothing.",
        response_serializer=PreviewSerializer,
        request_serializer=PlanSerializer,
    )
    def post(self, request: Request) -> Response:
        drive = self.build_drive(request)
        plan_check.refuse_foreign_records(drive)
        preview = plan_check.preview_drive_plan(drive)
        grid_problems = preview.problems or plan_check.list_day_problems(drive, timezone.now())
        problems = [*grid_problems, *plan_check.list_rule_problems(drive, drive.policy)]
        with timezone.override(drive.site.zone):  # write times with the site's UTC offset
            return Response(
                PreviewSerializer.write({**vars(preview), "problems": problems, "timezone": drive.site.timezone})
            )


class PublishDriveView(ApiView):
    needs: ClassVar = {"POST": "plan"}

    @openapi.describe_operation(
        "publish_drive",
        "Publish a drive",
        "Opens a draft or a closed drive for online booking.",
        response_serializer=OwnDriveSerializer,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive = self.get_drive_or_404(drive_id)
        lifecycle.publish_drive(drive_id=drive.pk, actor=self.caller.actor, now=timezone.now())
        return build_drive_response(self.get_drive_or_404(drive_id))


class CloseDriveView(ApiView):
    needs: ClassVar = {"POST": "plan"}

    @openapi.describe_operation(
        "close_drive",
        "Close a drive",
        "Stops online booking. Existing bookings stay. A held slot can still be verified, and donors on the "
        "waitlist still get offers.",
        response_serializer=OwnDriveSerializer,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive = self.get_drive_or_404(drive_id)
        lifecycle.close_drive(drive_id=drive.pk, actor=self.caller.actor, now=timezone.now())
        return build_drive_response(self.get_drive_or_404(drive_id))


class CancelDriveView(ApiView):
    needs: ClassVar = {"POST": booking_rules.get_permission(booking_rules.Act.CANCEL_DRIVE)}

    @openapi.describe_operation(
        "cancel_drive",
        "Cancel a drive",
        "Cancels the drive and all its bookings. Donors with a booking and donors on the waitlist are notified "
        "once, with the `reason` if you send one.",
        response_serializer=OwnDriveSerializer,
        request_serializer=CancellationSerializer,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive, body = self.get_drive_or_404(drive_id), CancellationSerializer.read(request.data)
        lifecycle.cancel_drive(
            drive_id=drive.pk, reason=body.get("reason", ""), actor=self.caller.actor, now=timezone.now()
        )
        return build_drive_response(self.get_drive_or_404(drive_id))


class CopyDriveView(ApiView):
    needs: ClassVar = {"POST": "plan"}

    @openapi.describe_operation(
        "copy_drive",
        "Copy a drive",
        "Creates a draft with the same plan on another day.",
        response_serializer=OwnDriveSerializer,
        request_serializer=DaySerializer,
        status=201,
        error_statuses=(404,),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive, body = self.get_drive_or_404(drive_id), DaySerializer.read(request.data)
        created = lifecycle.copy_drive(drive_id=drive.pk, day=body["day"], actor=self.caller.actor, now=timezone.now())
        return build_drive_response(self.get_drive_or_404(created.pk), status=201)
