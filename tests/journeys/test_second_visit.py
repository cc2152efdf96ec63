"""A first donation, the thank-you, and the second visit, which the donor or a helper books in a few taps."""

from datetime import timedelta

import pytest

from drives.models import Booking, BookingState
from organizations.models import Role
from tests import builders
from tests.builders import DRIVE_DAY, NOW
from tests.drives import coordinator
from tests.drives.donor import text
from tests.journeys.actors import Clock, Coordinator, Donor, live, local, received, set_to, sweep

pytestmark = pytest.mark.django_db
NOON, OVER = local("2027-03-13 12:00"), local("2027-03-13 16:00")


def first_visit(time_machine: Clock) -> tuple[Donor, Booking]:
    """Let Ana book her first visit, consent to news, come and donate."""
    set_to(time_machine, NOW)
    owner = builders.organization()
    policy = builders.policy(min_hours=None, min_days=14, windows=[])
    drive = builders.drive(owner, policy_id=policy.pk)
    ana = Donor(consents=True)
    ana.consents |= {"news": "on"}
    ana.books(drive, 0, "first")
    ben = Coordinator(owner)
    set_to(time_machine, drive.starts_at)
    ben.posts(f"bookings/{ana.booking.pk}/check-in/")
    set_to(time_machine, NOON)
    ben.posts(f"bookings/{ana.booking.pk}/outcome/", outcome="donated")
    return ana, ana.booking


def test_an_invitation_leads_to_a_booking_in_two_taps(time_machine: Clock) -> None:
    ana, first = first_visit(time_machine)
    live(time_machine, OVER, OVER + timedelta(hours=18))
    assert "Thank you for your donation! See when you can come again" in ana.texts[-1][1]
    assert "1 of 2 to become a qualified donor." in ana.opens().html
    owner = first.drive.organization
    drive = builders.drive(owner, policy_id=first.drive.policy_id, day=DRIVE_DAY + timedelta(days=21))
    day = local("2027-03-27 00:00")  # 14 days after the first
    live(time_machine, day - timedelta(days=2), day + timedelta(days=2), watching=[local("2027-03-27 09:00")])
    when, said = ana.texts[-1]
    assert when == "Sat Mar 27 09:00"
    assert said.startswith("Hope Foundation: You can give again. Open spots Sat Apr 3, St Mary Hall: ")
    address = next(word for word in said.split() if word.startswith("http")).removeprefix("http://testserver")
    page = ana.visitor.open(address)
    page = ana.visitor.submit(page.form("/rebook/"), slot=str(builders.slot(drive).pk))
    second = Booking.objects.get(drive=drive)
    assert (page.status, second.volunteer, second.state) == (200, first.volunteer, BookingState.BOOKED)
    assert second.visit == "return"
    live(time_machine, day + timedelta(days=2), day + timedelta(days=4))
    assert len([item for item in received(ana.phone) if "You can give again" in item.text]) == 1


def test_the_table_offers_the_second_visit_and_books_it_with_a_tap(time_machine: Clock) -> None:
    ana, first = first_visit(time_machine)
    owner = first.drive.organization
    drive = builders.drive(owner, policy_id=first.drive.policy_id, day=DRIVE_DAY + timedelta(days=21))
    helper = coordinator.AllDay(builders.member(owner, Role.CHECK_IN).user)
    page = f"/checkin/{first.drive.slug}/{first.pk}/"
    shown = text(helper.get(page))
    assert "1 of 2 to become a qualified donor" in shown
    assert "Sat Apr 3, 9:00 AM" in shown
    slot = builders.slot(drive, 1).pk
    for _tap in range(2):
        shown = text(helper.post(f"{page}next/", {"slot": slot}, follow=True))
        assert "Test Ana Alder is booked for Saturday, April 3, 9:15 AM Pacific Time." in shown
        assert "Saturday, April 3, 9:15 AM Pacific Time , St Mary Hall booked" in shown
    assert Booking.objects.filter(drive=drive).count() == 1
    sweep()
    assert ana.texts[-1][1].startswith("Hope Foundation: You're booked Sat Apr 3, 9:15 AM")
    assert "Saturday, April 3" in ana.opens().html
    live(time_machine, OVER, OVER + timedelta(days=30))
    assert not [item for item in received(ana.phone) if "You can give again" in item.text]


def test_the_check_in_table_explains_a_refused_booking(time_machine: Clock) -> None:
    _ana, first = first_visit(time_machine)
    owner = first.drive.organization
    soon = builders.drive(owner, policy_id=first.drive.policy_id, day=DRIVE_DAY + timedelta(days=7))
    full = builders.drive(
        owner, builders.plain(builders.site(owner), spots=1, steps=1, day=DRIVE_DAY + timedelta(days=21))
    )
    builders.booked(full, number=7, name="Test Bo Birch", now=NOON)
    stranger = builders.drive(day=DRIVE_DAY + timedelta(days=21))
    helper = coordinator.AllDay(builders.member(owner, Role.CHECK_IN).user)
    page = f"/checkin/{first.drive.slug}/{first.pk}/"
    assert "No drive is planned yet for when they can donate again. We’ll tell them when there is one." in text(
        helper.get(page)
    )
    answers = {
        str(builders.slot(soon).pk): "The earliest allowed time is Saturday, March 27, 2027",
        str(builders.slot(full).pk): "Someone else just took the last spot at this time.",
        str(builders.slot(stranger).pk): "This time isn’t part of this drive.",
        "9" * 30: "This time isn’t part of this drive.",
        "x": "This time isn’t part of this drive.",
        "": "This time isn’t part of this drive.",
    }
    for slot, answer in answers.items():
        assert answer in text(helper.post(f"{page}next/", {"slot": slot}, follow=True))
    assert Booking.objects.filter(volunteer=first.volunteer).count() == 1


def test_only_roles_with_check_in_book_the_next_visit(time_machine: Clock) -> None:
    _ana, first = first_visit(time_machine)
    owner = first.drive.organization
    drive = builders.drive(owner, policy_id=first.drive.policy_id, day=DRIVE_DAY + timedelta(days=21))
    asked = {"slot": builders.slot(drive).pk}
    address = f"/checkin/{first.drive.slug}/{first.pk}/next/"
    viewer = coordinator.AllDay(builders.member(owner, Role.VIEWER).user)
    cleo = coordinator.AllDay(builders.member(builders.organization(), Role.OWNER).user)
    assert [viewer.post(address, asked).status_code, cleo.post(address, asked).status_code] == [403, 404]
    helper = coordinator.AllDay(builders.member(owner, Role.CHECK_IN).user)
    assert helper.get(address).status_code == 405
    assert Booking.objects.filter(drive=drive).count() == 0
