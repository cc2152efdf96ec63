"""The pages on which a person creates an organization or accepts an invitation."""

from typing import Any
from urllib.parse import quote

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from organizations import invitations
from organizations.models import Invitation, Membership, Organization, Role, User
from tests import builders, query_counts
from tests.builders import NOW, PASSWORD
from tests.drives.donor import text, title

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
TYPED = {
    "organization_name": "Hope Foundation",
    "name": "Dora Dale",
    "email": "dora@example.org",
    "password": PASSWORD,
}


def set_up_link() -> str:
    return invitations.create_setup_link(now=NOW)[0].token


def invited(role: str = Role.VIEWER) -> Invitation:
    ben = builders.member(builders.organization("Hope Foundation"))
    return invitations.invite_member(
        organization=ben.organization, email="dana@example.org", role=role, invited_by=ben.user, now=NOW
    )


def opened(token: str, client: Client | None = None) -> Client:
    browser = client or Client()
    assert browser.get(f"/start/{token}/")["Location"] == "/start/"
    return browser


def test_a_founder_comes_from_the_link_to_the_set_up() -> None:
    browser = opened(set_up_link())
    assert "Set up your organization" in text(browser.get("/start/"))
    response = browser.post("/start/", TYPED)
    assert response["Location"] == "/organizer/setup/"
    dora = User.objects.get(email="dora@example.org")
    assert browser.session["_auth_user_id"] == str(dora.pk)
    assert Membership.objects.get(user=dora).role == Role.OWNER
    assert browser.session["organization"] == "hope-foundation"


