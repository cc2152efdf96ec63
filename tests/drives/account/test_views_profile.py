"""A donor changes their name, language, contacts and consents at all organizations at once.

A new contact must be verified.
"""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from drives.account import queries as account_queries
from drives.models import Drive
from notifications.models import Message
from tests import builders
from tests.builders import NOW
from tests.drives import donor
from tests.drives.donor import text
from volunteers import registration
from volunteers.models import Contact, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

NEW = "(201) 555-0150"
NEW_KEPT = "+12015550150"


def ana(browser: Client, drive: Drive | None = None, **details: Any) -> Volunteer:
    """Book as Ana in this browser. Return her record."""
    person = donor.booked(browser, drive or builders.drive(), **details).volunteer
    assert person is not None
    return person


def also_known(browser: Client, drive: Drive) -> Volunteer:
    """Book as Ana at another organization's drive. Return her record there.

    The browser has verified her phone, so she needs no code.
    """
    booking = donor.kept(browser, drive)
    donor.prove(browser, booking, "")
    booking.refresh_from_db()
    assert booking.volunteer is not None
    return booking.volunteer


def address(name: str, person: Volunteer) -> str:
    return reverse(name, args=[person.uuid])


def sent_code(to: str) -> str:
    found = re.search(r"\d{6}", Message.objects.filter(kind="code", address=to).order_by("-pk")[0].text)
    assert found
    return found[0]


def changes_to(browser: Client, person: Volunteer, typed: str, kept: str) -> Any:
    """Enter a new contact, and then the code that was sent to it. Return the page.

    `kept` is the contact in the format in which the service stores it.
    """
    assert browser.post(address("donor_contact", person), {"contact": typed}).status_code == 303
    return browser.post(address("donor_contact_code", person), {"code": sent_code(kept)}, follow=True)


def test_name_and_language_change_wherever_the_donor_is_known() -> None:
    browser, lax = Client(), builders.lax()
    here = ana(browser, builders.drive(policy_id=lax.pk))
    there = also_known(browser, builders.drive(policy_id=lax.pk))
    response = browser.post(
        address("donor_details", here), {"name": " Test  Ana Birch ", "language": "es"}, follow=True
    )
    assert "Your details have been saved." in text(response)
    kept = Volunteer.objects.filter(pk__in=[here.pk, there.pk]).values_list("name", "language")
    assert list(kept) == [("Test Ana Birch", "es")] * 2


def test_an_invalid_name_is_refused_beside_the_field() -> None:
    browser = Client()
    person = ana(browser)
    response = browser.post(address("donor_details", person), {"name": "www.example.org", "language": "en"})
    assert response.status_code == 422
    assert "Names can’t contain a web address." in text(response)


def test_a_new_number_counts_once_its_code_is_typed() -> None:
    browser = Client()
    person = ana(browser)
    assert browser.post(address("donor_contact", person), {"contact": NEW}).status_code == 303
    person.refresh_from_db()
    assert person.phone is not None
    assert person.phone.address == builders.phone(42)
    wrong = browser.post(address("donor_contact_code", person), {"code": "000000"})
    assert wrong.status_code == 422
    response = browser.post(address("donor_contact_code", person), {"code": sent_code(NEW_KEPT)}, follow=True)
    assert "We’ll use the new phone number or e-mail address from now on." in text(response)
    person.refresh_from_db()
    assert person.phone is not None
    assert (person.phone.address, person.phone.owner, person.phone.verified_at) == (NEW_KEPT, person, NOW)


def test_unsent_messages_move_to_the_new_number() -> None:
    browser = Client()
    person = ana(browser)
    changes_to(browser, person, NEW, NEW_KEPT)
    waiting = Message.objects.unsent().filter(recipient=f"volunteer:{person.pk}", channel="sms")
    assert {message.address for message in waiting} == {NEW_KEPT}


def test_the_next_holder_of_the_old_number_is_a_new_person() -> None:
    browser, drive = Client(), builders.drive()
    person = ana(browser, drive)
    changes_to(browser, person, NEW, NEW_KEPT)
    old = Contact.objects.get(address=builders.phone(42))
    assert (old.owner, old.verified_at) == (None, None)
    other = donor.booked(Client(), drive, 8, name="Test Bo Birch").volunteer
    assert "Test Bo Birch" not in text(browser.get(reverse("donor_bookings")))
    assert other is not None
    assert other != person


def test_a_browser_keeps_what_another_record_of_the_old_number_needs() -> None:
    browser, lax = Client(), builders.lax()
    here = ana(browser, builders.drive(policy_id=lax.pk))
    builders.booked(builders.drive(builders.organization("Harbor"), policy_id=lax.pk), name="Test A. Alder")
    changes_to(browser, here, NEW, NEW_KEPT)
    assert "Test A. Alder" in text(browser.get(reverse("donor_bookings")))


