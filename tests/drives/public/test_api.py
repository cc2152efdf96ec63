"""The public API: lists of drives, one drive, its open slots."""

import base64
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from drives.models import Drive
from drives.planning import lifecycle
from organizations.models import Cause
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def queries(api: Api, path: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert api.get(path).status_code == 200
    return len(caught)


def ids(answer: Any) -> list[str]:
    return [row["id"] for row in answer.json()["results"]]


def test_a_published_drive_is_listed_with_its_spots() -> None:
    drive = builders.drive()
    assert Api().get("drives/").json() == {
        "results": [
            {
                "id": str(drive.pk),
                "slug": drive.slug,
                "title": "Plasma drive",
                "status": "published",
                "organization": {"slug": drive.organization.slug, "name": "Hope Foundation"},
                "site": {
                    "name": "St Mary Hall",
                    "address": "12 Oak St, Los Angeles, CA 90001",
                    "city": "Los Angeles",
                    "timezone": "America/Los_Angeles",
                },
                "starts_at": "2027-03-13T09:00:00-08:00",
                "ends_at": "2027-03-13T15:00:00-08:00",
                "spots_left": 28,
                "url": f"http://testserver/d/{drive.slug}/",
            }
        ],
        "next": None,
    }


def test_drafts_cancelled_and_past_drives_are_not_listed() -> None:
    shown, cancelled, _draft = builders.drive(), builders.drive(), builders.drive(published=False)
    lifecycle.cancel_drive(drive_id=cancelled.pk, reason="", actor="user:1", now=NOW)
    assert ids(Api().get("drives/")) == [str(shown.pk)]
    with time_machine.travel(shown.ends_at, tick=False):
        assert ids(Api().get("drives/")) == []


def test_lists_are_narrowed_by_organization_city_and_day() -> None:
    owner = builders.organization()
    first = builders.drive(owner)
    second = builders.drive(owner, builders.plan(builders.site(owner, city="Reno"), day=date(2027, 3, 20)))
    other = builders.drive()
    everything = [str(drive.pk) for drive in (first, other, second)]
    for query, expected in {
        "": everything,
        f"organization={owner.slug}": [everything[0], everything[2]],
        "organization=nobody": [],
        "city=reno": [everything[2]],
        "from=2027-03-14": [everything[2]],
        "to=2027-03-13": everything[:2],
        "from=2027-03-13&to=2027-03-13&city=Los%20Angeles": everything[:2],
        "status=published": everything,
    }.items():
        assert ids(Api().get(f"drives/?{query}")) == expected, query


@pytest.mark.parametrize(
    "query",
    ["from=yesterday", "to=2027-02-30", "status=open", "city=%00", "organization=%00", "cursor=x", "cursor=%00"],
)
def test_a_parameter_that_cannot_be_is_400_and_named(query: str) -> None:
    refused = Api().get(f"drives/?{query}")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == f"?{query.partition('=')[0]}"


def cursor(position: str) -> str:
    return base64.urlsafe_b64encode(position.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "position",
    [
        *("[null, 1]", "[Infinity, 1]", "[-Infinity, 1]", "[NaN, 1]", "[true, 1]", "[[], 1]", "[{}, 1]", "[1.5, 1]"),
        *('["2027-03-13", 1]', '["2027-03-13T09:00:00", 1]', '["2027-03-13T09:00:00Z", true]', "[]", "7", '""'),
        *('["2027-03-13T09:00:00Z", -1]', f'["2027-03-13T09:00:00Z", {2**63}]', '["2027-03-13T09:00:00Z", null]'),
    ],
)
def test_a_forged_cursor_is_400(position: str) -> None:
    refused = Api().get(f"drives/?cursor={cursor(position)}")
    assert refused.status_code == 400
    assert refused.json()["errors"][0] | {"detail": ""} == {
        "pointer": "?cursor",
        "code": "cursor_unknown",
        "detail": "",
    }


def test_a_cursor_at_the_edges_of_its_values_is_one() -> None:
    for position in (f'["2027-03-13T09:00:00Z", {2**63 - 1}]', '["2027-03-13T09:00:00Z", 0]'):
        assert ids(Api().get(f"drives/?cursor={cursor(position)}")) == []


def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    owner = builders.organization()
    place, policy = builders.site(owner), builders.policy()
    for n in range(53):
        plan = builders.plan(place, policy_id=policy.pk, day=date(2027, 3, 13) + timedelta(days=n // 3))
        builders.drive(owner, plan)
    seen, page = [], Api().get("drives/")
    seen += ids(page)
    assert len(seen) == 50
    assert page.json()["next"].startswith("http://testserver/api/v1/drives/?cursor=")
    Drive.objects.filter(pk=seen[3]).update(state="draft")  # a drive from the first page disappears in the meantime
    page = Api().get(page.json()["next"])
    seen += ids(page)
    assert page.json()["next"] is None
    assert seen == [str(pk) for pk in Drive.objects.order_by("starts_at", "pk").values_list("pk", flat=True)]


def test_a_drive_has_all_that_a_donor_needs_before_booking() -> None:
    owner = builders.organization()
    cause = Cause.objects.create(organization=owner, title="Running for Zoe", slug="zoe", summary="For Zoe", story="…")
    policy = builders.policy(self_check=["age_18", "own_rule"])
    drive = builders.drive(
        owner, builders.plan(builders.site(owner), cause_id=cause.pk, policy_id=policy.pk, description="Come in.")
    )
    told = Api().get(f"drives/{drive.pk}/").json()
    assert told["description"] == "Come in."
    assert told["cause"]["title"] == "Running for Zoe"
    assert told["policy"] == {
        "code": policy.code,
        "version": 1,
        "name": "Test programme",
        "source": "made up for tests",
        "min_hours": 48,
        "min_days": None,
        "windows": [{"count": 2, "days": 7}],
    }
    assert told["self_check"] == [
        {"code": "age_18", "text": "I am 18 or older."},
        {"code": "own_rule", "text": "Own rule"},
    ]
    assert told["visits"] == [{"type": "first", "minutes": 120}, {"type": "return", "minutes": 75}]
    assert told["spots_left"] == 28
    assert set(told) == {*Api().get("drives/").json()["results"][0]} | {
        "description",
        "cause",
        "policy",
        "self_check",
        "visits",
    }


def test_a_closed_drive_is_shown_without_spots() -> None:
    drive = builders.drive()
    lifecycle.close_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    told = Api().get(f"drives/{drive.pk}/").json()
    assert (told["status"], told["spots_left"]) == ("closed", 0)
    assert Api().get(f"drives/{drive.pk}/slots/").json()["results"] == []


def test_a_draft_is_not_found() -> None:
    draft = builders.drive(published=False)
    for path in (f"drives/{draft.pk}/", f"drives/{draft.pk}/slots/", "drives/999999999/", "drives/x/slots/"):
        unknown = Api().get(path)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert Api().get(f"drives/{draft.pk}/").content == Api().get("drives/999999999/").content


def test_slots_are_those_that_fit_the_visit() -> None:
    drive = builders.drive()
    times = {visit: Api().get(f"drives/{drive.pk}/slots/?visit={visit}").json() for visit in ("first", "return")}
    assert times["return"]["results"][0] == {
        "id": str(builders.slot(drive).pk),
        "starts_at": "2027-03-13T09:00:00-08:00",
        "local_time": "9:00 AM",
        "timezone": "America/Los_Angeles",
        "spots_left": 4,
    }
    assert times["first"]["results"][-1]["local_time"] == "1:30 PM"
    assert times["return"]["results"][-1]["local_time"] == "2:00 PM"
    assert Api().get(f"drives/{drive.pk}/slots/?visit=second").status_code == 400


def test_a_held_slot_has_one_spot_less_and_a_past_one_none() -> None:
    drive = builders.drive()
    builders.held(drive, n=0)
    assert Api().get(f"drives/{drive.pk}/slots/").json()["results"][0]["spots_left"] == 3
    with time_machine.travel(drive.starts_at + timedelta(minutes=20), tick=False):
        assert Api().get(f"drives/{drive.pk}/slots/").json()["results"][0]["local_time"] == "9:30 AM"


def test_one_row_or_three_take_the_same_queries() -> None:
    drive = builders.drive()
    paths = {"drives/": 2, f"drives/{drive.pk}/": 2, f"drives/{drive.pk}/slots/": 1}
    assert {path: queries(Api(), path) for path in paths} == paths
    for _more in range(2):
        builders.drive()
    assert {path: queries(Api(), path) for path in paths} == paths


def test_get_and_head_change_nothing_and_other_methods_are_405() -> None:
    drive = builders.drive()
    token = builders.held(drive).token
    for path in ("drives/", f"drives/{drive.pk}/", f"drives/{drive.pk}/slots/", f"bookings/{token}/"):
        assert Api().client.head(f"/api/v1/{path}").status_code == 200
        for method in ("PUT", "DELETE", "OPTIONS"):
            refused = Api().send(method, path)
            assert refused.status_code == 405
            assert refused["Allow"].startswith("GET, HEAD")
    for verb in ("verify", "code", "confirm", "cancel", "move"):
        assert Api().get(f"bookings/{token}/{verb}/").status_code == 405
    assert Api().get("bookings/").status_code == 405


def test_answers_are_never_cached() -> None:
    token = builders.held(builders.drive()).token
    for path in ("drives/", f"bookings/{token}/"):
        assert Api().get(path)["Cache-Control"] == "no-store"
