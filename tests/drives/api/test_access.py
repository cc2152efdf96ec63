"""Rules for every API call: denied by default, rate limits, fields that clients cannot set."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from rest_framework.response import Response
from rest_framework.views import APIView

from config.client_address import ClientAddressMiddleware
from drives.models import PLAN_FIELDS, Booking, Drive
from organizations import rules
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api
from tests.drives.planning.test_api import plan
from volunteers.models import Registration

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


class Forgotten(APIView):
    def get(self, request: Any) -> Response:
        return Response({"secret": 1})


def test_a_view_without_needs_refuses_every_call() -> None:
    answer = Forgotten.as_view()(RequestFactory().get("/"))
    assert answer.status_code == 401
    assert "secret" not in answer.data


def test_one_address_cannot_crowd_out_the_others() -> None:
    api, other = Api(), Api()
    other.client.defaults["REMOTE_ADDR"] = "192.0.2.7"
    for _call in range(rules.ANONYMOUS_REQUESTS_PER_MINUTE):
        assert api.client.get("/api/v1/drives/").status_code == 200
    refused = api.get("drives/")
    assert (refused.status_code, refused.json()["code"], refused["Retry-After"]) == (429, "throttled", "60")
    assert other.get("drives/").status_code == 200
    with override_settings(RATE_LIMITS=False):
        assert api.get("drives/").status_code == 200


@pytest.mark.parametrize(
    ("header", "seen"),
    [
        ("203.0.113.5", "203.0.113.5"),
        ("6.6.6.6, 203.0.113.5", "203.0.113.5"),
        ("2001:db8::1", "2001:db8::1"),
        ("nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
@override_settings(BEHIND_PROXY=True)
def test_behind_a_proxy_the_client_address_is_the_one_the_proxy_saw(header: str, seen: str) -> None:
    found: list[str] = []

    def page(request: HttpRequest) -> HttpResponse:
        found.append(request.META["REMOTE_ADDR"])
        return HttpResponse()

    ClientAddressMiddleware(page)(RequestFactory().get("/", headers={"X-Forwarded-For": header}))
    assert found == [seen]


def test_no_member_of_a_row_can_be_set_by_a_booking() -> None:
    drive = builders.drive()
    names = {field.attname for model in (Booking, Registration) for field in model._meta.concrete_fields}
    known = {"visit", "name", "phone", "email", "language", "consents", "self_check", "is_for_other"}
    plain = Api().book(slot=str(builders.slot(drive).pk))
    stuffed = Api().book(
        slot=str(builders.slot(drive).pk), phone=builders.phone(43), **dict.fromkeys(sorted(names - known), "1")
    )
    assert plain.status_code == stuffed.status_code == 201
    rows = Booking.objects.order_by("pk").values()
    own = {"id", "uuid", "link_hash", "link_seal", "reference", "registration_id"}
    first, second = ({name: value for name, value in row.items() if name not in own} for row in rows)
    assert first == second


def test_no_member_of_a_row_can_be_set_by_a_plan() -> None:
    owner = builders.organization()
    body = plan(owner)
    names = {field.attname for field in Drive._meta.concrete_fields} - set(body)
    allowed = {field.name for field in PLAN_FIELDS}
    api = Api.with_key(owner)
    api.post("drives/", body)
    api.post("drives/", {**dict.fromkeys(sorted(names - allowed), "1"), **body})
    own = {"id", "slug"}
    first, second = (
        {name: value for name, value in row.items() if name not in own} for row in Drive.objects.order_by("pk").values()
    )
    assert first == second
