"""Sign-in, roles and sessions of coordinators."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string

from organizations.models import Membership, Role, User
from organizations.web import accounts
from organizations.web.accounts import CHOSEN_ORGANIZATION_KEY, MemberRequest
from tests import builders
from tests.builders import PASSWORD

pytestmark = pytest.mark.django_db
MORNING = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)


def sign_in(client: Client, user: User, password: str = PASSWORD) -> HttpResponse:
    response: HttpResponse = client.post("/accounts/login/", {"login": user.email, "password": password})  # type: ignore[assignment]
    return response


@accounts.role_required("plan")
def plan(request: MemberRequest, what: str = "drive") -> HttpResponseBase:
    return HttpResponse(f"{request.membership.organization.slug} {what}")


def visit(client: Client, user: User | None = None) -> HttpResponseBase:
    """Open a page for coordinators with the client's session. Return the response."""
    request: HttpRequest = RequestFactory().get("/organizer/plan/")
    request.session = client.session
    request.user = user or User.objects.get(pk=client.session["_auth_user_id"])
    answer = plan(request, what="site")
    request.session.save()
    return answer


def test_a_coordinator_acts_for_their_organization() -> None:
    ben = builders.member(builders.organization(), Role.COORDINATOR)
    client = Client()
    client.force_login(ben.user)
    assert visit(client).getvalue().decode() == f"{ben.organization.slug} site"


def test_a_signed_out_user_is_sent_to_the_sign_in_page_and_back() -> None:
    client = Client()
    request = RequestFactory().get("/organizer/plan/?a=1")
    request.session = client.session
    request.user = import_string("django.contrib.auth.models.AnonymousUser")()
    response = plan(request)
    assert (response.status_code, response.headers["Location"]) == (
        302,
        "/accounts/login/?next=/organizer/plan/%3Fa%3D1",
    )


def test_a_role_that_may_not_is_refused() -> None:
    for role in (Role.VIEWER, Role.CHECK_IN):
        client = Client()
        client.force_login(builders.member(builders.organization(), role).user)
        with pytest.raises(PermissionDenied):
            visit(client)


def test_a_role_that_was_taken_ends_at_once() -> None:
    ben = builders.member(builders.organization())
    client = Client()
    client.force_login(ben.user)
    assert visit(client).status_code == 200
    Membership.objects.filter(pk=ben.pk).update(role=Role.VIEWER)
    with pytest.raises(PermissionDenied):
        visit(client)
    Membership.objects.filter(pk=ben.pk).delete()
    assert visit(client).status_code == 403


def test_a_user_without_an_organization_gets_a_kind_page() -> None:
    user = User.objects.create_user("dora@example.org", PASSWORD)
    client = Client()
    client.force_login(user)
    answer = visit(client)
    assert answer.status_code == 403
    assert "you don’t belong to an organization" in answer.getvalue().decode()


def test_an_organization_is_chosen_for_the_session_and_only_ones_own() -> None:
    hope, zeal, other = (builders.organization(name) for name in ("Hope", "Zeal", "Other"))
    ben = builders.member(hope)
    Membership.objects.create(user=ben.user, organization=zeal, role=Role.OWNER)
    client = Client()
    client.force_login(ben.user)
    page = client.get("/organizer/switch/").content.decode()
    assert [each.slug in page for each in (hope, zeal, other)] == [True, True, False]
    assert client.post("/organizer/switch/", {"organization": zeal.slug}).headers["Location"] == "/organizer/"
    assert visit(client).getvalue().decode() == f"{zeal.slug} site"
    for slug in (other.slug, "unknown", ""):
        assert client.post("/organizer/switch/", {"organization": slug}).status_code == 404
    assert client.session[CHOSEN_ORGANIZATION_KEY] == zeal.slug


