"""A donor downloads or erases their data without an account."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from drives.models import Booking
from tests import builders
from tests.builders import NOW
from tests.drives import donor
from tests.drives.donor import text
from volunteers.models import Contact, Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def at_two_organizations(client: Client) -> tuple[Booking, Booking]:
    """Book as Ana at two organizations in one browser."""
    later = builders.DRIVE_DAY + timedelta(days=30)
    first, second = builders.drive(), builders.drive(builders.organization("Other Foundation"), day=later)
    mine, theirs = donor.booked(client, first), donor.kept(client, second)
    assert donor.prove(client, theirs, "").status_code == 303  # the browser is verified by now
    theirs.refresh_from_db()
    return mine, theirs


def test_a_copy_of_what_each_organization_holds() -> None:
    browser = Client()
    here, there = at_two_organizations(browser)
    shown = text(browser.get(reverse("donor_data")))
    assert "Hope Foundation" in shown
    assert "Other Foundation" in shown
    for booking in (here, there):
        answer = browser.get(reverse("donor_data_file", args=[booking.volunteer_id]))
        document = json.loads(answer.content)
        assert [row["reference"] for row in document["bookings"]] == [booking.reference]
        assert "no-store" in answer["Cache-Control"]


def test_one_organization_is_left_and_the_other_stays() -> None:
    browser = Client()
    here, there = at_two_organizations(browser)
    page = browser.get(reverse("donor_data_erase"))
    assert "Who should erase your data?" in text(page)
    sent = {"records": [str(here.volunteer_id)], "sure": "on"}
    answer = browser.post(reverse("donor_data_erase"), sent, follow=True)
    assert answer.redirect_chain == [(reverse("donor_data_erased"), 303)]
    assert "Your data has been erased" in text(answer)
    here.refresh_from_db()
    there.refresh_from_db()
    assert (here.state, there.state) == ("cancelled", "booked")
    assert "Other Foundation" in text(browser.get(reverse("donor_data")))
    assert "Hope Foundation" not in text(browser.get(reverse("donor_data")))


def test_erasing_everywhere_ends_the_browsers_verification() -> None:
    browser = Client()
    both = at_two_organizations(browser)
    browser.post(reverse("donor_data_erase"), {"records": [str(one.volunteer_id) for one in both], "sure": "on"})
    assert not Contact.objects.exists()
    assert browser.get(reverse("donor_data")).headers["Location"] == reverse("find_booking")


@pytest.mark.parametrize("sent", [{}, {"sure": "on"}, {"records": ["1"]}, {"records": ["999999"], "sure": "on"}])
def test_an_incomplete_form_erases_nothing(sent: dict[str, object]) -> None:
    browser = Client()
    at_two_organizations(browser)
    if sent.get("records") == ["1"]:
        sent = {"records": [str(Volunteer.objects.earliest("pk").pk)]}
    refused = browser.post(reverse("donor_data_erase"), sent)
    assert refused.status_code == 422
    assert "There is a problem" in text(refused)
    assert Volunteer.objects.known().count() == 2


def test_opening_the_page_erases_nothing() -> None:
    browser = Client()
    at_two_organizations(browser)
    for name in ("donor_data", "donor_data_erase", "donor_data_erased"):
        assert browser.get(reverse(name)).status_code == 200
        assert browser.head(reverse(name)).status_code == 200
    assert Volunteer.objects.known().count() == 2


def test_a_stranger_sees_downloads_and_erases_nothing() -> None:
    ana, cleo = Client(), Client()
    here, _there = at_two_organizations(ana)
    donor.booked(cleo, builders.drive(day=builders.DRIVE_DAY + timedelta(days=60)), phone="(201) 555-0107")
    assert cleo.get(reverse("donor_data_file", args=[here.volunteer_id])).status_code == 404
    sent = {"records": [str(here.volunteer_id)], "sure": "on"}
    assert cleo.post(reverse("donor_data_erase"), sent).status_code == 422
    nobody = Client()
    for name in ("donor_data", "donor_data_erase"):
        assert nobody.get(reverse(name)).headers["Location"] == reverse("find_booking")
    assert nobody.post(reverse("donor_data_erase"), sent).headers["Location"] == reverse("find_booking")
    assert nobody.get(reverse("donor_data_file", args=[here.volunteer_id])).status_code == 404
    assert Volunteer.objects.known().count() == 3


def test_the_link_of_a_booking_alone_opens_no_data() -> None:
    """Donors forward links, so the data page requires a verified contact."""
    booking = builders.booked(builders.drive())
    browser = Client()
    browser.get(reverse("booking", args=[booking.token]), follow=True)
    assert browser.get(reverse("donor_data")).headers["Location"] == reverse("find_booking")
