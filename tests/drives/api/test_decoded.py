"""Headers, cookies, tokens and the organization's name are checked as strictly as bodies."""

import uuid

import pytest

from drives.models import Booking
from tests import builders
from tests.builders import NOW
from tests.drives.caller import Api
from tests.drives.planning.test_api import plan

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

ODD = ["%00", "a%00b", "%EF%BF%BD", "%2Ftmp", "x" * 500, "-1", "٣", "null", "[]"]


@pytest.mark.parametrize("name", [*ODD, "%FF%FE", ""])
def test_an_organization_that_a_member_does_not_belong_to_is_none(name: str) -> None:
    drive = builders.drive()
    api = Api()
    api.client.force_login(builders.member(drive.organization).user)
    assert api.get("sites/?organization=" + drive.organization.slug).status_code == 200
    assert api.get(f"sites/?organization={name}").status_code == (401 if name else 200)
    public = api.get(f"drives/{drive.pk}/?organization={name}")
    assert public.status_code == 200
    assert ("plan" in public.json()) == (not name)


@pytest.mark.parametrize("session", [r'"\000aaaaaaaaaaaa"', r'"\377aaaaaaaaaaaa"', "x" * 3000, "a b c", '""', "٣" * 20])
def test_a_forged_session_is_none(session: str) -> None:
    drive = builders.drive()
    cookie = f"sessionid={session}".encode().decode("latin-1")
    assert Api(Cookie=cookie).get("sites/").status_code == 401
    assert Api(Cookie=cookie).get(f"drives/{drive.pk}/").status_code == 200


@pytest.mark.parametrize(
    "tag", ['W/"1"', "1", "*", '"01', '"-1"', '"1.0"', '"٣"', '"1", "1"', '"9999999999"', '""', "null", '"1\\u0000"']
)
def test_a_version_that_is_not_ours_is_412(tag: str) -> None:
    owner = builders.organization()
    api = Api.with_key(owner)
    made = api.post("drives/", plan(owner)).json()
    header = tag.encode().decode("latin-1")
    refused = api.patch(f"drives/{made['id']}/", {"title": "Another"}, **{"If-Match": header})
    assert (refused.status_code, refused.json()["code"]) == (412, "version_changed")
    assert api.patch(f"drives/{made['id']}/", {"title": "Another"}, **{"If-Match": '"1"'}).status_code == 200


@pytest.mark.parametrize(
    "key",
    ['"', '""', '"half-of-a-quoted-string-0001', 'half-of-a-quoted-string-0001"', 'a"b"c', "two words", "é" * 30, "\t"],
)
def test_a_key_that_is_no_string_of_the_draft_is_400(key: str) -> None:
    drive = builders.drive()
    for api in (Api(), Api.with_key(drive.organization)):
        refused = api.book(slot=str(builders.slot(drive).pk), key=key.encode().decode("latin-1"))
        assert (refused.status_code, refused.json()["code"]) == (400, "idempotency_key_missing")
    assert not Booking.objects.exists()


def test_a_quoted_key_is_the_same_as_a_plain_one() -> None:
    drive, key = builders.drive(), str(uuid.uuid4())
    first, second = (Api().book(slot=str(builders.slot(drive).pk), key=written) for written in (key, f'"{key}"'))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert Booking.objects.count() == 1


@pytest.mark.parametrize("token", [*ODD, "a" * 22, "../../x"])
@pytest.mark.parametrize("path", ["bookings/{}/", "waitlist/{}/"])
def test_a_token_that_opens_nothing_is_404(path: str, token: str) -> None:
    assert Api().get(path.format(token)).status_code == 404
