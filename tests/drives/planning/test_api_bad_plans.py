"""Send generated input to the API for planning and check-in.

Every response has a status below 500.
"""

from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api
from tests.drives.planning.test_api import plan

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

ODD = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)
NUMBERS = st.integers(-1, 130)
TIMES = st.times().map(str) | st.sampled_from(["09:00", "23:59", "00:00", "24:00", "12:00+02:00", "9"])
DAYS = st.dates().map(str) | st.sampled_from(["2027-03-14", "2027-11-07", "0001-01-01", "9999-12-31"])
PLANS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.text(max_size=130) | ODD,
        "day": DAYS | ODD,
        "opens": TIMES | ODD,
        "closes": TIMES | ODD,
        "breaks": st.lists(st.fixed_dictionaries({"starts": TIMES, "ends": TIMES}), max_size=3) | ODD,
        "goal": NUMBERS | ODD,
        "description": st.text(max_size=30),
        "phone": st.text(max_size=25),
        **dict.fromkeys(("step_minutes", "chairs", "screening_stations", "grace_minutes"), NUMBERS | ODD),
        **dict.fromkeys(("first_screening_steps", "first_chair_steps"), NUMBERS | ODD),
        **dict.fromkeys(("return_screening_steps", "return_chair_steps"), NUMBERS | ODD),
        **dict.fromkeys(("site", "policy", "cause", "center"), ODD),
    },
)
fuzzed = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


def test_any_plan_is_created_or_refused() -> None:
    owner = builders.organization()
    api, good = Api.with_key(owner), plan(owner)

    @fuzzed
    @given(changes=PLANS)
    def calls(changes: dict[str, Any]) -> None:
        assert api.post("drives/preview/", {**good, **changes}).status_code in {200, 400}
        assert api.post("drives/", {**good, **changes}).status_code in {201, 400}

    calls()


def test_any_change_is_made_or_refused() -> None:
    drive = builders.drive()
    builders.booked(drive)
    api, path = Api.with_key(drive.organization), f"drives/{drive.pk}/"

    @fuzzed
    @given(changes=PLANS | ODD)
    def calls(changes: Any) -> None:
        tag = api.get(path)["ETag"]
        assert api.patch(path, changes, **{"If-Match": tag}).status_code in {200, 400}

    calls()


@pytest.mark.parametrize("tag", ["", '"' + "9" * 9 + '"', '"' + "9" * 40 + '"', '"-1"', '"1", "2"', "é"])
def test_any_tag_is_answered(tag: str) -> None:
    drive = builders.drive()
    refused = Api.with_key(drive.organization).patch(f"drives/{drive.pk}/", {"title": "x"}, **{"If-Match": tag})
    assert refused.status_code == (412 if tag else 428)


def test_any_check_in_call_is_done_or_refused() -> None:
    drive = builders.drive()
    booking = builders.booked(drive)
    api = Api.with_key(drive.organization)
    paths = [f"bookings/{booking.pk}/{verb}/" for verb in ("check-in", "outcome", "undo")]
    paths += [f"drives/{drive.pk}/{verb}/" for verb in ("walk-ins", "copy")]
    bodies = st.dictionaries(
        st.sampled_from(["outcome", "at", "name", "visit", "phone", "email", "day"]),
        ODD | DAYS | st.sampled_from(["donated", "left", "no_show", "return", "+12015550142", "2027-03-13T17:02:00Z"]),
    )

    @fuzzed
    @given(path=st.sampled_from(paths), body=bodies | ODD)
    def calls(path: str, body: Any) -> None:
        assert api.post(path, body).status_code in {200, 201, 400, 409}

    with time_machine.travel("2027-03-13T17:05:00Z", tick=False):
        calls()
