"""Drives in the API: drafts, versions, publishing and cancelling."""

from typing import Any

import pytest
from django.db.models import Q

from drives.models import Booking, BookingState, Drive, DriveState, Policy
from organizations.models import AuditEntry, Cause, Organization, Role
from organizations.translated_text import TranslatedString
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def plan(of: Organization, **changes: Any) -> dict[str, Any]:
    return builders.posted_plan(
        of, **{"title": "Spring drive", "breaks": [{"starts": "12:00", "ends": "12:30"}], **changes}
    )


def codes(answer: Any) -> list[tuple[str, str]]:
    return [(one["pointer"], one["code"]) for one in answer.json()["errors"]]


def test_a_drive_is_created_as_a_draft_and_published() -> None:
    ben = builders.organization()
    api = Api.with_key(ben)
    made = api.post("drives/", plan(ben))
    assert made.status_code == 201
    assert (made.json()["status"], made["ETag"]) == ("draft", '"1"')
    assert made.json()["plan"]["breaks"] == [{"starts": "12:00:00", "ends": "12:30:00"}]
    path = f"drives/{made.json()['id']}/"
    assert Api().get(path).status_code == 404
    assert api.get(path).json() == made.json()
    published = api.post(f"{path}publish/")
    assert published.json()["status"] == "published"
    assert Api().get(path).status_code == 200
    assert api.post(f"{path}close/").json()["status"] == "closed"
    assert api.post(f"{path}publish/").json()["status"] == "published"
    assert {entry.actor for entry in AuditEntry.objects.filter(about=f"drive:{made.json()['id']}")} == {
        f"key:{ben.api_keys.get().pk}"
    }


def test_optional_texts_default_to_empty() -> None:
    ben = builders.organization()
    made = Api.with_key(ben).post("drives/", plan(ben))
    drive = Drive.objects.get(pk=made.json()["id"])
    assert (drive.description, drive.bring, drive.phone) == (TranslatedString(), TranslatedString(), "")
    plan_made = made.json()["plan"]
    assert (plan_made["description"], plan_made["bring"], plan_made["phone"]) == ({}, {}, "")


def test_an_invalid_plan_is_refused_by_member() -> None:
    ben = builders.organization()
    api = Api.with_key(ben)
    refused = api.post("drives/", plan(ben, closes="08:00"))
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "#/closes"
    missing = api.post("drives/", {})
    assert ("#/site", "required") in codes(missing)
    assert not Drive.objects.exists()


def test_records_of_another_organization_are_refused() -> None:
    ben, other = builders.organization(), builders.organization("Other")
    api = Api.with_key(ben)
    foreign = {
        "site": builders.site(other).pk,
        "policy": builders.policy(organization=other).pk,
        "cause": Cause.objects.create(organization=other, title="Theirs", slug="theirs", summary="x").pk,
        "center": other.centers.create(name="Theirs").pk,
    }
    for name, pk in foreign.items():
        refused = api.post("drives/", plan(ben, **{name: str(pk)}))
        unknown = api.post("drives/", plan(ben, **{name: "999999"}))
        assert codes(refused) == codes(unknown) == [(f"#/{name}", f"{name}_unknown")]
    assert not Drive.objects.exists()


def test_a_change_must_name_its_version() -> None:
    drive = builders.drive(published=False)
    api, path = Api.with_key(drive.organization), f"drives/{drive.pk}/"
    tag = api.get(path)["ETag"]
    assert api.patch(path, {"title": "New"}).status_code == 428
    for wrong in ('"99"', "99", "W/" + tag, "*", '"x"'):
        refused = api.patch(path, {"title": "New"}, **{"If-Match": wrong})
        assert (refused.status_code, refused.json()["code"]) == (412, "version_changed")
    changed = api.patch(path, {"title": "New"}, **{"If-Match": tag})
    assert (changed.status_code, changed.json()["title"]) == (200, "New")
    assert api.patch(path, {"title": "Overwritten"}, **{"If-Match": tag}).status_code == 412
    assert api.patch(path, {"title": "Newer"}, **{"If-Match": changed["ETag"]}).status_code == 200
    drive.refresh_from_db()
    assert str(drive.title) == "Newer"


