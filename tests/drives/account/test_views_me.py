"""The donor's own page shows the people of one contact, their bookings and their waitlist entries.

The page takes a fixed number of queries.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from drives.account import queries
from drives.domain.waitlist_matching import ArrivalWindow
from drives.models import Booking, Drive, WaitlistEntry, WaitlistEntryState
from drives.waitlist import offers
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.drives.donor import text
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def known_browser(*contacts: str) -> Client:
    """Return a browser that verified Ana's phone and these contacts."""
    browser = Client()
    browser.cookies["browser"] = builders.browser_of(builders.phone(42), *contacts)
    return browser


def full(of: Organization | None = None, *, weeks: int = 0) -> tuple[Drive, list[Booking]]:
    """Create a full drive with two spots, `weeks` weeks after DRIVE_DAY. Return the drive and its bookings."""
    day = builders.DRIVE_DAY + timedelta(weeks=weeks)
    owner = of or builders.organization(codes_per_day=100_000)
    taken = builders.full_drive(steps=2, of=owner, day=day, policy_id=builders.lax().pk)
    return Drive.objects.select_related("organization", "site", "policy").get(pk=taken[0].drive_id), taken


def shown(browser: Client) -> str:
    return text(browser.get(reverse("donor_bookings")))


def sections(browser: Client) -> list[str]:
    """Return the text of each person's section on the page."""
    page = browser.get(reverse("donor_bookings")).content.decode()
    return [text_of(part) for part in re.findall(r"<section .*?</section>", page, re.DOTALL)]


def text_of(part: str) -> str:
    words = re.sub(r"<[^>]+>", " ", part)
    return " ".join(words.replace("\N{NO-BREAK SPACE}", " ").split())


def test_waitlist_entries_of_all_organizations_show_position_and_hours() -> None:
    here, there = full()[0], full(builders.organization("Other Foundation"), weeks=4)[0]
    builders.waits(here, number=50)
    builders.waits(here)
    local = there.starts_at
    builders.waits(there, window=ArrivalWindow(None, local + timedelta(minutes=15)))
    page = shown(known_browser())
    assert "number 2 on the waiting list Saturday, March 13" in page
    assert "number 1 on the waiting list Saturday, April 10 , before 9:15 AM" in page
    assert "Other Foundation · Return visit" in page


def test_the_button_leaves_the_waitlist() -> None:
    entry, browser = builders.waits(full()[0]), known_browser()
    assert reverse("waitlist_leave", args=[entry.token]) in browser.get(reverse("donor_bookings")).content.decode()
    browser.post(reverse("waitlist_leave", args=[entry.token]))
    assert WaitlistEntry.objects.get().state == WaitlistEntryState.LEFT
    assert "on the waiting list" not in shown(browser)


def test_an_offer_leads_to_its_page_while_it_stands() -> None:
    drive, taken = full()
    entry = builders.waits(drive)
    builders.cancelled(taken[0])
    offers.sweep_waitlists(now=NOW)
    offer = builders.offer_to(entry)
    assert offer is not None
    page = known_browser().get(reverse("donor_bookings"))
    assert reverse("offer", args=[offer.token]) in page.content.decode()
    assert "A spot is open for you" in text(page)
    assert "Saturday, March 13, 9:00 AM Pacific Time , held for you until" in text(page)


def test_unverified_entries_and_those_of_others_are_not_shown() -> None:
    drive, _taken = full()
    builders.asked_to_wait(drive)
    builders.waits(drive, number=50, name="Test Bo Birch")
    builders.booked(builders.drive(drive.organization, day=builders.DRIVE_DAY + timedelta(weeks=4)))
    page = shown(known_browser())
    assert "on the waiting list" not in page
    assert "Test Bo Birch" not in page


def test_one_person_and_three_take_the_same_number_of_queries() -> None:
    alone, _taken = full()
    builders.waits(alone)
    builders.booked_together(
        builders.drive(alone.organization, day=builders.DRIVE_DAY + timedelta(weeks=4)),
        people=(("Test Ana Alder", "return"), ("Test Mo Mallow", "return")),
    )
    with CaptureQueriesContext(connection) as few:
        shown(known_browser())
    for weeks, owner in ((8, alone.organization), (12, builders.organization("Other Foundation"))):
        builders.waits(full(owner, weeks=weeks)[0], now=NOW + timedelta(days=weeks))
        day = builders.DRIVE_DAY + timedelta(weeks=weeks + 2)
        for hours, party in enumerate((builders.PARTY, builders.PARTY[:2]), start=1):
            day += timedelta(days=1)
            drive = builders.drive(owner, day=day, policy_id=builders.lax().pk)
            builders.booked_together(drive, people=party, now=NOW + timedelta(days=weeks, hours=hours))
    with CaptureQueriesContext(connection) as many:
        people = sections(known_browser())
    assert len(people) == 4
    assert len(many) == len(few)


