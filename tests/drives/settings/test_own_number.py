"""An owner chooses the number that the organization's texts come from."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.urls import reverse

from notifications import consents, queries, senders
from notifications.models import Message, OptOutBasis, Sender, Suppression
from organizations.models import AuditEntry, Organization, Role
from tests import builders
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from tests.notifications import made
from tests.standins.twilio import TwilioStandIn

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

TEXTING, NUMBER = reverse("organizer_texting"), reverse("organizer_texting_number")
DEFAULT = reverse("organizer_default_number")
SERVICE = "MG" + "0a" * 16
DONOR = "+12015550142"
HOUR = timedelta(hours=1)


def installation() -> Sender:
    return Sender.objects.create(name="Installation", number="+12025550100", is_default=True, per_minute=0, per_day=0)


def hope() -> tuple[Organization, Any]:
    """Return an organization that uses the number of the installation, and the browser of its owner."""
    organization = builders.organization()
    organization.senders.clear()
    return organization, coordinator.signed_in(builders.member(organization))


@pytest.mark.parametrize(
    ("typed", "field", "kept"),
    [("(201) 555-0177", "number", "+12015550177"), (f" {SERVICE} ", "messaging_service", SERVICE)],
)
def test_texts_that_wait_leave_from_the_new_number(typed: str, field: str, kept: str) -> None:
    installation()
    organization, browser = hope()
    message = made.queued(organization)
    assert "Your texts come from +12025550100, this installation’s number." in text(browser.get(NUMBER))
    assert browser.post(NUMBER, {"address": typed}).status_code == 302
    sender = organization.senders.get()
    assert (getattr(sender, field), sender.is_default) == (kept, False)
    assert f"Your texts come from {kept}" in text(browser.get(TEXTING))
    made.deliver(made.NOON)
    assert Message.objects.get(pk=message.pk).sender == sender
    entry = AuditEntry.objects.get(organization=organization, about=f"organization:{organization.pk}")
    assert (entry.verb, entry.fields) == ("changed", ["sender"])


def test_a_stop_at_the_old_number_counts_at_the_new_one_and_back() -> None:
    default = installation()
    organization, browser = hope()
    consents.suppress_address(sender=default, address=DONOR, now=NOW)
    browser.post(NUMBER, {"address": "(201) 555-0177"})
    assert queries.is_suppressed(organization, DONOR)
    consents.suppress_address(sender=organization.senders.get(), address="+12015550143", now=NOW)
    assert browser.post(DEFAULT).status_code == 302
    assert queries.find_sender(organization) == default
    assert queries.is_suppressed(organization, "+12015550143")


def test_a_possible_opt_out_still_waits_for_its_decision() -> None:
    default = installation()
    organization, browser = hope()
    Suppression.objects.create(
        sender=default, address=DONOR, since=NOW, basis=OptOutBasis.UNDECIDED, decide_by=NOW + HOUR
    )
    browser.post(NUMBER, {"address": "(201) 555-0177"})
    copied = Suppression.objects.get(sender=organization.senders.get())
    assert (copied.basis, copied.decide_by) == (OptOutBasis.UNDECIDED, NOW + HOUR)


@pytest.mark.parametrize("is_default", [True, False])
def test_a_number_in_use_is_refused(is_default: bool) -> None:
    default, (organization, browser) = installation(), hope()
    taken = default if is_default else builders.organization().senders.get()
    refused = browser.post(NUMBER, {"address": taken.number})
    assert refused.status_code == 422
    reason = (
        "This number belongs to the installation"
        if is_default
        else "Another organization already sends its texts from this number. Enter a different one."
    )
    assert reason in text(refused)
    assert f'value="{taken.number}"' in refused.content.decode()
    assert not organization.senders.exists()


@pytest.mark.parametrize("typed", ["", "555", "MG123", SERVICE + "0", SERVICE.upper()])
def test_what_is_no_number_is_refused(typed: str) -> None:
    organization, browser = hope()
    assert browser.post(NUMBER, {"address": typed}).status_code == 422
    assert not organization.senders.exists()


def test_a_number_that_our_account_does_not_have_is_refused() -> None:
    organization, browser = hope()
    with TwilioStandIn() as twilio, override_settings(SMS_PROVIDER="twilio", TWILIO_API_URL=twilio.url):
        refused = browser.post(NUMBER, {"address": "(201) 555-0177"})
    assert refused.status_code == 422
    assert "doesn’t recognize this account" in text(refused)
    assert not organization.senders.exists()


def test_a_number_is_free_again_after_its_organization_left_it() -> None:
    installation()
    (_one, browser), (other, others_browser) = hope(), hope()
    browser.post(NUMBER, {"address": "(201) 555-0177"})
    browser.post(DEFAULT)
    assert others_browser.post(NUMBER, {"address": "(201) 555-0177"}).status_code == 302
    assert other.senders.get().number == "+12015550177"


def test_without_a_number_of_the_installation_the_own_one_stays() -> None:
    organization = builders.organization()
    browser = coordinator.signed_in(builders.member(organization))
    shown = text(browser.post(DEFAULT, follow=True))
    assert "This installation has no number for texts. Enter a number of your own." in shown
    assert organization.senders.exists()


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.CHECK_IN, Role.VIEWER])
def test_only_owners_change_the_number(role: Role) -> None:
    organization = builders.organization()
    browser = coordinator.signed_in(builders.member(organization, role))
    before = organization.senders.get()
    assert {browser.get(NUMBER).status_code, browser.post(NUMBER).status_code, browser.post(DEFAULT).status_code} == {
        403
    }
    assert organization.senders.get() == before


def test_a_get_changes_nothing() -> None:
    organization, browser = hope()
    assert browser.get(DEFAULT).status_code == 405
    assert browser.get(NUMBER, {"address": "(201) 555-0177"}).status_code == 200
    assert not organization.senders.exists()


def test_the_same_number_again_changes_nothing() -> None:
    organization = builders.organization()
    sender = organization.senders.get()
    again = senders.set_own_sender(organization=organization, number=sender.number, actor="user:1", now=NOW)
    assert again == sender
    assert not AuditEntry.objects.filter(organization=organization).exists()
