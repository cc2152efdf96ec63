"""Waitlist API: join and close the waitlist, and manage an entry with its token."""

import json
from datetime import datetime
from typing import Any, ClassVar

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import access, examples, openapi
from drives.api.access import ApiView
from drives.api.openapi import IDEMPOTENCY_KEY
from drives.booking import api as booking_api
from drives.booking.api import DONOR
from drives.booking.serializers import BookingSerializer, CodeSerializer, ResendCodeSerializer
from drives.models import Drive, DriveState, Source, WaitlistEntry, WaitlistEntryState
from drives.public import api_queries
from drives.refusals import Reason, Refusal
from drives.waitlist import close, entries, offers, queries, rules
from drives.waitlist.entries import WaitlistRequest
from drives.waitlist.queries import WaitlistPage
from drives.waitlist.serializers import (
    ClosedWaitlistSerializer,
    NewWaitlistEntrySerializer,
    WaitlistEntrySerializer,
)
from organizations.models import ApiKey, linked_model


class JoinWaitlistView(ApiView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "join_waitlist",
        "Join the waitlist",
        "Puts a donor on the waitlist of a full drive after the code is verified. With a key or a session of the "
        "drive's organization, the donor is on the waitlist at once. If open slots fit the visit and the donor's "
        "times, the response is 409 `slots_open` with `alternatives`.",
        response_serializer=WaitlistEntrySerializer,
        request_serializer=NewWaitlistEntrySerializer,
        status=201,
        public=True,
        parameters=(IDEMPOTENCY_KEY,),
        error_statuses=(403, 404, 409, 422),
        examples=examples.JOIN_WAITLIST,
    )
    def post(self, request: Request, drive_id: int) -> HttpResponse:
        drive, now = self._get_drive_or_404(request, drive_id), timezone.now()
        body = NewWaitlistEntrySerializer.read(request.data)
        # Include the path, because the body does not name the drive.
        fingerprint = request.path.encode() + request.body
        return booking_api.create_once(
            request,
            fingerprint,
            now,
            work=lambda keep: keep(self._join(request, drive, body, now)),
        )

    def _get_drive_or_404(self, request: Request, drive_id: int) -> Drive:
        drive = api_queries.find_visible_drive(drive_id)
        if drive is None or drive.state == DriveState.DRAFT:
            raise Http404
        if isinstance(request.auth, ApiKey) and access.find_caller(request, drive.organization) is None:
            raise Http404
        self.zone = drive.site.timezone
        return drive

    def _join(self, request: Request, drive: Drive, body: dict[str, Any], now: datetime) -> str:
        member, person = access.find_caller(request, drive.organization), booking_api.build_person(body)
        waitlist_request = WaitlistRequest(body["visit"], rules.parse_arrival_window(body.get("from"), body.get("to")))
        if member is None:
            ip = request.META["REMOTE_ADDR"]
            entry = entries.join_waitlist_in_transaction(
                drive=drive, waitlist_request=waitlist_request, person=person, source=Source.API, ip=ip, now=now
            )
        elif member.may("plan"):
            entry = entries.add_entry(
                drive=drive,
                waitlist_request=waitlist_request,
                person=person,
                actor=member.actor,
                source=Source.API,
                now=now,
            )
        else:
            raise PermissionDenied
        page = WaitlistPage(entry, queries.load_position(entry), None)
        return json.dumps(WaitlistEntrySerializer.write(page), separators=(",", ":"))


