"""A drive may be stricter than its policy, never looser."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from drives.domain.intervals import IntervalRules
from drives.models import Booking, Drive, Policy
from drives.planning import lifecycle, plan_check
from drives.refusals import Refusal
from tests import builders
from tests.builders import DRIVE_DAY, NOW
from tests.drives import coordinator
from tests.drives.caller import Api
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
DAY = timedelta(days=1)
PROGRAMME = IntervalRules(min_hours=48, windows=[[2, 7]])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((None, None, None), PROGRAMME),
        ((72, None, None), IntervalRules(min_hours=72, windows=[[2, 7]])),
        ((24, None, None), PROGRAMME),
        ((None, 5, None), IntervalRules(min_hours=48, min_days=5, windows=[[2, 7]])),
        ((None, None, (3, 30)), IntervalRules(min_hours=48, windows=[[2, 7], (3, 30)])),
    ],
)
def test_the_longer_minimum_and_every_window_count(asked: Any, expected: IntervalRules) -> None:
    assert PROGRAMME.tighten(*asked) == expected


def after(days: int, **changes: Any) -> Drive:
    return builders.drive(day=DRIVE_DAY + days * DAY, **changes)


def refused(drive: Drive, n: int = 0) -> Refusal:
    with pytest.raises(Refusal) as caught:
        builders.booked(drive, n=n)
    return caught.value


def test_a_stricter_drive_refuses_what_its_policy_allows() -> None:
    builders.booked(after(0))
    assert builders.booked(after(3)).state == "booked"
    Booking.objects.filter(drive__day=DRIVE_DAY + 3 * DAY).update(state="lapsed", is_counted=False)
    refusal = refused(after(3, stricter_days=5))
    assert refusal.codes == ["interval_too_short"]
    assert refusal.reasons[0].earliest_ok_at == datetime(2027, 3, 18, 7, tzinfo=UTC)


def test_stricter_hours_are_exact_over_the_spring_change() -> None:
    builders.booked(after(0))  # at 9:00, the day before the clocks change
    assert refused(after(3, stricter_hours=72)).reasons[0].earliest_ok_at == datetime(2027, 3, 16, 17, tzinfo=UTC)
    assert builders.booked(after(3, stricter_hours=72), n=4).starts_at == datetime(2027, 3, 16, 17, tzinfo=UTC)


def test_an_added_window_is_checked() -> None:
    for days in (0, 8):
        builders.booked(after(days))
    assert refused(after(16, stricter_count=2, stricter_count_days=30)).codes == ["window_full"]


def test_bookings_at_other_drives_keep_a_stricter_drives_rules() -> None:
    builders.booked(after(3, stricter_days=5))
    assert refused(after(0)).codes == ["interval_too_short"]


def test_alternatives_at_a_stricter_drive_keep_its_rules() -> None:
    owner = builders.organization()
    builders.booked(builders.drive(owner))
    strict = builders.drive(owner, day=DRIVE_DAY + 3 * DAY, stricter_days=5)
    lax = builders.drive(owner, day=DRIVE_DAY + 4 * DAY)
    refusal = refused(builders.drive(owner, day=DRIVE_DAY + DAY))
    assert {time.other_drive.slug for time in refusal.alternatives if time.other_drive} == {lax.slug}
    assert strict.slug != lax.slug


# Never looser


LOOSER: list[tuple[dict[str, int], dict[str, str]]] = [
    ({"stricter_hours": 47}, {"stricter_hours": "looser_than_policy"}),
    ({"stricter_hours": 48}, {}),
    ({"stricter_days": 1}, {"stricter_days": "looser_than_policy"}),
    ({"stricter_days": 3}, {}),
    ({"stricter_count": 3, "stricter_count_days": 7}, {"stricter_count": "looser_window_than_policy"}),
    ({"stricter_count": 3, "stricter_count_days": 8}, {}),
    ({"stricter_count": 2, "stricter_count_days": 7}, {}),
    ({"stricter_count": 2}, {"stricter_count": "window_incomplete"}),
    ({"stricter_count_days": 7}, {"stricter_count": "window_incomplete"}),
]


@pytest.mark.parametrize(("changes", "problems"), LOOSER)
def test_looser_rules_are_reported(changes: dict[str, int], problems: dict[str, str]) -> None:
    policy = Policy(min_hours=48, min_days=2, windows=[[2, 7]])
    plan = builders.plan(builders.site(builders.organization()), **changes)
    assert {problem.field: problem.code for problem in plan_check.list_rule_problems(plan, policy)} == problems


def test_a_looser_plan_is_refused_on_create_and_change() -> None:
    here = builders.organization()
    loose = builders.plan(builders.site(here), stricter_hours=24)
    with pytest.raises(ValidationError) as caught:
        lifecycle.create_drive(drive=loose, actor="test", now=NOW)
    assert list(caught.value.error_dict) == ["stricter_hours"]
    drive = builders.drive(here)
    loose = builders.replanned(drive, stricter_hours=24)
    with pytest.raises(ValidationError):
        lifecycle.change_drive(drive=loose, version=drive.version, actor="test", now=NOW)


def test_a_changed_policy_must_not_make_a_drive_looser() -> None:
    here = builders.organization()
    drive = builders.drive(here, builders.plan(builders.site(here), stricter_hours=72))
    far = builders.policy(min_hours=96)
    plan = builders.replanned(drive, policy=far)
    with pytest.raises(ValidationError) as caught:
        lifecycle.change_drive(drive=plan, version=drive.version, actor="test", now=NOW)
    assert list(caught.value.error_dict) == ["stricter_hours"]


def test_a_copy_is_as_strict() -> None:
    drive = after(0, stricter_days=5)
    copied = lifecycle.copy_drive(drive_id=drive.pk, day=DRIVE_DAY + DAY, actor="test", now=NOW)
    assert copied.stricter_days == 5


# On the pages, through the API


def test_donors_see_a_stricter_drives_rules() -> None:
    ben = builders.member(builders.organization())
    form = coordinator.typed(builders.site(ben.organization), builders.policy())
    typed = {**form, "stricter_days": "5", "stricter_count": "3", "stricter_count_days": "30", "save": "1"}
    browser = coordinator.signed_in(ben)
    assert browser.post("/organizer/drives/new/", typed).status_code == 302
    drive = Drive.objects.get()
    assert (drive.stricter_hours, drive.stricter_days, drive.stricter_count_days) == (None, 5, 30)
    assert (
        'name="stricter_days" value="5"'
        in browser.get(reverse("organizer_edit_drive", args=[drive.pk])).content.decode()
    )
    lifecycle.publish_drive(drive_id=drive.pk, actor="test", now=NOW)
    sentence = "How often: At least 48 hours between donations, at least 5 days between donations,"
    assert f"{sentence} no more than 2 in 7 days, no more than 3 in 30 days." in text(
        Client().get(reverse("drive", args=[drive.slug]))
    )


def test_looser_rules_are_shown_beside_their_field() -> None:
    ben = builders.member(builders.organization())
    form = coordinator.typed(builders.site(ben.organization), builders.policy())
    page = coordinator.signed_in(ben).post("/organizer/drives/new/", {**form, "stricter_hours": "24", "save": "1"})
    assert page.status_code == 422
    assert "The program’s own minimum is 48. Enter a larger number, or leave this empty." in text(page)
    assert Drive.objects.count() == 0


def planned(drive: Drive, **changes: Any) -> dict[str, Any]:
    api = Api.with_key(drive.organization)
    return {**api.get(f"drives/{drive.pk}/").json()["plan"], "title": "Another drive", **changes}


def test_the_api_creates_changes_and_previews_a_stricter_drive() -> None:
    drive = after(0)
    api = Api.with_key(drive.organization)
    made = api.post("drives/", planned(drive, stricter_hours=72))
    assert (made.status_code, made.json()["plan"]["stricter_hours"]) == (201, 72)
    assert made.json()["policy"]["min_hours"] == 72
    changed = api.patch(f"drives/{drive.pk}/", {"stricter_days": 4}, **{"If-Match": f'"{drive.version}"'})
    assert (changed.json()["policy"]["min_hours"], changed.json()["policy"]["min_days"]) == (48, 4)
    for path in ("drives/preview/", "drives/"):
        assert "looser_than_policy" in api.post(path, planned(drive, stricter_hours=24)).content.decode()


def test_shorter_values_change_nothing() -> None:
    rules = IntervalRules(min_hours=48, min_days=28)
    assert rules.tighten(24, 7, None) == replace(rules, windows=[])
    assert rules.tighten(72, 56, (1, 30)) == replace(rules, min_hours=72, min_days=56, windows=[(1, 30)])
