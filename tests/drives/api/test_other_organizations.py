"""Every API call treats another organization's id as unknown, and writes nothing."""

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.urls import URLPattern

from drives import urls_api
from drives.api.access import ApiView
from organizations.models import Role
from organizations.rules import PERMISSIONS
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

BODIES: dict[str, Any] = {
    "copy": {"day": "2027-04-10"},
    "outcome": {"outcome": "donated"},
    "walk-ins": {"name": "Test Dan Dow", "visit": "return", "phone": "+12015550149"},
}


def view_of(pattern: URLPattern) -> type[ApiView]:
    view: type[ApiView] = vars(pattern.callback)["cls"]
    return view


CALLS = [
    (method, str(pattern.pattern), need)
    for pattern in urls_api.urlpatterns
    for method, need in view_of(pattern).needs.items()
]
KEYED = [(method, path) for method, path, need in CALLS if need != "public"]
NAMED = [(method, path) for method, path in KEYED if "<" in path]


def rows(model: type[Model]) -> str:
    return str(list(model._default_manager.order_by("pk").values()))


def everything() -> dict[str, str]:
    return {model._meta.label: rows(model) for model in apps.get_models()}


class World:
    """Ana's booking at a drive of Ben's organization, with one object of each kind that a call can refer to."""

    def __init__(self) -> None:
        self.owner = builders.organization()
        self.cause = self.owner.causes.create(title="Running for Zoe", slug="zoe", summary="For Zoe")
        self.center = self.owner.centers.create(name="The centre")
        self.policy = builders.policy(organization=self.owner)
        self.drive = builders.drive(self.owner, published=False)
        self.booking = builders.booked(builders.drive(self.owner))

    def path(self, route: str) -> str:
        kind = route.partition("/")[0]
        named = {
            "organizations": self.owner.pk,
            "sites": self.drive.site_id,
            "causes": self.cause.pk,
            "centers": self.center.pk,
            "policies": self.policy.pk,
        }
        assert self.booking.volunteer_id
        numbers = {
            "volunteer_id": self.booking.volunteer_id,
            "drive_id": self.drive.pk,
            "booking_id": self.booking.pk,
            "pk": named.get(kind, 0),
        }
        for name, pk in numbers.items():
            route = route.replace(f"<id:{name}>", str(pk))
        return route


def send(api: Api, method: str, path: str) -> Any:
    body = BODIES.get(path.rstrip("/").rpartition("/")[2])
    return api.send(method, path, body, **{"If-Match": '"1"'})


def test_every_call_says_who_may_make_it() -> None:
    for pattern in urls_api.urlpatterns:
        view = view_of(pattern)
        methods = {name for name in ("get", "post", "put", "patch", "delete") if hasattr(view, name)}
        assert methods == {method.lower() for method in view.needs}, view
        assert set(view.needs.values()) <= {"public", *PERMISSIONS}


@pytest.mark.parametrize(("method", "route"), [*NAMED, ("GET", "drives/<id:drive_id>/")])
def test_an_id_of_another_organization_is_not_found(method: str, route: str) -> None:
    world = World()
    cleo = Api.with_key(builders.organization("Other"), Role.OWNER)
    cleo.get("drives/")  # records when the key was last used
    before = everything()
    strange = send(cleo, method, world.path(route))
    never = send(
        cleo,
        method,
        world.path(route)
        .replace(str(world.drive.pk), "999999")
        .replace(f"/{world.booking.pk}/", "/999999/")
        .replace(f"/{world.booking.volunteer_id}/", "/999999/"),
    )
    assert strange.status_code == 404
    assert strange.content == never.content
    assert everything() == before


@pytest.mark.parametrize(("method", "route"), NAMED)
def test_a_session_of_another_organization_finds_nothing_either(method: str, route: str) -> None:
    world = World()
    cleo = Api()
    cleo.client.force_login(builders.member(builders.organization("Other")).user)
    before = {name: kept for name, kept in everything().items() if name != "sessions.Session"}
    assert send(cleo, method, world.path(route)).status_code == 404
    after = everything()
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize(("method", "route"), KEYED)
def test_calls_without_a_key_are_refused(method: str, route: str) -> None:
    world = World()
    before = everything()
    assert send(Api(), method, world.path(route)).status_code == 401
    assert everything() == before


@pytest.mark.parametrize("route", [path for method, path in KEYED if method == "GET" and "<" not in path])
def test_lists_hold_nothing_of_others(route: str) -> None:
    world = World()
    cleo = Api.with_key(builders.organization("Other"), Role.OWNER)
    ids = {row["id"] for row in cleo.get(route).json()["results"]}
    theirs = world.path(f"{route}<id:pk>/").rstrip("/").rpartition("/")[2]
    assert theirs not in ids


def test_naming_another_organization_in_the_address_opens_nothing() -> None:
    world = World()
    cleo = Api()
    cleo.client.force_login(builders.member(builders.organization("Other")).user)
    slug = world.owner.slug
    assert cleo.get(f"drives/{world.drive.pk}/roster/?organization={slug}").status_code == 401
    assert cleo.get(f"drives/?status=draft&organization={slug}").status_code == 401


def test_a_key_that_was_revoked_or_ran_out_opens_nothing() -> None:
    world = World()
    ben = Api.with_key(world.owner)
    assert ben.get("sites/").status_code == 200
    world.owner.api_keys.update(revoked_at=builders.NOW)
    assert ben.get("sites/").status_code == 401
    world.owner.api_keys.update(revoked_at=None, expires_at=builders.NOW)
    assert ben.get("sites/").status_code == 401


def test_guessed_tokens_open_nothing() -> None:
    token = World().booking.token
    guesses = [token[:-1], token + "A", token.swapcase(), token[::-1], "0", "%00", "%ff", "a" * 3000, "é" * 22]
    for guess in guesses:
        for answer in (Api().get(f"bookings/{guess}/"), Api().post(f"bookings/{guess}/cancel/")):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
