"""An owner sets up texting and e-mail: the steps, the checks, and test messages."""

from typing import Any

import pytest
from django.test import override_settings
from django.urls import reverse

from drives.settings import rules
from notifications import replies, reports
from notifications.models import Message
from organizations.models import Membership, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from tests.notifications import made
from tests.standins.twilio import TwilioStandIn

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
NAMES = ("texting", "registration", "mail_domain")
POSTED = ("check_sending", "send_test_text", "send_test_mail")


def ben() -> Membership:
    return builders.member(builders.organization("Hope Foundation", legal_name="Hope Foundation, Inc."))


def address(name: str) -> str:
    return reverse(f"organizer_{name}")


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.CHECK_IN, Role.VIEWER])
def test_only_owners_open_it(role: str) -> None:
    browser = coordinator.signed_in(builders.member(builders.organization(), role))
    assert {browser.get(address(name)).status_code for name in NAMES} == {403}
    assert {browser.post(address(name)).status_code for name in POSTED} == {403}


def test_a_get_sends_nothing() -> None:
    browser = coordinator.signed_in(ben())
    assert {browser.get(address(name)).status_code for name in POSTED} == {405}


def test_the_page_shows_the_number_and_the_webhooks_to_copy() -> None:
    member = ben()
    page = coordinator.signed_in(member).get(address("texting"))
    assert f"Your texts come from {member.organization.senders.get().number}." in text(page)
    assert 'value="http://testserver/webhooks/twilio/inbound/"' in page.content.decode()


def test_the_page_shows_that_webhooks_arrived() -> None:
    member = ben()
    browser, sender = coordinator.signed_in(member), member.organization.senders.get()
    assert text(browser.get(address("texting"))).count("nothing received yet") == 2
    replies.receive_reply(sender_number=sender.number, provider_id="SM1", address="+12015550101", text="Hi", now=NOW)
    assert text(browser.get(address("texting"))).count("nothing received yet") == 1
    browser.post(address("send_test_text"), {"phone": "(201) 555-0142"})
    Message.objects.update(sender=sender, provider_id="SM2")
    reports.record_report(provider_id="SM2", status="delivered", now=NOW)
    assert "nothing received yet" not in text(browser.get(address("texting")))


def test_a_test_text_and_a_test_mail_leave() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    browser.post(address("send_test_text"), {"phone": "(201) 555-0142"})
    browser.post(address("send_test_mail"))
    made.deliver(NOW)
    sent = {(one.channel, one.address, one.state) for one in Message.objects.all()}
    assert sent == {("sms", "+12015550142", "delivered"), ("email", member.user.email, "delivered")}
    assert "Hope Foundation: This is a test." in Message.objects.get(channel="sms").text


@pytest.mark.parametrize(("phone", "sentence"), [("", "Enter a phone number."), ("+44 20 7946 0958", "this country")])
def test_a_wrong_number_is_named(phone: str, sentence: str) -> None:
    response = coordinator.signed_in(ben()).post(address("send_test_text"), {"phone": phone})
    assert response.status_code == 422
    assert sentence in text(response)
    assert not Message.objects.exists()


def test_an_organization_sends_ten_test_texts_a_day() -> None:
    browser = coordinator.signed_in(ben())
    answers = [
        browser.post(address("send_test_text"), {"phone": f"(201) 555-01{n:02}"}).status_code
        for n in range(rules.MAX_TESTS_PER_DAY + 1)
    ]
    assert answers[-2:] == [302, 422]


def test_the_check_names_what_is_wrong_with_the_account() -> None:
    browser = coordinator.signed_in(ben())
    works = text(browser.post(address("check_sending"), follow=True))
    assert "Texts: the account works." in works
    assert "E-mail: the account works." in works
    with TwilioStandIn() as twilio, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=twilio.url):
        shown = text(browser.post(address("check_sending"), follow=True))
    assert "Texts: The text provider doesn’t recognize this account." in shown
    with override_settings(EMAIL_URL="smtp://127.0.0.1:1"):
        shown = text(browser.post(address("check_sending"), follow=True))
    assert "E-mail: The provider isn’t responding." in shown


def test_an_organization_checks_its_accounts_ten_times_an_hour(time_machine: Any) -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    for _ in range(rules.MAX_CHECKS_PER_HOUR):
        shown = text(browser.post(address("check_sending"), follow=True))
    assert "E-mail: the account works." in shown
    shown = text(browser.post(address("check_sending"), follow=True))
    assert "Too many requests." in shown
    assert "the account works" not in shown
    time_machine.move_to(NOW + rules.CHECK_WINDOW, tick=False)
    assert "E-mail: the account works." in text(browser.post(address("check_sending"), follow=True))


def test_the_registration_has_the_legal_name_and_the_opt_in() -> None:
    shown = text(coordinator.signed_in(ben()).get(address("registration")))
    assert "Legal company name Hope Foundation, Inc." in shown
    assert "Reply STOP to stop, HELP for help." in shown
    assert "Reply C to confirm" in shown


def test_the_dns_records_are_those_of_the_sending_domain(settings: Any) -> None:
    settings.EMAIL_FROM = "Drives <drives@example.org>"
    settings.EMAIL_URL = "submission://mail.example.net"
    page = coordinator.signed_in(ben()).get(address("mail_domain")).content.decode()
    for value in ("v=spf1 a:mail.example.net ~all", "_dmarc.example.org", "mail._domainkey.example.org"):
        assert f'value="{value}' in page
