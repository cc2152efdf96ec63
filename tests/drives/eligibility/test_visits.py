"""The visit type, first or return. We ask a new donor once. After that, the history decides."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from drives.attendance import check_in
from drives.booking import book_for_donor, changes
from drives.capacity import drift
from drives.domain.intervals import GIVEN, SELF_REPORTED, Donation, IntervalRules
from drives.eligibility import rules as eligibility_rules
from drives.models import Booking, BookingState, CancelledBy, Drive, Policy, Slot, Visit
from drives.refusals import Refusal
from organizations.models import Organization
from tests import builders
from tests.builders import DRIVE_DAY, NOW
from tests.drives import coordinator, donor
from tests.drives.donor import text
from volunteers.models import VerifiedBrowser

DAY = timedelta(days=1)


def gave(days_ago: int, basis: str = GIVEN, kind: str = "plasma") -> Donation:
    return Donation(NOW - days_ago * DAY, DRIVE_DAY - days_ago * DAY, IntervalRules(kind), basis=basis)


@pytest.mark.parametrize(
    ("donations", "visit"),
    [
        ([], None),
        ([gave(180)], Visit.RETURN),
        ([gave(181)], Visit.FIRST),
        ([gave(400), gave(30)], Visit.RETURN),
        ([gave(30, basis="booked")], None),
        ([gave(30, kind="whole_blood")], None),
        ([gave(30, basis=SELF_REPORTED)], None),
        ([gave(181, basis=SELF_REPORTED)], Visit.FIRST),
        ([gave(300), gave(30, basis=SELF_REPORTED)], Visit.RETURN),
    ],
)
def test_the_visit_type_follows_the_history(donations: list[Donation], visit: Visit | None) -> None:
    assert eligibility_rules.compute_visit_type(donations, Policy(), DRIVE_DAY) == visit


def test_180_days_over_a_leap_day_count_as_days() -> None:
    leap = Donation(NOW, date(2028, 1, 1), IntervalRules(), basis=GIVEN)
    assert eligibility_rules.compute_visit_type([leap], Policy(), date(2028, 6, 29)) == Visit.RETURN
    assert eligibility_rules.compute_visit_type([leap], Policy(), date(2028, 6, 30)) == Visit.FIRST


def donated(days_before: int, of: Organization | None = None, number: int = 42) -> Booking:
    """Create a donation by the donor with this number, `days_before` days before DRIVE_DAY."""
    given = builders.booked(builders.drive(of, policy_id=builders.lax().pk), number=number)
    then = given.starts_at - days_before * DAY
    Booking.objects.filter(pk=given.pk).update(state="donated", starts_at=then, donated_at=then)
    return given


def steps(row: Booking) -> tuple[int, int, int]:
    return row.screening_steps, row.chair_from, row.chair_to


def refused(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


pytestmark = pytest.mark.django_db


def test_a_donation_at_another_organization_makes_a_first_visit_a_return_visit() -> None:
    donated(60)
    hold = builders.held(builders.drive(), visit=Visit.FIRST)
    assert steps(hold) == (3, 3, 6)
    verified = builders.verified(hold)
    assert (verified.visit, steps(verified)) == (Visit.RETURN, (1, 1, 4))
    assert drift.count_drifted_slots() == 0


def test_a_lapsed_donor_gets_a_first_visits_footprint() -> None:
    donated(181)
    verified = builders.booked(builders.drive(), visit=Visit.RETURN)
    assert (verified.visit, steps(verified)) == (Visit.FIRST, (3, 3, 6))
    assert drift.count_drifted_slots() == 0


def test_a_donation_before_the_history_window_makes_a_first_visit() -> None:
    donated(900)
    assert builders.booked(builders.drive(), visit=Visit.RETURN).visit == Visit.FIRST


@pytest.mark.parametrize("visit", [Visit.FIRST, Visit.RETURN])
def test_a_new_donors_choice_stands(visit: Visit) -> None:
    assert builders.booked(builders.drive(), visit=visit).visit == visit


def test_a_first_visit_that_does_not_fit_is_refused_with_alternatives() -> None:
    donated(200)
    drive = builders.drive()
    last = Slot.objects.filter(drive=drive).count() - 4  # a return visit takes four steps, a first one six
    hold = builders.held(drive, n=last)
    refusal = refused(lambda: builders.verified(hold))
    assert refusal.codes == ["visit_is_first"]
    fitting = [builders.slot(drive, n).pk for n in (last - 4, last - 3, last - 2)]
    assert [time.slot_id for time in refusal.alternatives] == fitting
    hold.refresh_from_db()
    assert (hold.state, hold.visit, steps(hold)) == (BookingState.HELD, Visit.RETURN, (1, last + 1, last + 4))
    assert drift.count_drifted_slots() == 0


def test_a_lapsed_hold_makes_room_for_a_longer_visit() -> None:
    donated(200)
    owner = builders.organization()
    drive = builders.drive(owner, builders.plan(builders.site(owner), chairs=1, screening_stations=1))
    over = builders.held(drive, n=3, number=7, now=NOW - timedelta(minutes=10))  # in the chair from step 4
    hold = builders.held(drive)  # in the chair until step 4, and until step 6 as a first visit
    assert builders.verified(hold, now=NOW + timedelta(minutes=6)).visit == Visit.FIRST
    over.refresh_from_db()
    assert over.state == BookingState.LAPSED
    assert drift.count_drifted_slots() == 0


def test_an_overdue_hold_that_makes_no_room_is_not_lapsed() -> None:
    donated(200)
    owner = builders.organization()
    drive = builders.drive(owner, builders.plan(builders.site(owner), chairs=1, screening_stations=1))
    builders.held(drive, n=10, number=7, now=NOW - timedelta(minutes=10))
    builders.held(drive, n=3, number=8)
    hold = builders.held(drive)
    assert refused(lambda: builders.verified(hold, now=NOW + timedelta(minutes=6))).codes == ["visit_is_first"]
    assert drift.count_drifted_slots() == 0


def test_a_return_visit_without_an_earlier_chair_keeps_its_footprint() -> None:
    donated(60)
    owner = builders.organization()
    drive = builders.drive(owner, builders.plan(builders.site(owner), chairs=1))
    hold = builders.held(drive, n=3, visit=Visit.FIRST)  # in the chair from step 6
    builders.held(drive, n=0, number=7, visit=Visit.FIRST)  # in the chair until step 6
    verified = builders.verified(hold)
    assert (verified.visit, steps(verified)) == (Visit.RETURN, (3, 6, 9))
    assert drift.count_drifted_slots() == 0


def test_a_hold_does_not_reveal_the_visit_type() -> None:
    donated(181)
    drive = builders.drive()
    known, new = builders.held(drive), builders.held(drive, n=0, number=7)
    assert (known.visit, steps(known)) == (new.visit, steps(new))


def test_a_coordinator_sees_only_the_organizations_own_history() -> None:
    owner = builders.organization()
    donated(60)
    slot, person = builders.slot(drive := builders.drive(owner)).pk, builders.person()
    asked: dict[str, Any] = {"drive": drive, "slot_id": slot, "person": person, "actor": "user:1", "now": NOW}
    assert book_for_donor.create_booking_for_donor(**asked, visit=Visit.FIRST).visit == Visit.FIRST


def test_a_coordinators_booking_follows_the_organizations_records() -> None:
    owner = builders.organization()
    donated(60, owner)
    slot, person = builders.slot(drive := builders.drive(owner)).pk, builders.person()
    asked: dict[str, Any] = {"drive": drive, "slot_id": slot, "person": person, "actor": "user:1", "now": NOW}
    assert book_for_donor.create_booking_for_donor(**asked, visit=Visit.FIRST).visit == Visit.RETURN


def entering_late(owner: Organization) -> dict[str, Any]:
    """Return the arguments with which a coordinator books a donor at the last possible time.

    A return visit just fits at that time. A first visit is too long.
    """
    drive = builders.drive(owner)
    last = Slot.objects.filter(drive=drive).count() - 4
    person, slot_id = builders.person(), builders.slot(drive, last).pk
    return {"drive": drive, "slot_id": slot_id, "visit": "return", "person": person, "actor": "user:1", "now": NOW}


def test_booking_a_lapsed_donor_into_a_short_time_needs_a_reason() -> None:
    owner = builders.organization()
    donated(200, owner)
    asked = entering_late(owner)
    assert refused(lambda: book_for_donor.create_booking_for_donor(**asked)).codes == ["visit_is_first"]
    assert book_for_donor.create_booking_for_donor(**asked, override_reason="The center agreed.").visit == Visit.RETURN


def test_a_full_time_is_full_when_the_visit_type_matches() -> None:
    drive = builders.drive()
    Slot.objects.filter(drive=drive).update(chairs_limit=0)
    person, slot_id = builders.person(), builders.slot(drive).pk
    asked: dict[str, Any] = {"slot_id": slot_id, "person": person, "actor": "user:1", "now": NOW}
    assert refused(lambda: book_for_donor.create_booking_for_donor(drive=drive, visit="return", **asked)).codes == [
        "slot_full"
    ]


def test_a_walk_in_follows_the_organizations_records() -> None:
    owner = builders.organization()
    donated(60, owner)
    today = builders.drive(owner)
    came = check_in.add_walk_in(
        drive=today,
        name="Test Ana Alder",
        visit="first",
        phone=builders.phone(42),
        actor="user:1",
        now=today.starts_at,
    )
    assert came.visit == Visit.RETURN


# On the pages


@pytest.mark.time_machine(NOW, tick=False)
@pytest.mark.parametrize(
    ("days", "asked", "words"),
    [
        (60, "first", "Good to see you again! You gave recently, so this is a return visit."),
        (200, "return", "Your last donation was a while ago, so this counts as a first visit again."),
        (200, "first", ""),
    ],
)
def test_the_page_explains_a_changed_visit_type(days: int, asked: str, words: str) -> None:
    donated(days)
    browser = Client()
    held = donor.kept(browser, builders.drive(), visit=asked)
    page = browser.get(donor.prove(browser, held).headers["Location"], follow=True)
    assert words in text(page)
    assert ("so this " in text(page)) == bool(words)


@pytest.mark.time_machine(NOW, tick=False)
def test_the_check_page_offers_times_that_fit_a_first_visit() -> None:
    donated(200)
    browser, drive = Client(), builders.drive()
    last = Slot.objects.filter(drive=drive).count() - 4
    page = donor.prove(browser, donor.kept(browser, drive, last))
    assert page.status_code == 409
    assert "so this counts as a first visit again. A first visit takes longer, so this time won’t work." in text(page)
    assert "Take this time" in text(page)


def chosen(browser: Client, drive: Drive, **query: str) -> str:
    response = browser.get(reverse("drive", args=[drive.slug]), query)
    return str(response.context["visit"])


@pytest.mark.time_machine(NOW, tick=False)
def test_a_verified_browser_of_a_donor_starts_with_a_return_visit() -> None:
    browser, stranger, drive = Client(), Client(), builders.drive()
    donor.booked(browser, builders.drive(policy_id=builders.lax().pk))
    assert chosen(browser, drive) == "first"
    Booking.objects.update(state="donated", donated_at=NOW - 30 * DAY, starts_at=NOW - 30 * DAY)
    assert chosen(browser, drive) == "return"
    assert chosen(browser, drive, visit="first") == "first"
    assert chosen(stranger, drive) == "first"
    Booking.objects.update(starts_at=NOW - 200 * DAY)
    assert chosen(browser, drive) == "first"
    Booking.objects.update(starts_at=NOW - 30 * DAY)
    VerifiedBrowser.objects.update(expires_at=NOW)
    assert chosen(browser, drive) == "first"


@pytest.mark.time_machine(NOW, tick=False)
@pytest.mark.parametrize(
    ("days", "first"),
    [(-8, False), (-1, False), (0, True), (1, True), (-181, True)],
)
def test_an_earlier_booked_visit_makes_a_later_one_a_return_visit(days: int, first: bool) -> None:
    """The booked drive is `days` days after the drive that the donor opens, or before it if negative.

    A booking at the same drive, at a later drive, or more than 180 days before does not count.
    """
    here, browser = builders.organization(), Client()
    other = builders.drive(here, day=builders.DRIVE_DAY + timedelta(days=200 + days))
    later = builders.drive(here, day=builders.DRIVE_DAY + timedelta(days=200)) if days else other
    booked = donor.booked(browser, other, visit="first")
    page = browser.get(reverse("drive", args=[later.slug]))
    assert page.context["visit"] == (Visit.FIRST if first else Visit.RETURN)
    assert ("so this is a return visit" in text(page)) is not first
    changes.cancel_bookings(booking_id=booked.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    assert browser.get(reverse("drive", args=[later.slug])).context["visit"] == Visit.FIRST
    assert Client().get(reverse("drive", args=[later.slug])).context["visit"] == Visit.FIRST


def test_a_preselected_visit_type_is_not_cached() -> None:
    browser, drive = Client(), builders.drive()
    donor.booked(browser, builders.drive())
    assert "private" in browser.get(reverse("drive", args=[drive.slug])).headers["Cache-Control"]


@pytest.mark.time_machine(NOW, tick=False)
def test_a_longer_visit_asks_the_coordinator_for_a_reason() -> None:
    ben = builders.member(builders.organization())
    donated(200, ben.organization)
    asked = entering_late(ben.organization)
    browser, address = coordinator.signed_in(ben), reverse("organizer_add_booking", args=[asked["drive"].pk])
    typed = {"name": "Test Ana Alder", "phone": donor.PHONE, "visit": "return", "slot": asked["slot_id"]}
    assert "Reason for booking anyway" in text(browser.post(address, typed))
