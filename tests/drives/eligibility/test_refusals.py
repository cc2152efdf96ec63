"""The pages and the API explain interval refusals, and coordinators can override them."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import translation

from drives.attendance import check_in
from drives.booking import changes
from drives.models import Booking, CancelledBy, Drive
from organizations.models import Organization, Role
from tests import builders
from tests.builders import DRIVE_DAY, NOW
from tests.drives import coordinator, donor
from tests.drives.caller import Api
from tests.drives.donor import text

pytestmark = pytest.mark.django_db
TOO_CLOSE = (
    "This time is too close to another donation. "
    "The earliest allowed time is Monday, March 15, 2027, 10:00 AM Pacific Time."
)
WHY = "The center agreed by phone."


@pytest.fixture(autouse=True)
def _at_noon() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def two_days(of: Organization) -> tuple[Drive, Drive]:
    return builders.drive(of), builders.drive(of, day=DRIVE_DAY + timedelta(days=1))


def test_the_check_page_names_the_first_time_and_links_to_another_drive() -> None:
    owner, browser = builders.organization(), Client()
    first, second = two_days(owner)
    later = builders.drive(owner, day=DRIVE_DAY + timedelta(days=3), title="Drive in spring")
    donor.booked(browser, first)
    page = donor.prove(browser, donor.kept(browser, second), "")
    assert page.status_code == 409
    assert TOO_CLOSE in text(page)
    assert "Choose another time" not in text(page)
    assert "Drive in spring, Tuesday, March 16, 9:00 AM Pacific Time" in text(page)
    slot = builders.slot(later).pk
    assert f"{reverse('book', args=[later.slug])}?visit=return&amp;slot={slot}" in page.content.decode()


def test_the_page_speaks_spanish() -> None:
    browser = Client(headers={"accept-language": "es"})
    first, second = two_days(builders.organization())
    builders.booked(first)
    with translation.override("es"):  # so that the request's language is reset after the test
        page = text(donor.prove(browser, donor.kept(browser, second)))
    assert "Esta cita quedaría demasiado cerca de otra donación." in page
    assert "lunes 15 de marzo de 2027" in page


def test_the_api_answers_with_the_first_allowed_time_and_times_of_the_other_drive() -> None:
    owner = builders.organization()
    first, second = two_days(owner)
    east = builders.plan(builders.site(owner, "America/New_York"), day=DRIVE_DAY + timedelta(days=3))
    later = builders.drive(owner, east)
    builders.booked(first)
    token = Api().book(slot=str(builders.slot(second).pk), phone=builders.phone(42)).json()["token"]
    hold = Booking.objects.latest("pk")
    answer = Api().post(f"bookings/{token}/verify/", {"code": builders.code_of(hold)})
    assert (answer.status_code, answer.json()["code"]) == (409, "interval_too_short")
    assert answer.json()["reasons"] == [
        {"code": "interval_too_short", "detail": TOO_CLOSE, "earliest_ok_at": "2027-03-15T10:00:00-07:00"}
    ]
    proposed = answer.json()["alternatives"]
    assert [(time["drive"], time["id"]) for time in proposed] == [
        (str(later.pk), str(builders.slot(later, n).pk)) for n in range(3)
    ]
    assert (proposed[0]["starts_at"], proposed[0]["timezone"]) == ("2027-03-16T09:00:00-04:00", "America/New_York")


def test_a_coordinator_must_give_a_reason_to_override() -> None:
    ben = builders.member(builders.organization(), Role.COORDINATOR)
    first, second = two_days(ben.organization)
    builders.booked(first)
    browser, address = coordinator.signed_in(ben), reverse("organizer_add_booking", args=[second.pk])
    typed = {"name": "Test Ana Alder", "phone": donor.PHONE, "visit": "return", "slot": builders.slot(second).pk}
    assert "booking anyway" not in text(browser.get(address))
    refused = text(browser.post(address, typed))
    assert TOO_CLOSE in refused
    assert "Reason for booking anyway" in refused
    assert browser.post(address, {**typed, "override_reason": WHY}).status_code == 302
    assert Booking.objects.get(drive=second).override_reason == WHY


def test_a_check_in_helper_must_give_a_reason_to_override() -> None:
    helper = builders.member(builders.organization(), Role.CHECK_IN)
    first, second = (
        builders.drive(helper.organization),
        builders.drive(helper.organization, day=DRIVE_DAY + timedelta(days=2)),
    )
    given, due = builders.booked(first), builders.booked(second, n=4)
    Booking.objects.filter(pk=given.pk).update(state="donated", donated_at=given.starts_at + timedelta(hours=1))
    browser = coordinator.AllDay(helper.user)
    address = reverse("checkin_change_state", args=[second.slug, due.pk, "in"])
    with time_machine.travel(due.starts_at, tick=False):
        asked = text(browser.post(address))
        assert "This time is too close to another donation." in asked
        assert "Reason for booking anyway" in asked
        assert browser.post(address, {"override_reason": WHY}).status_code == 302
    due.refresh_from_db()
    assert (due.state, due.override_reason) == ("checked_in", WHY)


def test_a_walk_in_who_is_booked_tomorrow_needs_a_reason() -> None:
    helper = builders.member(builders.organization(), Role.CHECK_IN)
    today, tomorrow = two_days(helper.organization)
    builders.drive(helper.organization, day=DRIVE_DAY + timedelta(days=11))
    builders.booked(tomorrow)
    browser, address = coordinator.AllDay(helper.user), reverse("checkin_walk_in", args=[today.slug])
    typed = {"name": "Test Ana Alder", "phone": donor.PHONE, "visit": "return"}
    with time_machine.travel(today.starts_at, tick=False):
        asked = text(browser.post(address, typed))
        assert "Reason for booking anyway" in asked
        assert "The earliest allowed time is Tuesday, March 16" in asked
        assert "These times are available Wednesday, March 24, 9:00 AM" in asked
        assert browser.post(address, {**typed, "override_reason": WHY}).status_code == 302
    assert Booking.objects.get(drive=today).override_reason == WHY


def test_the_check_in_page_warns_before_check_in() -> None:
    helper = builders.member(builders.organization(), Role.CHECK_IN)
    first = builders.drive(helper.organization)
    second = builders.drive(helper.organization, day=DRIVE_DAY + timedelta(days=2))
    given, due, other = builders.booked(first), builders.booked(second, n=4), builders.booked(second, n=4, number=7)
    Booking.objects.filter(pk=given.pk).update(state="donated", donated_at=given.starts_at + timedelta(hours=1))
    browser = coordinator.AllDay(helper.user)
    with time_machine.travel(due.starts_at, tick=False):
        warned = text(browser.get(reverse("checkin_booking", args=[second.slug, due.pk])))
        calm = text(browser.get(reverse("checkin_booking", args=[second.slug, other.pk])))
        check_in.check_in_donor(booking_id=due.pk, actor="user:1", now=due.starts_at, override_reason=WHY)
        settled = text(browser.get(reverse("checkin_booking", args=[second.slug, due.pk])))
    assert "This time is too close to another donation." in warned
    assert "Reason for booking anyway" in warned
    assert "too close" not in calm + settled


def test_undoing_a_no_show_at_the_door_may_need_a_reason() -> None:
    helper = builders.member(builders.organization(), Role.CHECK_IN)
    today, tomorrow = two_days(helper.organization)
    missed = builders.booked(today)
    later = missed.starts_at + timedelta(hours=1)
    check_in.mark_no_show(booking_id=missed.pk, actor="user:1", now=later)
    builders.booked(tomorrow, now=later)
    browser, address = (
        coordinator.AllDay(helper.user),
        reverse("checkin_change_state", args=[today.slug, missed.pk, "undo"]),
    )
    with time_machine.travel(later, tick=False):
        asked = browser.post(address, {"seen": "no_show"})
        assert f'action="{address}"' in asked.content.decode()
        assert "Reason for booking anyway" in text(asked)
        assert browser.post(address, {"seen": "no_show", "override_reason": WHY}).status_code == 302
    missed.refresh_from_db()
    assert (missed.state, missed.override_reason) == ("booked", WHY)


def test_the_api_accepts_an_override_reason_for_every_member_action() -> None:
    ben = builders.member(builders.organization())
    first, second = two_days(ben.organization)
    builders.booked(first)
    api = Api.with_key(ben.organization)
    asked: dict[str, Any] = {"slot": str(builders.slot(second).pk), "phone": builders.phone(42)}
    assert api.book(**asked).json()["code"] == "interval_too_short"
    assert api.book(**asked, override_reason=WHY).status_code == 201
    kept = Booking.objects.get(drive=second)
    assert kept.override_reason == WHY
    row = api.get(f"drives/{second.pk}/roster/").json()["results"][0]
    assert row["override_reason"] == WHY


def test_the_public_overrides_nothing() -> None:
    owner = builders.organization()
    first, second = two_days(owner)
    builders.booked(first)
    asked: dict[str, Any] = {"slot": str(builders.slot(second).pk), "phone": builders.phone(42)}
    token = Api().book(**asked, override_reason=WHY).json()["token"]
    hold = Booking.objects.latest("pk")
    assert Api().post(f"bookings/{token}/verify/", {"code": builders.code_of(hold)}).status_code == 409
    hold.refresh_from_db()
    assert hold.override_reason == ""


def test_a_refused_move_links_to_alternatives() -> None:
    owner, browser = builders.organization(), Client()
    here, ahead = builders.drive(owner), builders.drive(owner, day=DRIVE_DAY + timedelta(days=2))
    later = builders.drive(owner, day=DRIVE_DAY + timedelta(days=6), title="Drive in spring")
    mine = donor.booked(browser, here)
    builders.booked(ahead, n=4)
    address = reverse("booking_move", args=[mine.token])
    page = browser.post(address, {"slot": builders.slot(here, 8).pk})
    assert page.status_code == 409
    assert "This time is too close to another donation." in text(page)
    assert "Or at another drive" in text(page)
    assert f"{reverse('book', args=[later.slug])}?visit=return" in page.content.decode()


def test_a_refused_undo_links_to_alternatives() -> None:
    owner, browser = builders.organization(), Client()
    mine = donor.booked(browser, builders.drive(owner))
    changes.cancel_bookings(booking_id=mine.pk, actor="donor", cancelled_by=CancelledBy.DONOR, now=NOW)
    builders.booked(builders.drive(owner, day=DRIVE_DAY + timedelta(days=1)))
    later = builders.drive(owner, day=DRIVE_DAY + timedelta(days=4))
    page = browser.post(reverse("booking_restore", args=[mine.token]))
    assert page.status_code == 409
    assert f"{reverse('book', args=[later.slug])}?visit=return" in page.content.decode()


def test_a_coordinator_sees_the_alternatives() -> None:
    ben = builders.member(builders.organization(), Role.COORDINATOR)
    first, second = two_days(ben.organization)
    later = builders.drive(ben.organization, day=DRIVE_DAY + timedelta(days=4), title="Drive in spring")
    builders.booked(first)
    browser, address = coordinator.signed_in(ben), reverse("organizer_add_booking", args=[second.pk])
    typed = {"name": "Test Ana Alder", "phone": donor.PHONE, "visit": "return", "slot": builders.slot(second).pk}
    page = browser.post(address, typed)
    assert "These times are available Drive in spring, Wednesday, March 17, 9:00 AM Pacific Time" in text(page)
    assert f"{reverse('organizer_add_booking', args=[later.pk])}?visit=return" in page.content.decode()
