"""A donor's waitlist pages: join, enter the code, see the position, answer an offer."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from drives.booking import changes as booking_changes
from drives.models import Booking, CancelledBy, Offer, WaitlistEntry
from drives.planning import lifecycle
from drives.refusals import HoldLapsed
from drives.waitlist import entries, offers
from notifications.models import ConsentEntry
from tests import builders
from tests.builders import NOW
from tests.drives.donor import PHONE, text, title

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]

TYPED = {"name": "Test Ana Alder", "phone": PHONE, "email": "", "visit": "return", "since": "", "until": ""}


@pytest.fixture(autouse=True)
def _no_limits(settings: Any) -> None:
    settings.RATE_LIMITS = False


def join(client: Client, full: list[Booking], **changes: str) -> Any:
    return client.post(reverse("waitlist_join", args=[full[0].drive.slug]), {**TYPED, **changes})


def joined(client: Client, full: list[Booking], **changes: str) -> WaitlistEntry:
    response = join(client, full, **changes)
    assert response.status_code == 303, text(response)
    entry = WaitlistEntry.filter_by_token(response["Location"].split("/")[2]).get()
    code = builders.code_of(entry)
    assert client.post(reverse("waitlist_verify", args=[entry.token]), {"code": code}).status_code == 303
    entry.refresh_from_db()
    return entry


def offered(client: Client, full: list[Booking]) -> Offer:
    entry = joined(client, full)
    booking_changes.cancel_bookings(booking_id=full[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    offers.sweep_waitlists(now=NOW)
    offer = builders.offer_to(entry)
    assert offer
    return offer


def follow(client: Client, address: str) -> Any:
    return client.get(address, follow=True)


def test_the_page_asks_whether_it_is_for_another_person(client: Client) -> None:
    full = builders.full_drive()
    assert "I’m booking for someone else" in text(client.get(reverse("waitlist_join", args=[full[0].drive.slug])))
    entry = joined(client, full, is_for_other="on")
    assert entry.volunteer is not None
    assert entry.volunteer.phone is not None
    assert entry.volunteer.phone.owner is None


def test_a_full_drive_leads_to_its_waiting_list(client: Client) -> None:
    full = builders.full_drive()
    page = client.get(reverse("drive", args=[full[0].drive.slug]))
    assert reverse("waitlist_join", args=[full[0].drive.slug]) in page.content.decode()
    assert "Join the waiting list" in text(client.get(reverse("waitlist_join", args=[full[0].drive.slug])))


def test_joining_asks_for_the_code_and_shows_the_position(client: Client) -> None:
    full = builders.full_drive()
    response = join(client, full, reminders="on")
    assert response.status_code == 303
    page = follow(client, response["Location"])
    assert "You’re almost on the waiting list" in text(page)
    assert "any time" in text(page)
    entry = WaitlistEntry.objects.get()
    wrong = client.post(reverse("waitlist_verify", args=[entry.token]), {"code": "000000"})
    assert (wrong.status_code, title(wrong).startswith("Error:")) == (422, True)
    client.post(reverse("waitlist_verify", args=[entry.token]), {"code": builders.code_of(entry)})
    page = follow(client, reverse("waitlist_entry", args=[entry.token]))
    assert "You’re number 1 on the waiting list" in text(page)
    assert ConsentEntry.objects.filter(given=True, purpose="reminders", address=builders.phone(42)).count() == 1


def test_an_invalid_form_keeps_the_typed_values(client: Client) -> None:
    full = builders.full_drive()
    response = join(client, full, phone="12")
    assert (response.status_code, title(response).startswith("Error:")) == (422, True)
    assert 'value="Test Ana Alder"' in response.content.decode()
    hours = [value for value, _label in response.context["form"].fields["since"].choices if value]
    response = join(client, full, since=hours[-1], until=hours[0])
    assert response.status_code == 422


def test_open_times_are_shown_instead(client: Client) -> None:
    full = builders.full_drive()
    booking_changes.cancel_bookings(booking_id=full[0].pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    response = join(client, full)
    assert response.status_code == 409
    assert f"slot={full[0].arrival_id}" in response.content.decode()


def test_a_donor_changes_the_hours_and_leaves(client: Client) -> None:
    full = builders.full_drive(steps=8)
    entry = joined(client, full)
    page = follow(client, reverse("waitlist_entry", args=[entry.token]))
    ten = next(value for value, label in page.context["form"].fields["since"].choices if label == "10:00 AM")
    waitlist_request = {"visit": "first", "since": ten, "until": ""}
    assert client.post(reverse("waitlist_change", args=[entry.token]), waitlist_request).status_code == 303
    page = follow(client, reverse("waitlist_entry", args=[entry.token]) + "?changed=1")
    assert "from 10:00 AM" in text(page)
    assert client.post(reverse("waitlist_leave", args=[entry.token])).status_code == 303
    assert "You left the waiting list" in text(follow(client, reverse("waitlist_entry", args=[entry.token])))


def test_an_offer_is_answered_by_its_buttons_only(client: Client) -> None:
    offer = offered(client, builders.full_drive())
    page = follow(client, reverse("offer", args=[offer.token]))
    assert "until Tuesday, March 2, 10:00 AM Pacific Time" in text(page)
    client.get(reverse("offer_accept", args=[offer.token]))
    client.get(reverse("offer_decline", args=[offer.token]))
    offer.refresh_from_db()
    assert offer.state == "open"
    taken = client.post(reverse("offer_accept", args=[offer.token]))
    assert (taken.status_code, taken["Location"][:3]) == (303, "/b/")
    assert follow(client, reverse("offer", args=[offer.token])).redirect_chain[-1][0].startswith("/b/")
    assert "You have a spot" in text(follow(client, reverse("waitlist_entry", args=[offer.entry.token])))


def test_a_declined_offer_shows_the_position(client: Client) -> None:
    offer = offered(client, builders.full_drive())
    assert client.post(reverse("offer_decline", args=[offer.token])).status_code == 303
    page = text(follow(client, reverse("offer", args=[offer.token])))
    assert "You passed on this spot" in page
    assert "You’re still on the waiting list, number 1." in page
    refused = client.post(reverse("offer_accept", args=[offer.token]))
    assert (refused.status_code, title(refused).startswith("Error:")) == (409, True)


def test_an_offer_that_is_over_says_so(client: Client, time_machine: Any) -> None:
    offer = offered(client, builders.full_drive())
    time_machine.move_to(offer.deadline + timedelta(seconds=1), tick=False)
    page = text(follow(client, reverse("offer", args=[offer.token])))
    assert "The time to reply has passed. This spot went to the next person." in page
    assert client.post(reverse("offer_accept", args=[offer.token])).status_code == 409


def test_broken_links_redirect_to_the_search(client: Client) -> None:
    for name in ("waitlist_entry", "offer", "offer_accept"):
        assert client.get(reverse(name, args=["A" * 22])).status_code == 404
    for name in (
        "waitlist_verify",
        "waitlist_send_code",
        "waitlist_change",
        "waitlist_leave",
        "offer_accept",
        "offer_decline",
    ):
        assert client.post(reverse(name, args=["A" * 22])).status_code == 404


def test_a_code_is_sent_again_and_a_late_one_shows_the_lapsed_entry(client: Client, time_machine: Any) -> None:
    full = builders.full_drive()
    join(client, full, email="ana@example.org")
    entry = WaitlistEntry.objects.get()
    assert client.post(reverse("waitlist_send_code", args=[entry.token]), {"by": "email"}).status_code == 303
    assert "We’re e-mailing a six-digit code" in text(follow(client, reverse("waitlist_entry", args=[entry.token])))
    time_machine.move_to(NOW + timedelta(minutes=16), tick=False)
    client.post(reverse("waitlist_verify", args=[entry.token]), {"code": "123456"})
    assert "You’re not on the waiting list" in text(follow(client, reverse("waitlist_entry", args=[entry.token])))


def test_links_become_clean_addresses_that_open_nothing_in_another_browser(client: Client) -> None:
    offer = offered(client, builders.full_drive())
    for name, row in (("waitlist_entry", offer.entry), ("offer", offer)):
        page = follow(client, reverse(name, args=[row.token]))
        assert (page.status_code, page.redirect_chain[-1][0]) == (200, reverse(name, args=[row.pk]))
        assert row.token not in page.redirect_chain[-1][0]
        assert Client().get(reverse(name, args=[row.pk])).status_code == 404
    assert client.post(reverse("offer_decline", args=[offer.pk])).status_code == 303


def test_the_page_says_that_the_entry_outlasts_online_booking(client: Client) -> None:
    full = builders.full_drive()
    entry = builders.waits(full[0].drive)
    lifecycle.close_drive(drive_id=full[0].drive_id, actor="user:1", now=NOW)
    offers.sweep_waitlists(now=NOW)
    page = text(follow(client, reverse("waitlist_entry", args=[entry.token])))
    assert "You’re number 1 on the waiting list" in page
    assert "we’ll still offer you open spots until the drive ends" in page


def test_the_time_for_the_code_is_shown_and_extended_once(client: Client) -> None:
    full = builders.full_drive()
    address = join(client, full)["Location"]
    first = client.get(address, follow=True).content.decode()
    assert 'data-seconds="900" data-warn-seconds="120"' in first
    assert "You’re not on the list yet. You have until" in first
    for _time in range(2):
        shown = client.post(reverse("waitlist_extend", args=[WaitlistEntry.objects.get().pk]), follow=True)
    assert "You have 15 more minutes." in text(shown)
    assert "I need 15 more minutes" not in text(shown)
    entry = WaitlistEntry.objects.get()
    assert (entry.held_until, entry.is_extended) == (NOW + timedelta(minutes=30), True)


@pytest.mark.parametrize(("minutes", "is_extended"), [(14, True), (15, False)])
def test_an_entry_is_extended_before_its_time_is_over_and_not_after(minutes: int, *, is_extended: bool) -> None:
    entry = builders.asked_to_wait(builders.full_drive()[0].drive)
    now = NOW + timedelta(minutes=minutes)
    if is_extended:
        assert entries.extend_entry(entry_id=entry.pk, now=now).is_extended
    else:
        with pytest.raises(HoldLapsed):
            entries.extend_entry(entry_id=entry.pk, now=now)
    assert WaitlistEntry.objects.get().is_extended is is_extended


@pytest.mark.parametrize(("minutes", "is_kept"), [(0, True), (74, True), (75, False)])
def test_what_was_typed_is_kept_for_an_hour_after_the_time_ran_out(
    client: Client, minutes: int, *, is_kept: bool
) -> None:
    full = builders.full_drive()
    join(client, full, name="Test Ana Alder")
    page = reverse("waitlist_join", args=[full[0].drive.slug])
    with time_machine.travel(NOW + timedelta(minutes=minutes), tick=False):
        assert ("Test Ana Alder" in client.get(page).content.decode()) is is_kept
        assert "Test Ana Alder" not in Client().get(page).content.decode()
