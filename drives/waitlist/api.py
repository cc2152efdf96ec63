"""The waitlist: joining, closing, and the calls with an entry's token."""

import json
from datetime import datetime
from typing import Any, ClassVar

from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from drives.api import access, documented
from drives.api.access import ApiView
from drives.api.documented import IDEMPOTENCY_KEY
from drives.booking import api as booking_api
from drives.booking.api import DONOR
from drives.booking.serializers import BookingSerializer, CodeSerializer, ResendCodeSerializer
from drives.models import Drive, DriveState, Source, WaitingEntry, WaitingState
from drives.public import listing
from drives.refusals import Reason, Refusal
from drives.waitlist import close, entries, offers, queries, rules
from drives.waitlist.entries import Wish
from drives.waitlist.queries import WaitingPage
from drives.waitlist.serializers import (
    ClosedWaitlistSerializer,
    NewWaitlistEntrySerializer,
    WaitlistEntrySerializer,
)
from organizations.models import ApiKey, linked


class WaitingList(ApiView):
    needs: ClassVar = {"POST": "public"}

    @documented.operation(
        "join_waitlist",
        "Join the waitlist",
        "Puts a donor on the waitlist of a full drive, once the code that is sent has been entered. With the "
        "organization's key or a coordinator's session the donor is on it at once. While open slots fit the visit and "
        "the times, the answer is 409 with `alternatives`.",
        gives=WaitlistEntrySerializer,
        takes=NewWaitlistEntrySerializer,
        status=201,
        public=True,
        parameters=(IDEMPOTENCY_KEY,),
        refuses=(403, 404, 409, 422),
    )
    def post(self, request: Request, drive_id: int) -> HttpResponse:
        drive, now = self._drive(request, drive_id), timezone.now()
        body = NewWaitlistEntrySerializer.read(request.data)
        asked = request.path.encode() + request.body  # the drive is named in the address
        return booking_api.created_once(
            request,
            asked,
            now,
            work=lambda keep: keep(self._join(request, drive, body, now)),
        )

    def _drive(self, request: Request, drive_id: int) -> Drive:
        drive = listing.shown_drive(drive_id)
        if drive is None or drive.state == DriveState.DRAFT:
            raise Http404
        if isinstance(request.auth, ApiKey) and access.caller(request, drive.organization) is None:
            raise Http404
        self.zone = drive.site.timezone
        return drive

    def _join(self, request: Request, drive: Drive, body: dict[str, Any], now: datetime) -> str:
        member, person = access.caller(request, drive.organization), booking_api.person_of(body)
        wish = Wish(body["visit"], rules.arrival_window(body.get("from"), body.get("to")))
        if member is None:
            ip = request.META["REMOTE_ADDR"]
            entry = entries.join_within(drive=drive, wish=wish, person=person, source=Source.API, ip=ip, now=now)
        elif member.may("plan"):
            entry = entries.enter(drive=drive, wish=wish, person=person, actor=member.actor, source=Source.API, now=now)
        else:
            raise PermissionDenied
        page = WaitingPage(entry, queries.position(entry), None)
        return json.dumps(WaitlistEntrySerializer.write(page), separators=(",", ":"))


class CloseLine(ApiView):
    needs: ClassVar = {"POST": "plan"}

    @documented.operation(
        "close_waitlist",
        "Close the waitlist",
        "Ends the waitlist of a drive that takes no online bookings. Everyone on it is notified once.",
        gives=ClosedWaitlistSerializer,
        refuses=(404, 409),
    )
    def post(self, request: Request, drive_id: int) -> Response:
        drive = self.drive(drive_id)
        waited = close.close_line(drive_id=drive.pk, actor=self.caller.actor, now=timezone.now())
        return Response(ClosedWaitlistSerializer.write({"waited": waited}))


