"""Two to six people who come together: all of their places are kept, or none."""

import json
from datetime import datetime
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from drives.actions import together as actions
from drives.actions.together import Companion
from drives.api import answers as api_answers
from drives.api import bodies, documented, shapes
from drives.api.access import ApiView
from drives.api.documented import IDEMPOTENCY_KEY
from drives.api.views import bookings as views_bookings
from drives.models import DriveState, Source
from drives.public import listing


class Party(shapes.Shape):
    """In the order in which they were named; the first one's token proves all of them."""

    bookings = shapes.Booking(many=True)


PARTY = bodies.PartyBody()


class Parties(ApiView):
    """Places for a family or a group, kept for fifteen minutes; the first one's token proves them all with one code."""

    needs: ClassVar = {"POST": "public"}

    @documented.call(
        "create_party",
        Party,
        409,
        422,
        takes=PARTY,
        status=201,
        public=True,
        parameters=(IDEMPOTENCY_KEY,),
    )
    def post(self, request: Request) -> HttpResponse:
        body, now = PARTY.run_validation(request.data), timezone.now()
        return views_bookings.created_once(
            request,
            request.body,
            now,
            work=lambda keep: keep(self._hold(request, body, now)),
        )

    def _hold(self, request: Request, body: dict[str, Any], now: datetime) -> str:
        drive = listing.drive_of_slot(body["slot"])
        if drive is None or drive.state == DriveState.DRAFT:
            raise ValidationError({"slot": ValidationError(_("Choose a time from a drive's slots."), "slot_unknown")})
        self.zone = drive.site.timezone
        people = [Companion(one["name"], one["visit"]) for one in body["people"]]
        held = actions.hold_within(
            drive=drive,
            slot_id=body["slot"],
            people=people,
            contact=views_bookings.person_of({**body, "name": people[0].name if people else ""}),
            source=Source.API,
            ip=request.META["REMOTE_ADDR"],
            now=now,
        )
        said = {"bookings": [api_answers.booking(booking, self.zone) for booking in held]}
        return json.dumps(said, separators=(",", ":"))