def test_people_reached_through_the_old_number_follow_to_the_new_one() -> None:
    browser, drive = Client(), builders.drive()
    person = ana(browser, drive)
    bo = builders.booked(drive, n=8, name="Test Bo Birch", is_for_other=True).volunteer
    cleo = builders.booked(drive, n=12, number=43, name="Test Cleo Cedar").volunteer
    assert bo is not None
    assert cleo is not None
    changes_to(browser, person, NEW, NEW_KEPT)
    for each, reached in ((bo, NEW_KEPT), (cleo, builders.phone(43))):
        each.refresh_from_db()
        assert each.phone is not None
        assert each.phone.address == reached
        texts = Message.objects.unsent().filter(recipient=f"volunteer:{each.pk}", channel="sms")
        assert set(texts.values_list("address", flat=True)) == {reached}
    assert "Test Bo Birch" in text(browser.get(reverse("donor_bookings")))
    assert account_queries.load_donor_page(builders.browser_of(builders.phone(42)), NOW) == []


def test_the_change_is_made_in_every_organization_or_in_none() -> None:
    browser, lax = Client(), builders.lax()
    here = ana(browser, builders.drive(policy_id=lax.pk))
    there = also_known(browser, builders.drive(builders.organization("Harbor"), policy_id=lax.pk))
    registration.enter_volunteer(
        organization=there.organization, name="Test Bo Birch", phone=NEW, actor="user:1", now=NOW
    )
    response = changes_to(browser, here, NEW, NEW_KEPT)
    assert response.status_code == 422
    assert "Harbor has someone else under this phone number or e-mail address." in text(response)
    phones = Volunteer.objects.filter(pk__in=[here.pk, there.pk]).values_list("phone__address", flat=True)
    assert set(phones) == {builders.phone(42)}


def test_a_mailbox_is_added_with_a_code_that_goes_there() -> None:
    browser = Client()
    person = ana(browser)
    changes_to(browser, person, "Ana@Example.org", "ana@example.org")
    person.refresh_from_db()
    assert person.email is not None
    assert person.phone is not None
    assert (person.email.address, person.email.owner) == ("ana@example.org", person)


def test_a_contact_this_browser_verified_needs_no_code() -> None:
    browser, drive = Client(), builders.drive()
    person = ana(browser, drive)
    donor.booked(browser, builders.drive(), phone="", email="ana@example.org", name="Test Ann Alder")
    codes = Message.objects.filter(kind="code").count()
    browser.post(address("donor_contact", person), {"contact": "ana@example.org"})
    assert "so you don’t need a code" in text(browser.get(address("donor_contact_code", person)))
    assert browser.post(address("donor_contact_code", person)).status_code == 303
    assert Message.objects.filter(kind="code").count() == codes


def test_consent_is_turned_on_and_off_for_one_organization() -> None:
    browser = Client()
    person = ana(browser)
    shown = text(browser.get(address("donor_details", person)))
    assert "Yes, since March 1, 2027" in shown
    turned = {"contact": "phone", "purpose": "reminders", "turn": "off"}
    response = browser.post(address("donor_consent", person), turned, follow=True)
    assert "No, since March 1, 2027" in text(response)
    browser.post(address("donor_consent", person), {**turned, "turn": "on"})
    assert "Yes, since March 1, 2027" in text(browser.get(address("donor_details", person)))


def test_the_calendar_gets_a_new_address() -> None:
    browser = Client()
    person = ana(browser)
    old = reverse("donor_feed", args=[person.token])
    response = browser.post(address("donor_renew_feed", person), follow=True)
    assert "Your calendar has a new link." in text(response)
    assert browser.get(old).status_code == 404


@pytest.mark.parametrize(
    "name", ["donor_details", "donor_contact", "donor_contact_code", "donor_consent", "donor_renew_feed"]
)
def test_cleo_finds_nothing_of_ana(name: str) -> None:
    drive = builders.drive()
    person = ana(Client(), drive)
    cleo = Client()
    ana(cleo, drive, n=8, phone="(201) 555-0107", name="Test Cleo Cedar")
    for stranger in (cleo, Client()):
        assert stranger.post(address(name, person), {"name": "X", "contact": NEW}).status_code == 404
        assert stranger.get(address(name, person)).status_code in {404, 405}
    person.refresh_from_db()
    assert person.name == "Test Ana Alder"


def test_a_person_who_only_shares_the_mailbox_is_shown_and_not_changed() -> None:
    drive = builders.drive()
    bo = donor.booked(Client(), drive, email="family@example.org", name="Test Bo Birch").volunteer
    browser = Client()
    ana(browser, drive, n=8, phone="", email="family@example.org")
    shown = text(browser.get(reverse("donor_bookings")))
    assert "Test Ana Alder" in shown
    assert "Test Bo Birch Plasma drive booked Saturday, March 13, 9:00 AM" in shown
    assert bo is not None
    assert browser.get(address("donor_details", bo)).status_code == 404
