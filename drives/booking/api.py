"""API views to book slots, alone or as a party, and to manage a booking with its token."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import access, examples, openapi
from drives.api.access import ApiView
from drives.api.openapi import IDEMPOTENCY_KEY
from drives.booking import book_for_donor, changes, hold, queries, verify
from drives.booking.hold import Companion, Person
from drives.booking.serializers import (
    BookingSerializer,
    CodeSerializer,
    MoveSerializer,
    NewBookingSerializer,
    NewPartySerializer,
    PartySerializer,
    ResendCodeSerializer,
)
from drives.domain.intervals import SelfReported
from drives.models import Booking, BookingState, CancelledBy, Drive, DriveState, Source
from drives.public import api_queries
from organizations import idempotency
from organizations.idempotency import StoreAnswer
from organizations.models import ApiKey, linked_model

DONOR = "donor"


class CreateBookingView(ApiView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "create_booking",
        "Create a booking",
        "Holds a slot for fifteen minutes and sends a six-digit code to the phone, or to the e-mail address if "
        "there is no phone. Then call `verify/` with the code. With a key or a session of the drive's organization, "
        "the slot is booked at once and no code is sent. The response never reveals whether we know the contact.",
        response_serializer=BookingSerializer,
        request_serializer=NewBookingSerializer,
        status=201,
        public=True,
        parameters=(IDEMPOTENCY_KEY,),
        error_statuses=(403, 409, 410, 422),
        examples=examples.CREATE_BOOKING,
    )
    def post(self, request: Request) -> HttpResponse:
        body, now = NewBookingSerializer.read(request.data), timezone.now()
        return create_once(
            request,
            request.body,
            now,
            work=lambda store: self._take(request, body, now, store),
        )

    def _take(self, request: Request, body: dict[str, Any], now: datetime, store: StoreAnswer) -> None:
        drive = api_queries.find_drive_by_slot(body["slot"])
        member = access.find_caller(request, drive.organization) if drive else None
        # A key of another organization must not learn that the slot exists.
        is_other_organization = isinstance(request.auth, ApiKey) and member is None
        if drive is None or is_other_organization or (drive.state == DriveState.DRAFT and member is None):
            raise ValidationError({"slot": ValidationError(_("Choose one of the drive's times."), "slot_unknown")})
        self.zone, person = drive.site.timezone, build_person(body)

        def answer(bookings: list[Booking]) -> None:
            [booking] = bookings
            store(json.dumps(BookingSerializer.write(booking), separators=(",", ":")))

        if member is None:
            hold.hold_in_transaction(
                drive=drive,
                slot_id=body["slot"],
                visit=body["visit"],
                person=person,
                source=Source.API,
                ip=request.META["REMOTE_ADDR"],
                now=now,
                on_held=answer,
            )
        elif member.may("plan"):
            answer([_book_for_donor(drive, body, person, member.actor, now)])
        else:
            raise PermissionDenied


class BookingTokenView(ApiView):
    """Base class for calls that use a booking's token."""

    def load_page(self, token: str) -> queries.BookingPage:
        page = queries.load_booking_page(token, timezone.now())
        if page is None:
            raise Http404
        self.zone = page.booking.drive.site.timezone
        return page

    def answer(self, booking: Booking) -> Response:
        return Response(BookingSerializer.write(booking))


class ReadBookingView(BookingTokenView):
    needs: ClassVar = {"GET": "public"}

    @openapi.describe_operation(
        "read_booking",
        "Read a booking",
        "Returns the booking that the token belongs to.",
        response_serializer=BookingSerializer,
        public=True,
        error_statuses=(404,),
    )
    def get(self, request: Request, token: str) -> Response:
        return self.answer(self.load_page(token).booking)


class VerifyBookingView(BookingTokenView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "verify_booking",
        "Verify a booking",
        "Checks the code and turns the held slot into a booking. All rules are checked at this point. If one of them"
        " forbids the booking, the response is 409 and the slot stays held, so you can move the booking to one of "
        "the `alternatives`. A code works once, within ten minutes, and allows five attempts.",
        response_serializer=BookingSerializer,
        request_serializer=CodeSerializer,
        public=True,
        error_statuses=(404, 409, 410),
        examples=examples.VERIFY_BOOKING,
    )
    def post(self, request: Request, token: str) -> Response:
        held, body = self.load_page(token).booking, CodeSerializer.read(request.data)
        verified = verify.verify_booking(
            booking_id=held.pk,
            code=body["code"],
            bound_to=linked_model.hash_token(held.token),
            now=timezone.now(),
            booking_for=body.get("booking_for", ""),
        )
        return self.answer(verified)


class SendBookingCodeView(BookingTokenView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "send_booking_code",
        "Send a booking's code again",
        "Sends a new code for a held slot. The old code stops working.",
        response_serializer=BookingSerializer,
        request_serializer=ResendCodeSerializer,
        public=True,
        error_statuses=(404, 409, 410),
    )
    def post(self, request: Request, token: str) -> Response:
        held, body = self.load_page(token).booking, ResendCodeSerializer.read(request.data)
        if held.state not in {BookingState.HELD, BookingState.LAPSED}:
            return self.answer(held)
        verify.resend_hold_code(
            booking_id=held.pk,
            bound_to=linked_model.hash_token(held.token),
            ip=request.META["REMOTE_ADDR"],
            now=timezone.now(),
            by_email=body["by_email"],
        )
        return self.answer(held)


