import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from drives.booking import changes
from drives.models import Booking, CancelledBy, WaitlistEntry
from drives.waitlist import offers
from organizations.models import Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


def ben(full: list[Booking], role: str = Role.COORDINATOR) -> Client:
    return coordinator.signed_in(builders.member(full[0].drive.organization, role))


def test_the_waitlist_shows_positions_windows_and_offers() -> None:
    full = builders.full_drive()
    builders.waits(full[0].drive)
    builders.waits(full[0].drive, number=43, name="Test Dan Dow", now=NOW + timedelta(minutes=1))
    changes.cancel_bookings(booking_id=full[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    offers.sweep_waitlists(now=NOW)
    client = ben(full)
    assert "2 people on the waiting list, 1 with an offer." in text(
        client.get(reverse("organizer_drive", args=[full[0].drive_id]))
    )
    page = text(client.get(reverse("organizer_waitlist", args=[full[0].drive_id])))
    assert page.index("Test Ana Alder") < page.index("Test Dan Dow")
    assert "Offered 9:00 AM: until Tue Mar 2, 10:00 AM" in page


def test_the_number_of_queries_does_not_depend_on_the_entries() -> None:
    full = builders.full_drive()
    client, page = ben(full), reverse("organizer_waitlist", args=[full[0].drive_id])

    def line(people: int) -> Callable[[], object]:
        for number in range(WaitlistEntry.objects.count(), people):
            builders.waits(full[0].drive, number=60 + number)
        client.get(page)
        return partial(client.get, page)

    assert query_counts.count_for_each(line) <= 14
    assert query_counts.count_for_each(line, rows=(3, 60)) <= 14
    first, second = client.get(page).content.decode(), client.get(f"{page}?page=2").content.decode()
    assert ("<b>50. " in first, "<b>51. " in first, "page=2" in first) == (True, False, True)
    assert ("<b>51. " in second, "<b>60. " in second, "page=1" in second) == (True, True, True)


def test_a_form_on_a_later_page_leads_back_to_that_page() -> None:
    full = builders.full_drive()
    drive, client = full[0].drive, ben(full)
    for number in range(52):
        builders.waits(drive, number=60 + number)
    changes.cancel_bookings(booking_id=full[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    offers.sweep_waitlists(now=NOW)
    address = reverse("organizer_waitlist", args=[drive.pk])
    first, second = client.get(address).content.decode(), client.get(f"{address}?page=2").content.decode()
    remove, *others = re.findall(r'action="([^"]*/remove/[^"]*)"', second)
    assert len(others) == 1
    assert client.post(remove).headers["Location"] == f"{address}?page=2"
    [pass_on] = re.findall(r'action="([^"]*/pass/)"', first)  # the first page needs no number
    assert client.post(f"{pass_on}?page=2%26x").headers["Location"] == address


def test_a_coordinator_adds_and_removes_an_entry() -> None:
    full = builders.full_drive()
    client, drive = ben(full), full[0].drive
    typed = {"name": "Test Dan Dow", "phone": "(201) 555-0143", "visit": "return", "since": "", "until": ""}
    response = client.post(reverse("organizer_new_waitlist_entry", args=[drive.pk]), typed)
    assert response.status_code == 302
    entry = WaitlistEntry.objects.get()
    assert (entry.state, entry.source, str(entry.volunteer)) == ("waiting", "coordinator", "Test Dan Dow")
    response = client.post(reverse("organizer_remove_waitlist_entry", args=[drive.pk, entry.pk]))
    entry.refresh_from_db()
    assert (response.status_code, entry.state) == (303, "left")
    assert client.post(reverse("organizer_remove_waitlist_entry", args=[drive.pk, entry.pk])).status_code == 404


def test_a_refusal_is_shown_in_the_form() -> None:
    full = builders.full_drive()
    client, address = ben(full), reverse("organizer_new_waitlist_entry", args=[full[0].drive_id])
    typed = {"name": "Test Ana Alder", "phone": "", "visit": "return", "since": "", "until": ""}
    assert client.post(address, typed).status_code == 422
    already = client.post(address, {**typed, "phone": builders.phone(1)})
    assert (already.status_code, "already has a booking" in text(already)) == (422, True)


def test_a_viewer_changes_nothing() -> None:
    full = builders.full_drive()
    entry = builders.waits(full[0].drive)
    client = ben(full, Role.VIEWER)
    assert client.get(reverse("organizer_waitlist", args=[full[0].drive_id])).status_code == 200
    assert client.get(reverse("organizer_new_waitlist_entry", args=[full[0].drive_id])).status_code == 403
    assert client.post(reverse("organizer_remove_waitlist_entry", args=[full[0].drive_id, entry.pk])).status_code == 403
    assert client.post(reverse("organizer_close_waitlist", args=[full[0].drive_id])).status_code == 403


def test_closing_online_booking_keeps_the_waitlist_until_it_is_closed_too() -> None:
    full = builders.full_drive()
    drive, client = full[0].drive, ben(full)
    entry = builders.waits(drive)
    address = reverse("organizer_waitlist", args=[drive.pk])
    assert "Close the waiting list" not in text(client.get(address))
    closed = client.post(reverse("organizer_close_drive", args=[drive.pk]), follow=True)
    assert "People who are booked or on the waiting list keep their spots" in text(closed)
    assert "we offer them freed spots until the drive ends" in text(client.get(address))
    told = client.post(reverse("organizer_close_waitlist", args=[drive.pk]), follow=True)
    assert "The waiting list is closed. We’re letting 1 person know." in text(told)
    entry.refresh_from_db()
    assert entry.state == "closed"


def test_the_waitlist_of_a_published_drive_is_not_closed() -> None:
    full = builders.full_drive()
    client, entry = ben(full), builders.waits(full[0].drive)
    answer = client.post(reverse("organizer_close_waitlist", args=[full[0].drive_id]), follow=True)
    assert "Close online booking first." in text(answer)
    entry.refresh_from_db()
    assert entry.state == "waiting"
