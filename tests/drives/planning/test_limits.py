"""The form and the API accept and refuse the same values on both sides of every limit."""

from typing import Any

import pytest
from django.core.validators import MaxValueValidator, MinValueValidator

from drives.models import PLAN_FIELDS, Drive, Policy, Site
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.caller import Api

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

# The form takes these in minutes, and the API in steps.
STEPS = {"first_screening_steps", "first_chair_steps", "return_screening_steps", "return_chair_steps"}
# Values that must be set together, so that the plan has no other error.
TOGETHER: dict[str, dict[str, Any]] = {
    "stricter_count": {"stricter_count_days": 366},
    "stricter_count_days": {"stricter_count": 1},
}
LENGTHS = {"title": 120, "description": 4000, "bring": 200}
NUMBERS = {
    "goal": (1, 5000),
    "chairs": (1, 500),
    "screening_stations": (0, 500),
    "step_minutes": (5, 60),
    "stricter_hours": (1, 9999),
    "stricter_days": (1, 366),
    "stricter_count": (1, 366),
    "stricter_count_days": (1, 366),
    "grace_minutes": (0, 1440),
}


TRIED: list[tuple[str, Any, bool]] = [
    ("title", "", False),
    ("description", "", True),
    ("step_minutes", 7, False),
    *((name, "x" * length, True) for name, length in LENGTHS.items()),
    *((name, "x" * (length + 1), False) for name, length in LENGTHS.items()),
    *((name, value, True) for name, limits in NUMBERS.items() for value in limits),
    *((name, least - 1, False) for name, (least, _most) in NUMBERS.items()),
    *((name, most + 1, False) for name, (_least, most) in NUMBERS.items()),
]


def in_form(site: Site, policy: Policy, changes: dict[str, Any]) -> dict[str, Any]:
    minutes = {"first_screening": "0", "return_screening": "0", "first_chair": "60", "return_chair": "60"}
    return coordinator.typed(site, policy, **minutes, save="1", **changes)


def in_api(site: Site, policy: Policy, changes: dict[str, Any]) -> dict[str, Any]:
    chair = 60 // (changes.get("step_minutes") or 15) or 1
    steps = dict.fromkeys(STEPS, 0) | {"first_chair_steps": chair, "return_chair_steps": chair}
    hours = {"day": "2027-03-13", "opens": "09:00", "closes": "15:00"}
    ids = {"site": str(site.pk), "policy": str(policy.pk)}
    return {"title": "Plasma drive", **hours, "chairs": 4, "screening_stations": 2, **steps, **ids, **changes}


@pytest.mark.parametrize(
    ("name", "value", "fits"), TRIED, ids=[f"{name} {str(value)[:5]!r} {fits}" for name, value, fits in TRIED]
)
def test_form_and_api_accept_and_refuse_the_same(name: str, value: Any, fits: bool) -> None:
    ben = builders.member(builders.organization())
    site, policy = builders.site(ben.organization), builders.policy(min_hours=None, windows=[])
    changes = {name: value, **TOGETHER.get(name, {})}
    page = coordinator.signed_in(ben).post("/organizer/drives/new/", in_form(site, policy, changes))
    answer = Api.with_key(ben.organization).post("drives/", in_api(site, policy, changes))
    assert (page.status_code, answer.status_code) == ((302, 201) if fits else (422, 400))
    if fits:
        assert [str(getattr(drive, name)) for drive in Drive.objects.all()] == [str(value)] * 2
    else:
        assert list(page.context["form"].errors) == [name]
        assert {error["pointer"] for error in answer.json()["errors"]} == {f"#/{name}"}
        assert not Drive.objects.exists()


def test_every_limited_field_is_tested() -> None:
    numbers = {
        field.name
        for field in PLAN_FIELDS
        if any(isinstance(one, MinValueValidator | MaxValueValidator) for one in field.validators)
    }
    assert numbers - STEPS == set(NUMBERS)