class ConfirmBookingView(BookingTokenView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "confirm_booking",
        "Confirm a booking",
        "Records that the donor plans to come. A second call changes nothing.",
        response_serializer=BookingSerializer,
        public=True,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, token: str) -> Response:
        booking = self.load_page(token).booking
        [confirmed] = changes.confirm_bookings(booking_ids=[booking.pk], actor=DONOR, now=timezone.now())
        return self.answer(confirmed)


class CancelBookingView(BookingTokenView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "cancel_booking",
        "Cancel a booking",
        "Cancels the booking and frees its slot at once. A second call changes nothing.",
        response_serializer=BookingSerializer,
        public=True,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, token: str) -> Response:
        booking = self.load_page(token).booking
        [cancelled] = changes.cancel_bookings(
            booking_id=booking.pk, actor=DONOR, cancelled_by=CancelledBy.DONOR, now=timezone.now()
        )
        return self.answer(cancelled)


class MoveBookingView(BookingTokenView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "move_booking",
        "Move a booking",
        "Moves the booking to another slot of the same drive. If the new slot cannot be taken, the booking stays "
        "where it is. `all` moves every booking of a party, or none.",
        response_serializer=BookingSerializer,
        request_serializer=MoveSerializer,
        public=True,
        error_statuses=(404, 409, 410),
        examples=examples.MOVE_BOOKING,
    )
    def post(self, request: Request, token: str) -> Response:
        booking, body = self.load_page(token).booking, MoveSerializer.read(request.data)
        moved = changes.move_bookings(
            booking_id=booking.pk, slot_id=body["slot"], actor=DONOR, now=timezone.now(), whole_party=body["all"]
        )
        return self.answer(next(one for one in moved if one.pk == booking.pk))


def _book_for_donor(drive: Drive, body: dict[str, Any], person: Person, actor: str, now: datetime) -> Booking:
    return book_for_donor.create_booking_for_donor(
        drive=drive,
        slot_id=body["slot"],
        visit=body["visit"],
        person=person,
        actor=actor,
        source=Source.API,
        now=now,
        override_reason=body.get("override_reason") or "",
    )


def build_person(body: dict[str, Any]) -> Person:
    return Person(
        name=body["name"],
        phone=body.get("phone") or "",
        email=body.get("email") or "",
        language=body.get("language") or "",
        consents=body.get("consents", ()),
        self_check=body.get("self_check", ()),
        self_reported=SelfReported(**self_reported) if (self_reported := body.get("self_reported")) else None,
        is_for_other=body.get("is_for_other", False),
    )


def create_once(
    request: Request,
    body: bytes,
    now: datetime,
    *,
    work: Callable[[StoreAnswer], object],
) -> HttpResponse:
    """Run `work` and return its response (201), or the stored response if the same key and body were sent before."""
    key = request.headers.get("Idempotency-Key", "")
    answer = idempotency.run_once(scope=_build_idempotency_scope(request), key=key, body=body, now=now, work=work)
    return HttpResponse(answer.body, status=answer.status, content_type="application/json")


def _build_idempotency_scope(request: Request) -> str:
    """Return the scope of an idempotency key. Anonymous callers share one scope, so their keys must be random."""
    if isinstance(request.auth, ApiKey):
        return f"key:{request.auth.pk}"
    return f"user:{request.user.pk}" if request.user else idempotency.ANONYMOUS


class CreatePartyView(ApiView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "create_party",
        "Create a party",
        "Holds slots for one to six people who share one contact: for all of them or for none. They arrive at the "
        "same time or one after the other. The token of the first booking verifies all of them with one code.",
        response_serializer=PartySerializer,
        request_serializer=NewPartySerializer,
        status=201,
        public=True,
        parameters=(IDEMPOTENCY_KEY,),
        error_statuses=(409, 422),
    )
    def post(self, request: Request) -> HttpResponse:
        body, now = NewPartySerializer.read(request.data), timezone.now()
        return create_once(
            request,
            request.body,
            now,
            work=lambda store: self._hold(request, body, now, store),
        )

    def _hold(self, request: Request, body: dict[str, Any], now: datetime, store: StoreAnswer) -> None:
        drive = api_queries.find_drive_by_slot(body["slot"])
        if drive is None or drive.state == DriveState.DRAFT:
            raise ValidationError({"slot": ValidationError(_("Choose one of the drive's times."), "slot_unknown")})
        self.zone = drive.site.timezone
        first, *others = body["people"]

        def answer(bookings: list[Booking]) -> None:
            store(json.dumps(PartySerializer.write({"bookings": bookings}), separators=(",", ":")))

        hold.hold_in_transaction(
            drive=drive,
            slot_id=body["slot"],
            visit=first["visit"],
            person=build_person({**body, "name": first["name"]}),
            companions=[Companion(one["name"], one["visit"]) for one in others],
            source=Source.API,
            ip=request.META["REMOTE_ADDR"],
            now=now,
            on_held=answer,
        )