def test_the_link_moves_into_a_cookie() -> None:
    token = set_up_link()
    browser = opened(token)
    cookie = browser.cookies["start"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/start/", True, "Lax")
    assert token not in browser.get("/start/").content.decode()
    browser.post("/start/", TYPED)
    assert browser.cookies["start"].value == ""


def test_opening_the_link_changes_nothing() -> None:
    token = set_up_link()
    before = Invitation.objects.values().get()
    opened(token).get("/start/")
    assert Invitation.objects.values().get() == before


def test_a_forged_cookie_opens_nothing() -> None:
    browser = Client()
    browser.cookies["start"] = set_up_link()
    assert "You need a link" in text(browser.get("/start/"))


def test_a_founder_sets_up_the_second_step_first(settings: Any) -> None:
    settings.SECOND_STEP_REQUIRED = True
    browser = opened(set_up_link())
    browser.post("/start/", TYPED)
    assert browser.get("/organizer/")["Location"] == "/accounts/2fa/"


def test_mistakes_are_named_and_what_was_typed_is_kept() -> None:
    browser = opened(set_up_link())
    wrong = {"organization_name": "Hope Foundation", "name": "", "email": "dora", "password": "short"}
    response = browser.post("/start/", wrong)
    shown = text(response)
    assert response.status_code == 422
    assert title(response).startswith("Error: ")
    assert "There is a problem" in shown
    for sentence in ("Enter your name.", "Enter an e-mail address", "at least 12 characters"):
        assert shown.count(sentence) == 2, sentence
    assert 'value="Hope Foundation"' in response.content.decode()
    assert not Organization.objects.exists()


def test_a_used_link_says_so() -> None:
    token = set_up_link()
    opened(token).post("/start/", TYPED)
    response = opened(token).get("/start/")
    assert response.status_code == 410
    assert "already been used" in text(response)


def test_an_invited_member_chooses_a_password_and_is_in() -> None:
    browser = opened(invited().token)
    shown = text(browser.get("/start/"))
    assert "Join Hope Foundation" in shown
    assert "Your role: Viewer." in shown
    assert browser.post("/start/", {"name": "Dana", "password": PASSWORD})["Location"] == "/organizer/"
    assert browser.get("/organizer/").status_code == 200


def test_a_member_with_an_account_signs_in_and_joins_with_one_button() -> None:
    invitation = invited()
    builders.member(builders.organization("Zeal"), email="dana@example.org")
    browser = opened(invitation.token)
    page = browser.get("/start/").content.decode()
    assert "/accounts/login/?next=/start/" in page
    browser.post("/accounts/login/?next=/start/", {"login": "dana@example.org", "password": PASSWORD})
    assert "You are signed in as dana@example.org." in text(browser.get("/start/"))
    assert browser.post("/start/")["Location"] == "/organizer/"
    assert Membership.objects.filter(user__email="dana@example.org").count() == 2


def test_another_member_may_not_take_the_invitation() -> None:
    browser = Client()
    browser.force_login(builders.member(builders.organization("Other"), email="cleo@example.org").user)
    invitation = invited()
    response = opened(invitation.token, browser).post("/start/")
    assert response.status_code == 422
    assert "sent to another e-mail address" in text(response)


@pytest.mark.parametrize("token", ["希望", "x" * 21, "x" * 23, "x" * 5000, "a b\n" + "c" * 18])
def test_a_broken_link_sets_no_cookie(token: str) -> None:
    response = Client().get(f"/start/{quote(token)}/")
    assert response.status_code == 410
    assert "This link is not valid." in text(response)
    assert not response.cookies["start"].value


def test_an_address_that_is_too_long_is_named(settings: Any) -> None:
    settings.SIGNUP = "open"
    longest = f"{'d' * 64}@{'e' * 61}.{'e' * 61}.{'e' * 61}.org"
    assert len(longest) == 254
    for address, status in ((longest, 200), (f"{longest}x", 422)):
        cache.clear()
        assert Client().post("/start/", {"email": address}).status_code == status
    founder = opened(set_up_link())
    assert founder.post("/start/", {**TYPED, "email": f"{longest}x"}).status_code == 422


@pytest.mark.parametrize(
    ("signup", "sentence"),
    [
        ("closed", "administrator of this server can give you a link"),
        ("invite", "already uses this service can invite"),
    ],
)
def test_without_a_link_the_page_says_how_to_get_one(settings: Any, signup: str, sentence: str) -> None:
    settings.SIGNUP = signup
    assert sentence in text(Client().get("/start/"))
    Client().post("/start/", {"email": "dora@example.org"})
    assert (mail.outbox, Invitation.objects.count()) == ([], 0)


def test_an_open_installation_mails_the_link(settings: Any) -> None:
    settings.SIGNUP = "open"
    assert "Send me the link" in text(Client().get("/start/"))
    assert "We’re sending a link to Dora@example.org" in text(Client().post("/start/", {"email": "Dora@example.org"}))
    token = str(mail.outbox[0].body).split("/start/")[1].split("/")[0]
    browser = opened(token)
    assert "You’ll sign in with dora@example.org." in text(browser.get("/start/"))
    typed = {name: value for name, value in TYPED.items() if name != "email"}
    assert browser.post("/start/", typed)["Location"] == "/organizer/setup/"
    assert User.objects.get().email == "dora@example.org"


def test_an_open_installation_answers_alike_for_every_address(settings: Any) -> None:
    settings.SIGNUP = "open"
    builders.member(builders.organization(), email="known@example.org")
    pages = []
    for address in ("known@example.org", "fresh@example.org"):
        cache.clear()
        pages.append(text(Client().post("/start/", {"email": address})).replace(address, "…"))
    assert pages[0] == pages[1]


def test_one_network_may_ask_five_times_an_hour(settings: Any) -> None:
    settings.SIGNUP = "open"
    cache.clear()
    answers = [Client().post("/start/", {"email": f"dora{n}@example.org"}).status_code for n in range(6)]
    assert answers == [200] * 5 + [429]
    assert len(mail.outbox) == 5


def test_the_page_has_a_fixed_number_of_queries() -> None:
    def act(number: int) -> query_counts.Act:
        tokens = [set_up_link() for _ in range(number)]
        browser = opened(tokens[0])
        return lambda: browser.get("/start/")

    assert query_counts.count_for_each(act) == 1