class TokenView(ApiView):
    """A call about the entry that the token in its address opens."""

    def found(self, token: str) -> WaitingPage:
        page = queries.waiting_page(token, timezone.now())
        if page is None:
            raise Http404
        self.zone = page.entry.drive.site.timezone
        return page

    def offered(self, token: str) -> int:
        """The id of the entry's open offer. Refuses an entry without one."""
        page = self.found(token)
        if page.offer is None:
            raise Refusal([Reason("no_offer", _("No place is offered to you now."))])
        return page.offer.pk

    def answer(self, entry: WaitingEntry) -> Response:
        return Response(WaitlistEntrySerializer.write(self.found(entry.token)))


class OneEntry(TokenView):
    needs: ClassVar = {"GET": "public"}

    @documented.operation(
        "read_waitlist_entry",
        "Read a waitlist entry",
        "The entry that the token opens, with its position and the offer that stands.",
        gives=WaitlistEntrySerializer,
        public=True,
        refuses=(404,),
    )
    def get(self, request: Request, token: str) -> Response:
        return Response(WaitlistEntrySerializer.write(self.found(token)))


class Prove(TokenView):
    needs: ClassVar = {"POST": "public"}

    @documented.operation(
        "verify_waitlist_entry",
        "Verify a waitlist entry",
        "Enters the code that was sent and puts the donor on the waitlist. A donor who is on it already gets the entry "
        "they have.",
        gives=WaitlistEntrySerializer,
        takes=CodeSerializer,
        public=True,
        refuses=(404, 409, 410),
    )
    def post(self, request: Request, token: str) -> Response:
        asked, body = self.found(token).entry, CodeSerializer.read(request.data)
        return self.answer(
            entries.prove(
                entry_id=asked.pk,
                code=body["code"],
                bound_to=linked.token_digest(asked.token),
                now=timezone.now(),
                whose=body.get("whose", ""),
            )
        )


class SendCode(TokenView):
    needs: ClassVar = {"POST": "public"}

    @documented.operation(
        "send_waitlist_code",
        "Send the waitlist code again",
        "Sends a new code for an entry that is not verified. The code before it no longer works.",
        gives=WaitlistEntrySerializer,
        takes=ResendCodeSerializer,
        public=True,
        refuses=(404, 409, 410),
    )
    def post(self, request: Request, token: str) -> Response:
        asked, body = self.found(token).entry, ResendCodeSerializer.read(request.data)
        if asked.state in {WaitingState.HELD, WaitingState.LAPSED}:
            entries.send_code_again(
                entry_id=asked.pk,
                bound_to=linked.token_digest(asked.token),
                ip=request.META["REMOTE_ADDR"],
                now=timezone.now(),
                by_email=body["by_email"],
            )
        return self.answer(asked)


class Leave(TokenView):
    needs: ClassVar = {"POST": "public"}

    @documented.operation(
        "leave_waitlist",
        "Leave the waitlist",
        "Takes the donor off the waitlist. An offered slot is passed on.",
        gives=WaitlistEntrySerializer,
        public=True,
        refuses=(404,),
    )
    def post(self, request: Request, token: str) -> Response:
        entry = self.found(token).entry
        return self.answer(entries.leave(entry_id=entry.pk, actor=DONOR, now=timezone.now()))


class Accept(TokenView):
    needs: ClassVar = {"POST": "public"}

    @documented.operation(
        "accept_offer",
        "Accept an offer",
        "Books the slot that is offered to the entry.",
        gives=BookingSerializer,
        public=True,
        refuses=(404, 409),
    )
    def post(self, request: Request, token: str) -> Response:
        booking = offers.accept(offer_id=self.offered(token), actor=DONOR, now=timezone.now())
        return Response(BookingSerializer.write(booking))


class Pass(TokenView):
    needs: ClassVar = {"POST": "public"}

    @documented.operation(
        "decline_offer",
        "Decline an offer",
        "Passes the offered slot on. The entry keeps its place on the waitlist.",
        gives=WaitlistEntrySerializer,
        public=True,
        refuses=(404, 409),
    )
    def post(self, request: Request, token: str) -> Response:
        return self.answer(offers.decline(offer_id=self.offered(token), now=timezone.now()).entry)
