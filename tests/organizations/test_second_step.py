"""Owners and coordinators must set up a second sign-in step."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client

from config import settings as written
from organizations.models import Membership, Role, User
from tests import builders
from tests.builders import PASSWORD
from tests.organizations.test_accounts import totp_code

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _as_in_production(settings: Any) -> None:
    settings.SECOND_STEP_REQUIRED = written.SECOND_STEP_REQUIRED


def signed_in(member: Membership) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": member.user.email, "password": PASSWORD})
    return client


def test_a_second_step_is_required_outside_the_demo() -> None:
    assert (written.DEMO, written.SECOND_STEP_REQUIRED) == (False, True)


@pytest.mark.parametrize("role", [Role.OWNER, Role.COORDINATOR])
def test_with_a_password_alone_they_come_as_far_as_the_page_where_it_is_set_up(role: str) -> None:
    client = signed_in(builders.member(builders.organization(), role))
    for path in ("/organizer/", "/organizer/messages/"):
        assert client.get(path)["Location"] == "/accounts/2fa/"
    assert "First set up two-step sign-in" in client.get("/accounts/2fa/").content.decode()


def test_their_browser_cannot_use_the_api() -> None:
    client = signed_in(ben := builders.member(builders.organization()))
    assert client.get("/api/v1/sites/").status_code == 401
    TOTP.activate(ben.user, SECRET)
    assert client.get("/api/v1/sites/").status_code == 200


def test_check_in_helpers_need_no_second_step() -> None:
    client = signed_in(builders.member(builders.organization(), Role.CHECK_IN))
    assert client.get("/organizer/").status_code == 200


def test_it_is_set_up_in_a_minute_and_asked_for_the_next_time() -> None:
    ben = builders.member(builders.organization())
    client = signed_in(ben)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})  # required before any change of the sign-in
    secret = re.search(r"\b[A-Z2-7]{32}\b", client.get("/accounts/2fa/totp/activate/").content.decode())
    assert secret
    client.post("/accounts/2fa/totp/activate/", {"code": totp_code(secret[0])})
    assert client.get("/organizer/").status_code == 200
    assert "_auth_user_id" not in signed_in(ben).session


def test_recovery_codes_alone_are_no_second_step() -> None:
    ben = builders.member(builders.organization())
    Authenticator.objects.create(user=ben.user, type="webauthn", data={"name": "key", "credential": {}})
    RecoveryCodes.activate(ben.user)
    client = Client()
    client.force_login(ben.user)
    assert client.get("/organizer/").status_code == 200
    Authenticator.objects.filter(type="webauthn").delete()
    assert client.get("/organizer/")["Location"] == "/accounts/2fa/"


def test_the_admin_does_not_open_to_a_password_alone() -> None:
    root = User.objects.create_superuser("root@example.org", PASSWORD)
    client = Client()
    client.force_login(root)
    for path in ("/admin/", "/admin/volunteers/contact/"):
        assert client.get(path)["Location"].startswith("/admin/login/")
        assert client.get(path, follow=True).redirect_chain[-1][0] == "/accounts/2fa/"
    TOTP.activate(root, SECRET)
    assert client.get("/admin/").status_code == 200