class CloseWaitlistView(ApiView):
    needs: ClassVar = {"POST": "plan"}

    @openapi.describe_operation(
        "close_waitlist",
        "Close the waitlist",
        "Closes the waitlist of a drive that takes no online bookings. Every donor on it is notified once.",
        response_serializer=ClosedWaitlistSerializer,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive = self.get_drive_or_404(drive_id)
        count = close.close_waitlist(drive_id=drive.pk, actor=self.caller.actor, now=timezone.now())
        return Response(ClosedWaitlistSerializer.write({"waited": count}))


class WaitlistTokenView(ApiView):
    """Base class for views that use a waitlist entry's token."""

    def get_page_or_404(self, token: str) -> WaitlistPage:
        page = queries.load_waitlist_page(token, timezone.now())
        if page is None:
            raise Http404
        self.zone = page.entry.drive.site.timezone
        return page

    def get_offer_id(self, token: str) -> int:
        """Return the id of the entry's open offer. Refuses an entry without an open offer (`no_offer`)."""
        page = self.get_page_or_404(token)
        if page.offer is None:
            raise Refusal([Reason("no_offer", _("You don't have an offer right now."))])
        return page.offer.pk

    def build_response(self, entry: WaitlistEntry) -> Response:
        return Response(WaitlistEntrySerializer.write(self.get_page_or_404(entry.token)))


class WaitlistEntryView(WaitlistTokenView):
    needs: ClassVar = {"GET": "public"}

    @openapi.describe_operation(
        "read_waitlist_entry",
        "Read a waitlist entry",
        "Returns the entry that the token belongs to, with its position and its open offer.",
        response_serializer=WaitlistEntrySerializer,
        public=True,
        error_statuses=(404,),
    )
    def get(self, request: Request, token: str) -> Response:
        return Response(WaitlistEntrySerializer.write(self.get_page_or_404(token)))


class VerifyWaitlistEntryView(WaitlistTokenView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "verify_waitlist_entry",
        "Verify a waitlist entry",
        "Checks the code and puts the donor on the waitlist. A donor who is already on it gets the entry they have.",
        response_serializer=WaitlistEntrySerializer,
        request_serializer=CodeSerializer,
        public=True,
        error_statuses=(404, 409, 410),
    )
    def post(self, request: Request, token: str) -> Response:
        entry, body = self.get_page_or_404(token).entry, CodeSerializer.read(request.data)
        return self.build_response(
            entries.verify_entry(
                entry_id=entry.pk,
                code=body["code"],
                bound_to=linked_model.hash_token(entry.token),
                now=timezone.now(),
                booking_for=body.get("booking_for", ""),
            )
        )


class ResendWaitlistCodeView(WaitlistTokenView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "send_waitlist_code",
        "Send a waitlist entry's code again",
        "Sends a new code for an entry that is not verified yet. The old code stops working.",
        response_serializer=WaitlistEntrySerializer,
        request_serializer=ResendCodeSerializer,
        public=True,
        error_statuses=(404, 409, 410),
    )
    def post(self, request: Request, token: str) -> Response:
        entry, body = self.get_page_or_404(token).entry, ResendCodeSerializer.read(request.data)
        if entry.state in {WaitlistEntryState.HELD, WaitlistEntryState.LAPSED}:
            entries.resend_entry_code(
                entry_id=entry.pk,
                bound_to=linked_model.hash_token(entry.token),
                ip=request.META["REMOTE_ADDR"],
                now=timezone.now(),
                by_email=body["by_email"],
            )
        return self.build_response(entry)


class LeaveWaitlistView(WaitlistTokenView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "leave_waitlist",
        "Leave the waitlist",
        "Takes the donor off the waitlist. A spot that was offered to them goes to the next donor.",
        response_serializer=WaitlistEntrySerializer,
        public=True,
        error_statuses=(404,),
    )
    def post(self, request: Request, token: str) -> Response:
        entry = self.get_page_or_404(token).entry
        return self.build_response(entries.remove_entry(entry_id=entry.pk, actor=DONOR, now=timezone.now()))


class AcceptOfferView(WaitlistTokenView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "accept_offer",
        "Accept an offer",
        "Books the slot that is offered to the donor.",
        response_serializer=BookingSerializer,
        public=True,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, token: str) -> Response:
        booking = offers.accept_offer(offer_id=self.get_offer_id(token), actor=DONOR, now=timezone.now())
        return Response(BookingSerializer.write(booking))


class DeclineOfferView(WaitlistTokenView):
    needs: ClassVar = {"POST": "public"}

    @openapi.describe_operation(
        "decline_offer",
        "Decline an offer",
        "Declines the offered slot, which goes to the next donor. The entry keeps its position on the waitlist.",
        response_serializer=WaitlistEntrySerializer,
        public=True,
        error_statuses=(404, 409),
    )
    def post(self, request: Request, token: str) -> Response:
        return self.build_response(offers.decline_offer(offer_id=self.get_offer_id(token), now=timezone.now()).entry)