def test_a_change_keeps_the_other_members() -> None:
    drive = builders.drive(published=False, title="Spring drive", bring="A photo ID", goal=40)
    api, path = Api.with_key(drive.organization), f"drives/{drive.pk}/"
    before: dict[str, Any] = dict(Drive.objects.filter(pk=drive.pk).values().get())
    sneaky = {"state": "completed", "slug": "taken", "version": 7, "organization_id": 1, "starts_at": None, "id": 1}
    api.patch(path, {"chairs": 6, **sneaky}, **{"If-Match": api.get(path)["ETag"]})
    after: dict[str, Any] = dict(Drive.objects.filter(pk=drive.pk).values().get())
    assert {name for name in after if after[name] != before[name]} <= {"chairs", "version", "changed_at"}
    assert after["chairs"] == 6


def test_a_booked_drive_keeps_its_day() -> None:
    drive = builders.drive()
    builders.booked(drive)
    api, path = Api.with_key(drive.organization), f"drives/{drive.pk}/"
    refused = api.patch(path, {"day": "2027-03-14"}, **{"If-Match": api.get(path)["ETag"]})
    assert refused.status_code == 400
    assert codes(refused) == [("#/day", "grid_is_frozen")]


def test_cancelling_a_drive_cancels_its_bookings() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    api = Api.with_key(drive.organization)
    cancelled = api.post(f"drives/{drive.pk}/cancel/", {"reason": "The hall is flooded."})
    assert cancelled.json()["status"] == "cancelled"
    booking.refresh_from_db()
    assert booking.state == BookingState.CANCELLED
    refused = api.post(f"drives/{drive.pk}/publish/")
    assert refused.json()["reasons"][0]["code"] == "drive_cancelled"
    assert api.post(f"drives/{drive.pk}/cancel/").status_code == 200


def test_a_copy_is_a_draft_on_another_day() -> None:
    drive = builders.drive()
    copy = Api.with_key(drive.organization).post(f"drives/{drive.pk}/copy/", {"day": "2027-04-10"})
    assert copy.status_code == 201
    assert (copy.json()["status"], copy.json()["starts_at"]) == ("draft", "2027-04-10T09:00:00-07:00")


def test_a_preview_shows_times_or_problems_and_saves_nothing() -> None:
    ben = builders.organization()
    api = Api.with_key(ben)
    shown = api.post("drives/preview/", plan(ben)).json()
    assert (shown["problems"], shown["timezone"], len(shown["times"])) == ([], "America/Los_Angeles", 24)
    assert shown["times"][0]["starts_at"] == "2027-03-13T09:00:00-08:00"
    assert shown["first_visits"] > 0
    wrong = api.post("drives/preview/", plan(ben, closes="08:00", breaks=[])).json()
    assert [problem["field"] for problem in wrong["problems"]] == ["closes"]
    assert not Drive.objects.exists()


@pytest.mark.parametrize(("day", "is_past"), [("2027-02-28", True), ("2027-03-01", False)])
def test_a_past_day_is_a_problem_of_the_plan(day: str, *, is_past: bool) -> None:
    ben = builders.organization()
    api = Api.with_key(ben)
    shown = api.post("drives/preview/", plan(ben, day=day)).json()
    assert [problem["code"] for problem in shown["problems"]] == (["day_past"] if is_past else [])
    created = api.post("drives/", plan(ben, day=day))
    assert created.status_code == (400 if is_past else 201)
    assert not is_past or codes(created) == [("#/day", "day_past")]


def test_own_drives_are_listed_by_state() -> None:
    draft = builders.drive(published=False)
    builders.drive()
    api = Api.with_key(draft.organization, Role.VIEWER)
    assert [row["id"] for row in api.get("drives/?status=draft").json()["results"]] == [str(draft.pk)]
    assert Api().get("drives/?status=draft").status_code == 401


