"""Owners invite, change and remove members, see their second sign-in step, and end their sessions."""

from functools import partial
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from organizations import invitations, memberships, rules
from organizations.models import AuditEntry, Invitation, Membership, Role
from tests import builders
from tests.builders import NOW, PASSWORD
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def ben() -> Membership:
    return builders.member(builders.organization("Hope Foundation"), email="ben@example.org")


def invited(browser: Client, email: str = "dana@example.org", role: str = "coordinator") -> Any:
    return browser.post(reverse("organizer_invite_member"), {"email": email, "role": role})


def test_an_owner_invites_by_mail_and_sees_the_invitation() -> None:
    browser = coordinator.signed_in(ben())
    assert invited(browser)["Location"] == reverse("organizer_members")
    assert mail.outbox[0].to == ["dana@example.org"]
    shown = text(browser.get(reverse("organizer_members")))
    assert "dana@example.org Coordinator Sent on March 1, 2027, works until March 8, 2027." in shown


def test_a_wrong_address_or_no_role_is_named() -> None:
    browser = coordinator.signed_in(ben())
    response = browser.post(reverse("organizer_invite_member"), {"email": "dana"})
    assert response.status_code == 422
    assert "Choose a role." in text(response)
    assert 'value="dana"' in response.content.decode()
    assert "already a member" in text(invited(browser, "BEN@example.org"))


def test_an_invitation_is_sent_again_and_withdrawn() -> None:
    browser = coordinator.signed_in(ben())
    invited(browser)
    invitation = Invitation.objects.get()
    browser.post(reverse("organizer_resend_invitation", args=[invitation.pk]))
    assert len(mail.outbox) == 2
    shown = browser.post(reverse("organizer_withdraw_invitation", args=[invitation.pk]), follow=True)
    assert "The invitation to dana@example.org was withdrawn." in text(shown)
    again = browser.post(reverse("organizer_resend_invitation", args=[invitation.pk]), follow=True)
    assert "has been withdrawn" in text(again)


def test_an_expired_invitation_says_so(time_machine: Any) -> None:
    member = ben()
    invited(coordinator.signed_in(member))
    time_machine.move_to(NOW + rules.INVITATION_LIFETIME, tick=False)
    shown = text(coordinator.signed_in(member).get(reverse("organizer_members")))
    assert "dana@example.org Coordinator expired" in shown


def test_a_role_is_changed_and_a_member_removed() -> None:
    member = ben()
    browser, dana = coordinator.signed_in(member), builders.member(member.organization, Role.VIEWER)
    address = reverse("organizer_member", args=[dana.pk])
    assert browser.post(address, {"role": "coordinator"})["Location"] == reverse("organizer_members")
    dana.refresh_from_db()
    assert dana.role == Role.COORDINATOR
    browser.post(reverse("organizer_remove_member", args=[dana.pk]))
    assert not Membership.objects.filter(pk=dana.pk).exists()
    verbs = AuditEntry.objects.filter(organization=member.organization).order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["changed", "removed"]


def test_the_last_owner_stays() -> None:
    member = ben()
    browser, address = coordinator.signed_in(member), reverse("organizer_member", args=[member.pk])
    response = browser.post(address, {"role": "viewer"})
    assert response.status_code == 422
    assert "Make someone else an owner first." in text(response)
    shown = browser.post(reverse("organizer_remove_member", args=[member.pk]), follow=True)
    assert "Make someone else an owner first." in text(shown)
    assert Membership.objects.filter(pk=member.pk, role=Role.OWNER).exists()


def test_the_second_step_of_each_member_is_shown(settings: Any) -> None:
    settings.SECOND_STEP_REQUIRED = True
    member = ben()
    TOTP.activate(member.user, "A" * 32)
    builders.member(member.organization, Role.COORDINATOR, "carla@example.org")
    builders.member(member.organization, Role.VIEWER, "vera@example.org")
    TOTP.activate(builders.member(member.organization, Role.COORDINATOR, "dana@example.org").user, "A" * 32)
    shown = text(coordinator.signed_in(member).get(reverse("organizer_members")))
    assert "carla@example.org Coordinator two-step sign-in not set up yet" in shown
    assert "Owners and coordinators must use two-step sign-in" in shown
    assert "dana@example.org Coordinator two-step sign-in set up" in shown
    assert "vera@example.org Viewer vera@example.org" in shown


def test_the_demo_asks_no_member_for_a_second_step() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    assert "two-step" not in text(browser.get(reverse("organizer_members")))
    assert "This member doesn’t need two-step sign-in." in text(
        browser.get(reverse("organizer_member", args=[member.pk]))
    )