def test_a_session_left_alone_for_two_hours_is_over() -> None:
    ben = builders.member(builders.organization())
    client = Client()
    with time_machine.travel(MORNING, tick=False):
        client.force_login(ben.user)
        assert visit(client).status_code == 200
    with time_machine.travel(MORNING + timedelta(hours=1, minutes=59), tick=False):
        assert visit(client).status_code == 200
    with time_machine.travel(MORNING + timedelta(hours=3, minutes=58), tick=False):
        assert visit(client).status_code == 200
    with time_machine.travel(MORNING + timedelta(hours=6), tick=False):
        assert visit(client, ben.user).status_code == 302
        assert "_auth_user_id" not in client.session


def test_a_session_is_over_twelve_hours_after_the_sign_in() -> None:
    ben = builders.member(builders.organization())
    client = Client()
    with time_machine.travel(MORNING, tick=False):
        sign_in(client, ben.user)
    for hours in range(1, 13):
        with time_machine.travel(MORNING + timedelta(hours=hours), tick=False):
            signed_in = client.get("/accounts/2fa/").status_code == 200
    assert not signed_in


def test_signing_in_makes_a_new_session_with_safe_cookies() -> None:
    ben = builders.member(builders.organization())
    client = Client()
    session = client.session
    session["left"] = "by a stranger"
    session.save()
    client.cookies["sessionid"] = before = session.session_key or ""
    assert sign_in(client, ben.user).headers["Location"] == "/organizer/"
    cookie = client.cookies["sessionid"]
    assert cookie.value != before
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_signing_out_needs_a_post_and_ends_the_session() -> None:
    client = Client()
    client.force_login(builders.member(builders.organization()).user)
    key = client.session.session_key
    assert "Sign out?" in client.get("/accounts/logout/").content.decode()
    assert "_auth_user_id" in client.session
    client.post("/accounts/logout/")
    assert "_auth_user_id" not in client.session
    assert not client.session.exists(key or "")


def test_a_sign_in_that_fails_says_so_beside_the_field_and_on_top() -> None:
    page = Client().post("/accounts/login/", {"login": "ben", "password": ""}).content.decode()
    assert "<title>Error: Sign in</title>" in page
    assert "There is a problem" in page
    assert 'href="#id_login"' in page


def test_sign_up_is_closed() -> None:
    client = Client()
    assert "Your organization sets up your account" in client.get("/accounts/signup/").content.decode()
    client.post("/accounts/signup/", {"email": "mallory@example.org", "password1": PASSWORD})
    assert User.objects.count() == 0


def test_guessing_passwords_is_slowed_down() -> None:
    ben = builders.member(builders.organization()).user
    client = Client()
    for _ in range(6):
        assert sign_in(client, ben, "a wrong password").status_code in {200, 429}
    sign_in(client, ben)
    assert "_auth_user_id" not in client.session


def test_a_known_and_an_unknown_mailbox_are_answered_alike() -> None:
    ben = builders.member(builders.organization()).user
    pages = []
    for email in (ben.email, "nobody@example.org"):
        response = Client().post("/accounts/password/reset/", {"email": email}, follow=True)
        pages.append((response.status_code, response.content.decode()))
    assert pages[0][0] == pages[1][0] == 200
    assert pages[0][1].split("<main")[1] == pages[1][1].split("<main")[1]


def test_a_link_to_a_new_password_names_the_configured_address_and_works_once(settings: object) -> None:
    settings.ALLOWED_HOSTS = ["*"]  # type: ignore[attr-defined]
    ben = builders.member(builders.organization()).user
    Client(headers={"host": "evil.example"}).post("/accounts/password/reset/", {"email": ben.email})
    text = str(mail.outbox[-1].body)
    link = next(word for word in text.split() if "://" in word)
    assert link.startswith("http://testserver/accounts/password/reset/key/")
    assert "evil" not in text
    new = "another made-up password"
    used = []
    for _ in range(2):
        client = Client()
        page = client.get(link, follow=True)
        client.post(page.redirect_chain[-1][0] if page.redirect_chain else link, {"password1": new, "password2": new})
        ben.refresh_from_db()
        used.append(ben.check_password(new))
        ben.set_password(PASSWORD)
        ben.save()
    assert used == [True, False]