def test_sites_causes_centers_and_policies_can_be_read() -> None:
    ben = builders.organization()
    site = builders.site(ben)
    policy = builders.policy(organization=ben)
    builders.policy(organization=builders.organization("Other"))
    offered = Policy.objects.filter(Q(organization=None) | Q(organization=ben)).order_by("pk")
    cause = Cause.objects.create(organization=ben, title="Running for Zoe", slug="zoe", summary="For Zoe")
    cause.facts.create(text="One in a million.", source_name="A journal")
    center = ben.centers.create(name="The centre")
    api = Api.with_key(ben, Role.VIEWER)
    made: dict[str, list[Any]] = {
        "organizations": [ben],
        "sites": [site],
        "causes": [cause],
        "centers": [center],
        "policies": list(offered),
    }
    for name, rows in made.items():
        listed = api.get(f"{name}/").json()
        assert [row["id"] for row in listed["results"]] == [str(row.pk) for row in rows]
        assert api.get(f"{name}/{rows[0].pk}/").json() == listed["results"][0]
    assert policy in offered
    assert api.get("causes/").json()["results"][0]["facts"][0]["source"] == "A journal"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CHECK_IN])
def test_members_without_the_plan_permission_get_403(role: Role) -> None:
    drive = builders.drive()
    api, state = Api.with_key(drive.organization, role), DriveState.PUBLISHED
    for path, body in {
        "drives/": plan(drive.organization),
        "drives/preview/": plan(drive.organization),
        f"drives/{drive.pk}/close/": None,
        f"drives/{drive.pk}/cancel/": None,
        f"drives/{drive.pk}/copy/": {"day": "2027-04-10"},
        f"drives/{drive.pk}/waitlist/close/": None,
    }.items():
        refused = api.post(path, body)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert api.patch(f"drives/{drive.pk}/", {"title": "x"}, **{"If-Match": '"1"'}).status_code == 403
    assert Drive.objects.get().state == state
    assert not Booking.objects.exists()


def test_a_browser_session_needs_a_csrf_token() -> None:
    drive = builders.drive()
    api = Api()
    api.client.handler.enforce_csrf_checks = True
    api.client.force_login(builders.member(drive.organization).user)
    assert api.get(f"drives/{drive.pk}/roster/").status_code == 200
    refused = api.post(f"drives/{drive.pk}/close/")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert Drive.objects.get().state == DriveState.PUBLISHED
    api.client.cookies["csrftoken"] = token = "a" * 32
    assert api.post(f"drives/{drive.pk}/close/", **{"X-CSRFToken": token}).status_code == 200


def test_keys_and_anonymous_bookings_need_no_csrf_token() -> None:
    drive = builders.drive()
    for api in (Api(), Api.with_key(drive.organization)):
        api.client.handler.enforce_csrf_checks = True
        number = "+12015550143" if api.headers else "+12015550144"
        assert api.book(slot=str(builders.slot(drive).pk), phone=number).status_code == 201


@pytest.mark.parametrize("header", ["Bearer pd_x_y", "Bearer", "Basic abc", "pd_", "Bearer pd_" + "é" * 30])
def test_a_wrong_key_is_401_on_public_calls_too(header: str) -> None:
    drive = builders.drive()
    for path in ("drives/", f"drives/{drive.pk}/roster/"):
        refused = Api(Authorization=header).get(path)
        assert refused.status_code == 401
        assert refused["WWW-Authenticate"].startswith("Bearer")
    nobody = Api().get(f"drives/{drive.pk}/roster/")
    assert (nobody.status_code, nobody.json()["code"]) == (401, "not_authenticated")


def test_a_preview_refuses_an_impossible_plan() -> None:
    ben = builders.organization()
    api = Api.with_key(ben)
    for name in ("policy", "cause", "center"):
        answers = [api.post(path, plan(ben, **{name: "999999"})) for path in ("drives/preview/", "drives/")]
        assert [codes(answer) for answer in answers] == [[(f"#/{name}", f"{name}_unknown")]] * 2


def test_the_phone_of_a_drive_must_be_valid() -> None:
    ben = builders.organization()
    api = Api.with_key(ben)
    assert codes(api.post("drives/", plan(ben, phone="ask <b>Ben</b>"))) == [("#/phone", "phone_invalid")]
    assert api.post("drives/", plan(ben, phone="(213) 555-0142")).json()["plan"]["phone"] == "+12135550142"
