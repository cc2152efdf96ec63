"""The API for the day of a drive: roster, check-in, outcomes, walk-ins, turnout."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import examples, openapi
from drives.api.access import ApiView
from drives.attendance import check_in, queries, turnout
from drives.attendance.serializers import (
    CheckInSerializer,
    DayBookingSerializer,
    NewWalkInSerializer,
    OutcomeSerializer,
    RosterRowSerializer,
    TurnoutSerializer,
    UndoSerializer,
)
from drives.attendance.turnout import DriveTurnout
from drives.booking import rules as booking_rules
from drives.models import Booking, BookingState


class RosterView(ApiView):
    needs: ClassVar = {"GET": "check_in"}

    @openapi.describe_operation(
        "read_roster",
        "Read the roster",
        "Lists a drive's bookings in order of arrival, with the donors' contacts and the state of each message. "
        "Held slots are left out.",
        response_serializer=RosterRowSerializer,
        is_list=True,
        error_statuses=(404,),
    )
    def get(self, request: Request, drive_id: int) -> Response:
        rows = queries.load_roster(self.get_drive_or_404(drive_id))
        return Response({"results": [RosterRowSerializer.write(row) for row in rows], "next": None})


class DayBookingView(ApiView):
    """Base class for views that change one booking on the day of its drive."""

    needs: ClassVar = {"POST": booking_rules.get_permission(booking_rules.Act.CHECK_IN)}

    def build_response(self, booking: Booking, status: int = 200) -> Response:
        return Response(DayBookingSerializer.write(booking), status=status)


class CheckInView(DayBookingView):
    @openapi.describe_operation(
        "check_in",
        "Check a donor in",
        "Marks a donor as arrived. The interval rules are checked again. If one of them forbids the visit, send an"
        " `override_reason`, which is kept with the booking.",
        response_serializer=DayBookingSerializer,
        request_serializer=CheckInSerializer,
        error_statuses=(404, 409),
        examples=examples.CHECK_IN,
    )
    def post(self, request: Request, booking_id: int) -> Response:
        booking, body = self.get_booking_or_404(booking_id), CheckInSerializer.read(request.data)
        return self.build_response(
            check_in.check_in_donor(
                booking_id=booking.pk,
                actor=self.caller.actor,
                now=timezone.now(),
                override_reason=body.get("override_reason") or "",
                seen=body.get("seen", ""),
            )
        )


class RecordOutcomeView(DayBookingView):
    @openapi.describe_operation(
        "record_outcome",
        "Record an outcome",
        "Records how a visit ended: `donated`, `incomplete`, `deferred` or `left`; or `no_show` if the donor did "
        "not come. Send `at` if it did not happen just now, or to correct the time. "
        "The same outcome with another time replaces the time.",
        response_serializer=DayBookingSerializer,
        request_serializer=OutcomeSerializer,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, booking_id: int) -> Response:
        booking, body, now = self.get_booking_or_404(booking_id), OutcomeSerializer.read(request.data), timezone.now()
        if body["outcome"] == BookingState.NO_SHOW:
            return self.build_response(
                check_in.mark_no_show(
                    booking_id=booking.pk, actor=self.caller.actor, now=now, seen=body.get("seen", "")
                )
            )
        at = body.get("at")
        if at and not booking.drive.starts_at <= at <= now:
            impossible = ValidationError(
                _("Enter a time on the day of the drive that has already passed."), code="at_impossible"
            )
            raise ValidationError({"at": impossible})
        return self.build_response(
            check_in.record_outcome(
                booking_id=booking.pk,
                outcome=body["outcome"],
                at=at,
                actor=self.caller.actor,
                now=now,
                seen=body.get("seen", ""),
            )
        )


class UndoStepView(DayBookingView):
    @openapi.describe_operation(
        "undo_step",
        "Undo the last step",
        "Undoes the last step at the door: first the outcome, then the check-in. A walk-in is removed completely. "
        "If this makes the visit count again, the interval rules are checked as at check-in. `seen` is required, so "
        "that a retry never undoes a second step.",
        response_serializer=DayBookingSerializer,
        request_serializer=UndoSerializer,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, booking_id: int) -> Response:
        booking, body = self.get_booking_or_404(booking_id), UndoSerializer.read(request.data)
        return self.build_response(
            check_in.undo_last_step(
                booking_id=booking.pk,
                actor=self.caller.actor,
                now=timezone.now(),
                override_reason=body.get("override_reason") or "",
                seen=body["seen"],
            )
        )


class CreateWalkInView(DayBookingView):
    @openapi.describe_operation(
        "create_walk_in",
        "Add a walk-in",
        "Books a donor who came without a booking, and checks them in. If a rule forbids the visit, the response is"
        " 409 with the nearest slots in `alternatives`.",
        response_serializer=DayBookingSerializer,
        request_serializer=NewWalkInSerializer,
        status=201,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive, body = self.get_drive_or_404(drive_id), NewWalkInSerializer.read(request.data)
        booking = check_in.add_walk_in(
            drive=drive,
            name=body["name"],
            visit=body["visit"],
            phone=body.get("phone") or "",
            email=body.get("email") or "",
            actor=self.caller.actor,
            now=timezone.now(),
            override_reason=body.get("override_reason") or "",
        )
        return self.build_response(booking, status=201)


class TurnoutView(ApiView):
    needs: ClassVar = {"GET": "view"}

    @openapi.describe_operation(
        "read_turnout",
        "Read the turnout",
        "Returns a drive's turnout figures. They can change until the drive is completed; then `final` is true.",
        response_serializer=TurnoutSerializer,
        error_statuses=(404,),
    )
    def get(self, request: Request, drive_id: int) -> Response:
        drive = self.get_drive_or_404(drive_id)
        return Response(TurnoutSerializer.write(DriveTurnout(drive, turnout.count_turnout(drive))))