def test_a_member_gets_an_email_about_a_new_password() -> None:
    ben = builders.member(builders.organization()).user
    client, new = Client(headers={"user-agent": "A made-up browser"}), "another made-up password"
    client.force_login(ben)
    answer = {"oldpassword": "not the password", "password1": new, "password2": new}
    client.post("/accounts/password/change/", answer)
    assert mail.outbox == []
    client.post("/accounts/password/change/", answer | {"oldpassword": PASSWORD})
    (message,) = mail.outbox
    assert (message.recipients(), message.subject) == ([ben.email], "Your password was changed")
    body = str(message.body)
    assert "set a new password now" in body
    assert "http://testserver/accounts/password/reset/" in body
    assert "Browser: A made-up browser" in body


def test_a_member_gets_an_email_when_a_second_step_is_removed() -> None:
    ben = builders.member(builders.organization()).user
    client = Client(headers={"accept-language": "es"})
    TOTP.activate(ben, secret := "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    sign_in(client, ben)
    client.post("/accounts/2fa/authenticate/", {"code": totp_code(secret)})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/2fa/totp/deactivate/")
    (message,) = mail.outbox
    assert not Authenticator.objects.filter(user=ben).exists()
    assert "Si no fue usted" in str(message.body)
    assert message.recipients() == [ben.email]


def totp_code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def test_a_second_step_is_asked_for_once_it_is_set_up() -> None:
    ben = builders.member(builders.organization()).user
    TOTP.activate(ben, secret := "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    client = Client()
    assert sign_in(client, ben).headers["Location"].startswith("/accounts/2fa/authenticate/")
    assert "_auth_user_id" not in client.session
    assert client.get("/accounts/2fa/authenticate/").status_code == 200
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "_auth_user_id" not in client.session
    client.post("/accounts/2fa/authenticate/", {"code": totp_code(secret)})
    assert client.session["_auth_user_id"] == str(ben.pk)


def test_a_recovery_code_opens_once() -> None:
    ben = builders.member(builders.organization()).user
    TOTP.activate(ben, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    code = RecoveryCodes.activate(ben).get_unused_codes()[0]
    opened = []
    for _ in range(2):
        cache.clear()
        client = Client()
        sign_in(client, ben)
        client.post("/accounts/2fa/authenticate/", {"code": code})
        opened.append("_auth_user_id" in client.session)
    assert opened == [True, False]


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/1-x/",
    ],
)
def test_the_pages_at_the_door_have_one_heading_and_no_inline_script(path: str) -> None:
    page = Client().get(path).content.decode()
    assert page.count("<h1") == 1
    assert "<script>" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/logout/",
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/2fa/recovery-codes/",
        "/accounts/2fa/recovery-codes/generate/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/reauthenticate/",
        "/accounts/password/change/",
        "/organizer/switch/",
    ],
)
def test_the_pages_of_an_account_have_one_heading_and_labelled_fields(path: str) -> None:
    ben = builders.member(builders.organization()).user
    if "recovery" in path:
        Authenticator.objects.create(user=ben, type="webauthn", data={"name": "key", "credential": {}})
        RecoveryCodes.activate(ben)
    client = Client()
    sign_in(client, ben)
    client.force_login(ben)
    page = client.get(path, follow=True)
    assert page.status_code == 200
    text = page.content.decode()
    assert text.count("<h1") == 1
    assert "<script>" not in text


@pytest.mark.parametrize(("seconds", "status"), [(2 * 60 * 60, 200), (2 * 60 * 60 + 1, 302)])
def test_a_session_is_over_when_it_was_left_alone_for_more_than_two_hours(seconds: int, status: int) -> None:
    ben = builders.member(builders.organization())
    client = Client()
    with time_machine.travel(MORNING, tick=False):
        client.force_login(ben.user)
        assert visit(client).status_code == 200
    with time_machine.travel(MORNING + timedelta(seconds=seconds), tick=False):
        assert visit(client, ben.user).status_code == status


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/"])
def test_the_address_has_the_name_that_it_has_everywhere(path: str) -> None:
    page = Client().get(path).content.decode()
    assert ">E-mail address</label>" in page.replace("\n", "").replace("  ", "")
    assert ">Email" not in page