def two_of_one_name() -> tuple[Booking, Booking]:
    """Book for Ana, the owner of the phone, and for her daughter with the same name and phone."""
    drive = builders.drive(policy_id=builders.lax().pk)
    mother = builders.booked(drive)
    day = builders.DRIVE_DAY + timedelta(weeks=4)
    later = builders.drive(drive.organization, day=day, policy_id=builders.lax().pk)
    daughter = builders.booked(later, name="Test Eve Alder", is_for_other=True)
    Volunteer.objects.filter(name="Test Eve Alder").update(name="Test Ana Alder")
    return mother, daughter


def test_namesakes_at_one_contact_are_told_apart_by_organization_and_booking() -> None:
    mother, daughter = two_of_one_name()
    first, second = sections(known_browser())
    assert first.startswith(f"Test Ana Alder Hope Foundation, booking {mother.reference}")
    assert second.startswith(f"Test Ana Alder Hope Foundation, booking {daughter.reference}")
    assert "April 10" not in first
    assert "March 13" not in second


def test_a_person_at_two_organizations_is_one_and_needs_no_telling_apart() -> None:
    builders.booked(builders.drive(policy_id=builders.lax().pk))
    day = builders.DRIVE_DAY + timedelta(weeks=4)
    builders.booked(builders.drive(builders.organization("Other Foundation"), day=day, policy_id=builders.lax().pk))
    (only,) = sections(known_browser())
    assert only.startswith("Test Ana Alder Plasma drive")


def two_owners_of_one_name() -> tuple[Booking, Booking, Booking]:
    """Book for two people named Ana in one organization, one with a phone and one with a mailbox.

    Also book for an Ana at another organization. She could be either of them.
    """
    drive = builders.drive(policy_id=builders.lax().pk)
    by_phone = builders.booked(drive)
    by_mail = builders.booked(drive, n=8, phone="", email="ana@example.org")
    day = builders.DRIVE_DAY + timedelta(weeks=4)
    there = builders.drive(builders.organization("Other Foundation"), day=day, policy_id=builders.lax().pk)
    return by_phone, by_mail, builders.booked(there)


def test_namesakes_in_one_organization_are_not_joined_across_organizations() -> None:
    by_phone, by_mail, there = two_owners_of_one_name()
    people = sections(known_browser("ana@example.org"))
    assert len(people) == 3
    for booking, known_to in ((by_phone, "Hope"), (by_mail, "Hope"), (there, "Other")):
        (mine,) = [words for words in people if f"{known_to} Foundation, booking {booking.reference}" in words]
        assert not any(other.reference in mine for other in (by_phone, by_mail, there) if other != booking)


def test_the_erasure_page_tells_namesakes_apart() -> None:
    by_phone, by_mail, _there = two_owners_of_one_name()
    browser = known_browser("ana@example.org")
    for name in ("donor_data", "donor_data_erase"):
        page = text(browser.get(reverse(name)))
        assert f"booking {by_phone.reference}" in page
        assert f"booking {by_mail.reference}" in page
    browser.post(reverse("donor_data_erase"), {"records": [str(by_mail.volunteer_id)], "sure": "on"})
    by_phone.refresh_from_db()
    by_mail.refresh_from_db()
    assert (by_phone.state, by_mail.state) == ("booked", "cancelled")


@pytest.mark.parametrize(("visits", "shown"), [(19, 19), (20, 20), (21, 20)])
def test_the_page_shows_the_last_twenty_past_visits(visits: int, shown: int) -> None:
    drive = builders.drive(policy_id=builders.lax().pk)
    last = builders.gave(drive)
    for number in range(1, visits):
        earlier = {"reference": f"P{number:04}", "starts_at": last.starts_at - timedelta(days=number)}
        Booking.objects.create(**{**copied(last), **earlier, **Booking.build_link_fields()})
    [person] = queries.load_donor_page(builders.browser_of(builders.phone(42)), drive.ends_at)
    assert [page.booking.starts_at for page in person.past] == [
        last.starts_at - timedelta(days=number) for number in range(shown)
    ]


def copied(booking: Booking) -> dict[str, Any]:
    skipped = {"id", "uuid", "reference", "starts_at"}
    return {
        field.attname: getattr(booking, field.attname) for field in Booking._meta.fields if field.name not in skipped
    }