def test_the_sessions_of_a_member_are_listed_and_ended() -> None:
    member = ben()
    dana = builders.member(member.organization, Role.VIEWER, "dana@example.org")
    hers = Client(headers={"User-Agent": "Firefox on a phone"})
    hers.post("/accounts/login/", {"login": "dana@example.org", "password": PASSWORD})
    assert hers.get("/organizer/").status_code == 200
    browser, address = coordinator.signed_in(member), reverse("organizer_member", args=[dana.pk])
    assert "Firefox on a phone" in text(browser.get(address))
    browser.post(reverse("organizer_end_member_sessions", args=[dana.pk]))
    assert hers.get("/organizer/")["Location"].startswith("/accounts/login/")
    assert "Not signed in anywhere." in text(browser.get(address))


def test_ending_ones_own_sessions_keeps_this_one() -> None:
    member = ben()
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.post("/accounts/login/", {"login": "ben@example.org", "password": PASSWORD})
    here, there = browsers
    assert here.get("/accounts/sessions/").status_code == 200
    here.post(reverse("organizer_end_member_sessions", args=[member.pk]))
    assert here.get("/organizer/").status_code == 200
    assert there.get("/organizer/")["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", ["member", "remove_member", "end_member_sessions"])
def test_members_of_another_organization_are_not_found(name: str) -> None:
    cleo = coordinator.signed_in(builders.member(builders.organization("Other")))
    address = reverse(f"organizer_{name}", args=[ben().pk])
    assert cleo.post(address, {"role": "viewer"}).status_code == 404
    assert Membership.objects.filter(user__email="ben@example.org", role=Role.OWNER).exists()


@pytest.mark.parametrize("name", ["resend_invitation", "withdraw_invitation"])
def test_invitations_of_another_organization_are_not_found(name: str) -> None:
    member = ben()
    invitation = invitations.invite_member(
        organization=member.organization, email="dana@example.org", role="viewer", invited_by=member.user, now=NOW
    )
    cleo = coordinator.signed_in(builders.member(builders.organization("Other")))
    assert cleo.post(reverse(f"organizer_{name}", args=[invitation.pk])).status_code == 404
    assert Invitation.objects.get().state == "open"


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.VIEWER])
def test_only_owners_change_members(role: str) -> None:
    member = ben()
    browser = coordinator.signed_in(builders.member(member.organization, role))
    for name in ("member", "remove_member", "end_member_sessions"):
        assert browser.post(reverse(f"organizer_{name}", args=[member.pk])).status_code == 403
    assert invited(browser).status_code == 403


def test_an_owner_invites_another_organization_if_the_installation_allows_it(settings: Any) -> None:
    browser, address = coordinator.signed_in(ben()), reverse("organizer_invite_founder")
    assert browser.get(address).status_code == 404
    settings.SIGNUP = "invite"
    assert address in browser.get(reverse("organizer_members")).content.decode()
    assert browser.post(address, {"email": "cleo@example.org"}).status_code == 302
    assert Invitation.objects.get().organization is None
    assert mail.outbox[0].subject == "Set up your organization"
    assert AuditEntry.objects.get(verb="invited_founder").about == f"invitation:{Invitation.objects.get().pk}"


def test_a_founder_is_invited_three_times_a_day_and_an_organization_invites_five(settings: Any) -> None:
    settings.SIGNUP = "invite"
    browser, address = coordinator.signed_in(ben()), reverse("organizer_invite_founder")
    answers = [browser.post(address, {"email": "cleo@example.org"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 422]
    assert "We’ve already sent several links to this address today." in text(answers[-1])
    answers = [browser.post(address, {"email": f"cleo{n}@example.org"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 422]
    assert "You’ve sent too many invitations today." in text(answers[-1])
    assert len(mail.outbox) == 5
    other = coordinator.signed_in(builders.member(builders.organization("Other")))
    assert other.post(address, {"email": "dora@example.org"}).status_code == 302


def test_an_address_that_is_too_long_is_named(settings: Any) -> None:
    settings.SIGNUP = "invite"
    browser, long = coordinator.signed_in(ben()), f"{'d' * 64}@{'e' * 61}.{'e' * 61}.{'e' * 61}.orgx"
    assert browser.post(reverse("organizer_invite_founder"), {"email": long}).status_code == 422
    assert invited(browser, long).status_code == 422


def test_a_member_whom_another_request_removed_gets_no_role() -> None:
    member = ben()
    dana = builders.member(member.organization, Role.VIEWER)
    memberships.remove_member(membership=Membership.objects.get(pk=dana.pk), actor="test", now=NOW)
    for act in (partial(memberships.change_role, role=Role.OWNER), memberships.remove_member):
        with pytest.raises(ValidationError, match="no longer a member"):
            act(membership=dana, actor="test", now=NOW)
    assert AuditEntry.objects.filter(about=f"user:{dana.user_id}").count() == 1
