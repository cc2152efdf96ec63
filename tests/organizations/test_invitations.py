"""Setup links create an organization, and invitations add a member."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, transaction

from organizations import invitations, memberships, retention, rules
from organizations.invitations import NewUser
from organizations.models import AuditEntry, Invitation, Membership, Organization, Role, User
from tests import builders
from tests.builders import NOW, PASSWORD

pytestmark = pytest.mark.django_db
DORA = NewUser(password=PASSWORD, name="Dora Dale", email="Dora@Example.org")


def invite(
    ben: Membership, email: str = "dana@example.org", role: str = Role.COORDINATOR, **changes: Any
) -> Invitation:
    asked = {"organization": ben.organization, "email": email, "role": role, "invited_by": ben.user, "now": NOW}
    return invitations.invite_member(**{**asked, **changes})


def refusal(code: str) -> Any:
    return pytest.raises(ValidationError, check=lambda error: code in _codes(error))


def _codes(error: ValidationError) -> set[str | None]:
    problems = error.error_dict.values() if hasattr(error, "error_dict") else [error.error_list]
    return {problem.code for each in problems for problem in each}


def test_a_set_up_link_founds_an_organization_with_its_owner() -> None:
    invitation, url = invitations.create_setup_link(now=NOW)
    assert url == f"http://testserver/start/{invitation.token}/"
    made = invitations.found_organization(
        token=invitation.token, organization_name="Hope Foundation", user=DORA, language="es", now=NOW
    )
    organization = made.organization
    assert (made.role, made.user.email, made.user.get_full_name()) == ("owner", "dora@example.org", "Dora Dale")
    assert made.user.check_password(PASSWORD)
    assert (organization.slug, organization.sms_name, organization.language) == (
        "hope-foundation",
        "Hope Foundation",
        "es",
    )
    assert AuditEntry.objects.filter(organization=organization, actor=f"user:{made.user.pk}").count() == 2


def test_the_database_has_no_token() -> None:
    invitation, _url = invitations.create_setup_link(now=NOW)
    assert invitation.token not in str(Invitation.objects.values().get())


def test_a_link_works_once() -> None:
    token = invitations.create_setup_link(now=NOW)[0].token
    invitations.found_organization(token=token, organization_name="Hope", user=DORA, language="en", now=NOW)
    with refusal("invitation_used"):
        invitations.found_organization(token=token, organization_name="Zeal", user=DORA, language="en", now=NOW)


@pytest.mark.parametrize(("late", "works"), [(timedelta(seconds=-1), True), (timedelta(), False)])
def test_a_link_works_for_seven_days(late: timedelta, works: bool) -> None:
    token = invitations.create_setup_link(now=NOW)[0].token
    at = NOW + timedelta(days=7) + late
    if works:
        assert invitations.find_invitation(token, at)
    else:
        with refusal("invitation_expired"):
            invitations.find_invitation(token, at)


def test_an_unknown_link_is_refused() -> None:
    with refusal("invitation_unknown"):
        invitations.find_invitation("x" * 22, NOW)


def test_a_refused_password_leaves_the_link_unused() -> None:
    token = invitations.create_setup_link(now=NOW)[0].token
    short = NewUser(password="short", email="dora@example.org")
    with pytest.raises(ValidationError, match="at least 12 characters"):
        invitations.found_organization(token=token, organization_name="Hope", user=short, language="en", now=NOW)
    assert not Organization.objects.exists()
    assert invitations.find_invitation(token, NOW)


def test_an_address_with_an_account_must_sign_in() -> None:
    builders.member(builders.organization(), email="dora@example.org")
    token = invitations.create_setup_link(now=NOW)[0].token
    with refusal("email_taken"):
        invitations.found_organization(token=token, organization_name="Zeal", user=DORA, language="en", now=NOW)


def test_a_member_founds_a_second_organization_with_the_same_account() -> None:
    ben = builders.member(builders.organization("Hope")).user
    token = invitations.create_setup_link(now=NOW)[0].token
    invitations.found_organization(token=token, organization_name="Hope", user=ben, language="en", now=NOW)
    assert Membership.objects.filter(user=ben, role=Role.OWNER).count() == 2


def test_organizations_of_one_name_get_different_addresses() -> None:
    builders.organization(slug="hope")
    assert memberships.choose_free_slug("Hope") == "hope-2"
    assert memberships.choose_free_slug("Fundación Ñandú") == "fundacion-nandu"
    assert memberships.choose_free_slug("希望") == "organization"


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Hope", "Hope"),
        ("Rhythm of Life Foundation", "Rhythm of Life"),
        ("Fundación Corazón", "Fundacion Corazon"),
        ("Plasmaspendegesellschaft", "Plasmaspendegesellsc"),
        ("Exactly twenty chars", "Exactly twenty chars"),
        ("希望", "Plasma drive"),
    ],
)
def test_the_name_in_texts_is_short_and_plain(name: str, short: str) -> None:
    assert memberships.shorten_name(name) == short


def test_an_invitation_goes_out_by_mail_and_adds_the_member() -> None:
    ben = builders.member(builders.organization("Hope Foundation"))
    invitation = invite(ben)
    [sent] = mail.outbox
    assert (sent.subject, sent.to) == ("Join Hope Foundation", ["dana@example.org"])
    assert f"/start/{invitation.token}/" in str(sent.body)
    dana = invitations.accept_invitation(token=invitation.token, user=NewUser(password=PASSWORD), now=NOW)
    assert (dana.user.email, dana.role, dana.organization) == ("dana@example.org", "coordinator", ben.organization)
    verbs = AuditEntry.objects.filter(organization=ben.organization).order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["invited", "added"]


def test_an_invitation_belongs_to_its_address() -> None:
    invitation = invite(builders.member(builders.organization()))
    cleo = builders.member(builders.organization("Other"))
    with refusal("invitation_for_another_address"):
        invitations.accept_invitation(token=invitation.token, user=cleo.user, now=NOW)


def test_an_invitation_founds_no_organization_and_a_setup_link_adds_no_member() -> None:
    ben = builders.member(builders.organization())
    with refusal("invitation_unknown"):
        invitations.found_organization(
            token=invite(ben).token, organization_name="Zeal", user=DORA, language="en", now=NOW
        )
    with refusal("invitation_unknown"):
        token = invitations.create_setup_link(now=NOW)[0].token
        invitations.accept_invitation(token=token, user=DORA, now=NOW)


def test_a_member_who_opens_an_invitation_keeps_their_role() -> None:
    ben = builders.member(builders.organization())
    invitation = invite(ben, role=Role.VIEWER)
    dana = builders.member(ben.organization, Role.COORDINATOR, "dana@example.org")
    kept = invitations.accept_invitation(token=invitation.token, user=dana.user, now=NOW)
    assert kept.role == Role.COORDINATOR


def test_sending_again_replaces_the_link() -> None:
    invitation = invite(builders.member(builders.organization()))
    later = NOW + timedelta(days=6)
    again = invitations.resend_invitation(invitation=invitation, actor="user:1", now=later)
    assert len(mail.outbox) == 2
    with refusal("invitation_unknown"):
        invitations.find_invitation(invitation.token, later)
    assert invitations.find_invitation(again.token, NOW + timedelta(days=12))


def test_an_invitation_is_sent_five_times_at_most() -> None:
    invitation = invite(builders.member(builders.organization()))
    for _ in range(rules.MAX_SENDS_PER_INVITATION - 1):
        invitations.resend_invitation(invitation=invitation, actor="user:1", now=NOW)
    with refusal("sent_too_often"):
        invitations.resend_invitation(invitation=invitation, actor="user:1", now=NOW)


def test_a_withdrawn_invitation_is_refused() -> None:
    invitation = invite(builders.member(builders.organization()))
    invitations.withdraw_invitation(invitation=invitation, actor="user:1", now=NOW)
    with refusal("invitation_withdrawn"):
        invitations.find_invitation(invitation.token, NOW)
    with refusal("invitation_withdrawn"):
        invitations.resend_invitation(invitation=invitation, actor="user:1", now=NOW)


def test_members_and_open_invitations_are_not_invited_again() -> None:
    ben = builders.member(builders.organization(), email="ben@example.org")
    invite(ben)
    with refusal("already_invited"):
        invite(ben, "DANA@example.org")
    with refusal("already_member"):
        invite(ben, "ben@example.org")


def test_an_expired_invitation_is_replaced() -> None:
    ben = builders.member(builders.organization())
    invite(ben)
    again = invite(ben, now=NOW + rules.INVITATION_LIFETIME)
    assert Invitation.objects.filter(state="open").get() == again


def test_an_organization_sends_at_most_thirty_invitations_a_day() -> None:
    ben = builders.member(builders.organization())
    for number in range(rules.MAX_INVITATIONS_PER_DAY):
        invite(ben, f"dana{number}@example.org")
    with refusal("too_many_invitations"):
        invite(ben, "one-more@example.org")
    assert invite(ben, "one-more@example.org", now=NOW + rules.INVITATION_WINDOW)


def test_an_address_gets_three_set_up_links_a_day() -> None:
    for at in (NOW, NOW, NOW, NOW, NOW + timedelta(days=1)):
        invitations.mail_setup_link(email="dora@example.org", language="en", now=at)
    assert len(mail.outbox) == 4
    assert "Set up your organization" in mail.outbox[0].subject


def test_one_address_has_one_open_invitation() -> None:
    ben = builders.member(builders.organization())
    fields = {"organization": ben.organization, "email": "dana@example.org", "created_at": NOW, "sent_at": NOW}
    invite(ben)
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(**Invitation.build_link_fields(), **fields, expires_at=NOW)


def test_old_invitations_are_deleted() -> None:
    invite(builders.member(builders.organization()))
    ends = NOW + rules.INVITATION_LIFETIME + rules.INVITATION_KEPT
    assert retention.purge_expired_rows(now=ends)["invitations"] == 0
    assert retention.purge_expired_rows(now=ends + timedelta(seconds=1))["invitations"] == 1


def test_the_command_prints_a_link(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_organization")
    invitation = Invitation.objects.get()
    assert f"http://testserver/start/{invitation.token}/" in capsys.readouterr().out.splitlines()
    assert not User.objects.exists()
