"""A self-reported donation is saved, counted, changed, and deleted with the donor."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from drives.booking import book_for_donor, self_reported
from drives.domain.intervals import SelfReported
from drives.eligibility import self_reported as eligibility_self_reported
from drives.models import Booking, BookingState, Drive, SelfReportedDonation, Visit
from drives.refusals import Refusal
from notifications.models import Message
from tests import builders
from tests.builders import DRIVE_DAY, NOW
from tests.drives import coordinator, donor
from tests.drives.caller import Api
from tests.drives.donor import text
from volunteers import retention
from volunteers.models import Registration

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
DAY = timedelta(days=1)
TODAY = date(2027, 3, 1)
YESTERDAY = SelfReported("plasma", TODAY - DAY)
BLOOD = SelfReported("whole_blood", TODAY - DAY)


def soon(**changes: Any) -> Drive:
    return builders.drive(day=TODAY + DAY, **changes)


def refused(act: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


def wrong(act: Callable[[], object]) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        act()
    return {field: [str(error.code) for error in errors] for field, errors in caught.value.error_dict.items()}


def test_it_moves_from_the_registration_to_the_volunteer_on_verification() -> None:
    hold = builders.held(builders.drive(), self_reported=YESTERDAY)
    kept = SelfReportedDonation.objects.get()
    assert (kept.registration_id, kept.volunteer_id, kept.self_reported) == (hold.registration_id, None, YESTERDAY)
    verified = builders.verified(hold)
    kept.refresh_from_db()
    assert (kept.registration_id, kept.volunteer_id) == (None, verified.volunteer_id)
    assert (kept.actor, kept.reported_at) == ("donor", NOW)


def test_it_counts_until_the_end_of_its_day_at_the_site() -> None:
    refusal = refused(lambda: builders.booked(soon(), self_reported=YESTERDAY))
    assert refusal.codes == ["interval_too_short"]
    assert refusal.reasons[0].earliest_ok_at == datetime(2027, 3, 3, 8, tzinfo=UTC)  # midnight in Los Angeles


def test_whole_blood_elsewhere_counts_by_the_cross_interval() -> None:
    plasma = builders.policy(cross_days={"whole_blood": 56})
    refusal = refused(lambda: builders.booked(builders.drive(policy_id=plasma.pk), self_reported=BLOOD))
    assert refusal.codes == ["cross_interval"]
    assert refusal.reasons[0].earliest_ok_at == datetime(2027, 4, 25, 7, tzinfo=UTC)


def test_a_hold_is_checked_against_its_self_reported_donation() -> None:
    owner = builders.organization()
    drive, later = builders.drive(owner, day=TODAY + DAY), builders.drive(owner, day=TODAY + 2 * DAY)
    builders.gave(builders.drive(owner, day=DRIVE_DAY), number=7)
    for number in (7, 42):
        refusal = refused(partial(builders.held, drive, number=number, self_reported=YESTERDAY))
        assert refusal.codes == ["interval_too_short"]
        assert refusal.reasons[0].earliest_ok_at == datetime(2027, 3, 3, 8, tzinfo=UTC)
        assert [time.slot_id for time in refusal.alternatives] == [builders.slot(later, n).pk for n in range(3)]
    assert not Message.objects.filter(kind="code", address=builders.phone(42)).exists()
    assert not SelfReportedDonation.objects.exists()


def test_verification_checks_it_with_the_whole_history() -> None:
    owner = builders.organization()
    builders.booked(builders.drive(owner, day=TODAY + 2 * DAY))
    hold = builders.held(
        builders.drive(owner, day=TODAY + 4 * DAY), self_reported=SelfReported("plasma", TODAY - 2 * DAY)
    )
    assert refused(lambda: builders.verified(hold)).codes == ["window_full"]
    hold.refresh_from_db()
    assert (hold.state, SelfReportedDonation.objects.get().registration_id) == (BookingState.HELD, hold.registration_id)


def test_it_can_be_corrected_until_verification() -> None:
    hold = builders.held(soon(), self_reported=SelfReported("plasma", TODAY - 9 * DAY))
    asked: dict[str, Any] = {"booking_id": hold.pk, "actor": "donor", "now": NOW}
    assert refused(lambda: self_reported.correct_self_reported(reported=YESTERDAY, **asked)).codes == [
        "interval_too_short"
    ]
    assert wrong(
        lambda: self_reported.correct_self_reported(reported=SelfReported("plasma", TODAY + DAY), **asked)
    ) == {"self_reported": ["self_reported_in_future"]}
    assert SelfReportedDonation.objects.get().self_reported.donated_on == TODAY - 9 * DAY
    self_reported.correct_self_reported(reported=SelfReported("platelets", TODAY - 8 * DAY), **asked)
    assert SelfReportedDonation.objects.get().self_reported == SelfReported("platelets", TODAY - 8 * DAY)
    self_reported.correct_self_reported(reported=None, **asked)
    assert not SelfReportedDonation.objects.exists()
    builders.verified(hold)
    assert refused(lambda: self_reported.correct_self_reported(reported=YESTERDAY, **asked)).codes == ["booking_booked"]


def test_it_counts_elsewhere_for_the_donor_but_not_for_coordinators() -> None:
    builders.booked(builders.drive(), self_reported=YESTERDAY)
    tomorrow = soon()
    assert refused(lambda: builders.booked(tomorrow)).codes == ["interval_too_short"]
    person, slot_id = builders.person(), builders.slot(tomorrow).pk
    asked: dict[str, Any] = {"slot_id": slot_id, "person": person, "actor": "user:1", "now": NOW}
    assert book_for_donor.create_booking_for_donor(drive=tomorrow, visit="return", **asked).state == BookingState.BOOKED


def test_a_later_report_replaces_an_earlier_one() -> None:
    owner = builders.organization()
    builders.booked(builders.drive(owner), self_reported=YESTERDAY)
    earlier = SelfReported("platelets", TODAY - 30 * DAY)
    builders.booked(builders.drive(owner, day=DRIVE_DAY + 3 * DAY), self_reported=earlier)
    assert SelfReportedDonation.objects.get().self_reported == earlier


def test_a_recorded_donation_is_not_counted_twice() -> None:
    given = builders.booked(builders.drive(policy_id=builders.lax().pk))
    then = given.starts_at - 14 * DAY
    Booking.objects.filter(pk=given.pk).update(state="donated", starts_at=then, donated_at=then)
    self_reported = SelfReported("plasma", DRIVE_DAY - 14 * DAY)
    once = builders.policy(min_hours=None, windows=[[2, 30]])
    here = builders.drive(policy_id=once.pk, day=DRIVE_DAY + DAY)
    assert builders.booked(here, self_reported=self_reported).state == BookingState.BOOKED
    Booking.objects.filter(pk=given.pk).update(donated_at=then - DAY)
    assert refused(lambda: builders.booked(builders.drive(policy_id=once.pk, day=DRIVE_DAY + 2 * DAY))).codes == [
        "window_full"
    ]


def test_it_makes_no_return_visit_and_an_old_one_makes_a_first_visit() -> None:
    assert builders.booked(builders.drive(), visit=Visit.FIRST, self_reported=YESTERDAY).visit == Visit.FIRST
    long_ago = SelfReported("plasma", DRIVE_DAY - 181 * DAY)
    assert builders.booked(builders.drive(), number=7, visit=Visit.RETURN, self_reported=long_ago).visit == Visit.FIRST


def test_a_future_day_at_the_site_is_refused() -> None:
    tomorrow = SelfReported("plasma", TODAY + DAY)
    assert wrong(lambda: builders.held(builders.drive(), self_reported=tomorrow)) == {
        "self_reported": ["self_reported_in_future"]
    }
    assert wrong(lambda: builders.held(builders.drive(), self_reported=SelfReported("hair", TODAY))) == {
        "self_reported": ["self_reported_kind_unknown"]
    }
    east = builders.organization()
    in_auckland = builders.drive(east, builders.plan(builders.site(east, "Pacific/Auckland")))
    assert builders.held(in_auckland, self_reported=tomorrow).state == BookingState.HELD
    assert Booking.objects.count() == 1


def test_it_is_deleted_with_the_registration_and_the_volunteer() -> None:
    hold = builders.held(builders.drive(), self_reported=YESTERDAY)
    Booking.objects.filter(pk=hold.pk).update(state="lapsed", is_counted=False)
    Registration.objects.update(created_at=NOW - 3 * DAY)
    retention.purge_expired_rows(now=NOW)
    assert SelfReportedDonation.objects.count() == 0
    verified = builders.booked(builders.drive(), self_reported=YESTERDAY)
    assert verified.volunteer is not None
    verified.volunteer.delete()
    assert SelfReportedDonation.objects.count() == 0


# On the pages


ELSEWHERE: dict[str, Any] = {"self_reported_kind": "plasma", "self_reported_on": "2027-02-28"}


def test_the_question_is_optional() -> None:
    drive = builders.drive()
    query = {"visit": "return", "slot": str(builders.slot(drive).pk)}
    page = Client().get(reverse("book", args=[drive.slug]), query).content.decode()
    assert "<details open>" not in page


def test_a_donor_reports_it_on_the_form() -> None:
    booking = donor.kept(Client(), builders.drive(), **ELSEWHERE)
    assert SelfReportedDonation.objects.get(registration=booking.registration).self_reported == YESTERDAY


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"self_reported_kind": "plasma"}, "Enter the date too."),
        ({"self_reported_on": "2027-02-28"}, "Choose what you gave."),
        ({"self_reported_kind": "hair", "self_reported_on": "2027-02-28"}, "Choose what you gave."),
        ({"self_reported_kind": "plasma", "self_reported_on": "lately"}, "Enter a date like 2027-03-14."),
        (
            {"self_reported_kind": "plasma", "self_reported_on": "2027-03-02"},
            "Enter the date of a donation you’ve already made.",
        ),
    ],
)
def test_errors_are_shown_beside_the_open_question(typed: dict[str, Any], sentence: str) -> None:
    page = donor.keep(Client(), builders.drive(), **typed)
    assert page.status_code == 422
    assert sentence in text(page)
    assert "<details open>" in page.content.decode()


def test_the_booking_page_changes_it_and_warns_if_too_close() -> None:
    browser = Client()
    booked = donor.booked(browser, soon())
    address = reverse("booking_self_reported", args=[booked.token])
    page = text(browser.post(address, ELSEWHERE, follow=True))
    assert "The earliest allowed time is Wednesday, March 3, 2027, 12:00 AM Pacific Time." in page
    assert "Please choose another time." in page
    page = text(browser.post(address, {"self_reported_kind": "", "self_reported_on": ""}, follow=True))
    assert "Please choose another time." not in page
    assert SelfReportedDonation.objects.count() == 0


@pytest.mark.parametrize("day", ["", "2027-03-02"])
def test_the_booking_page_shows_its_errors(day: str) -> None:
    browser = Client()
    booked = donor.booked(browser, builders.drive())
    page = browser.post(
        reverse("booking_self_reported", args=[booked.token]), {"self_reported_kind": "plasma", "self_reported_on": day}
    )
    assert page.status_code == 422
    assert "There is a problem" in text(page)


def test_a_day_too_close_is_refused_before_a_code_is_sent() -> None:
    owner = builders.organization()
    drive, later = (
        builders.drive(owner, day=TODAY + DAY),
        builders.drive(owner, day=TODAY + 2 * DAY, title="The next one"),
    )
    page = donor.keep(Client(), drive, **ELSEWHERE)
    assert page.status_code == 409
    assert page.context["form"].errors.keys() == {"self_reported_on"}
    shown = page.content.decode()
    assert "<details open>" in shown
    assert 'value="2027-02-28"' in shown
    assert 'value="Test Ana Alder"' in shown
    assert f'<input type="hidden" name="slot" value="{builders.slot(drive).pk}"' in shown
    assert f"{reverse('book', args=[later.slug])}?visit=return&amp;slot={builders.slot(later).pk}" in shown
    assert "This time is too soon after your last donation" in text(page)
    assert "Someone just took that time." not in text(page)
    assert not Message.objects.exists()
    assert donor.kept(Client(), drive, self_reported_kind="plasma", self_reported_on="2027-02-20")


def test_later_times_of_the_same_drive_are_offered() -> None:
    hours = builders.policy(min_hours=33, windows=[])  # counted from midnight: until 9:00 on the next day
    drive = builders.drive(day=TODAY + DAY, policy_id=hours.pk, opens=time(8))
    shown = donor.keep(Client(), drive, **{**ELSEWHERE, "self_reported_on": "2027-02-28"}).content.decode()
    radios = [f'name="slot" value="{builders.slot(drive, n).pk}"' in shown for n in range(9)]
    assert radios == [True] + [False] * 3 + [True] * 3 + [False] * 2


def test_a_refused_check_page_offers_to_correct_the_day() -> None:
    browser, owner = Client(), builders.organization()
    donor.booked(browser, builders.drive(owner, day=TODAY + 2 * DAY))
    held = donor.kept(
        browser, builders.drive(owner, day=TODAY + 4 * DAY), self_reported_kind="plasma", self_reported_on="2027-02-27"
    )
    page = donor.prove(browser, held, "")
    assert page.status_code == 409
    assert "Not booked yet" in text(page)
    assert "Book this time" not in text(page)
    assert "We’ll hold this time" not in text(page)
    address = reverse("booking_self_reported", args=[held.token])
    assert address in page.content.decode()
    again = browser.post(address, {"self_reported_kind": "plasma", "self_reported_on": "2027-03-02"})
    assert again.status_code == 422
    assert 'value="2027-03-02"' in again.content.decode()
    assert browser.post(address, {"self_reported_kind": "plasma", "self_reported_on": "2027-02-20"}).status_code == 303
    assert donor.prove(browser, held, "").status_code == 303
    assert Booking.objects.get(pk=held.pk).state == BookingState.BOOKED


def test_a_corrected_day_that_is_too_close_is_refused() -> None:
    browser = Client()
    held = donor.kept(browser, soon())
    page = browser.post(reverse("booking_self_reported", args=[held.token]), ELSEWHERE)
    assert page.status_code == 409
    assert "The earliest allowed time is Wednesday, March 3, 2027, 12:00 AM Pacific Time." in text(page)
    assert not SelfReportedDonation.objects.exists()


def test_an_overridden_booking_gets_no_warning() -> None:
    browser = Client()
    booked = donor.booked(browser, soon())
    Booking.objects.filter(pk=booked.pk).update(override_reason="The center agreed.")
    page = browser.post(reverse("booking_self_reported", args=[booked.token]), ELSEWHERE, follow=True)
    assert "Please choose another time." not in text(page)


def test_a_coordinator_enters_it_for_a_caller() -> None:
    ben = builders.member(builders.organization())
    drive, browser = builders.drive(ben.organization), coordinator.signed_in(ben)
    typed = {"name": "Test Bo Birch", "phone": "213 555 0142", "visit": "return", "slot": builders.slot(drive).pk}
    response = browser.post(reverse("organizer_add_booking", args=[drive.pk]), {**typed, **ELSEWHERE}, follow=True)
    kept = SelfReportedDonation.objects.get()
    assert (kept.self_reported, kept.actor) == (YESTERDAY, f"user:{ben.user_id}")
    assert "Donated elsewhere Plasma, Feb. 28, 2027 as the donor told us" in text(response)


def test_a_coordinator_sees_its_errors() -> None:
    ben = builders.member(builders.organization())
    drive, browser = builders.drive(ben.organization), coordinator.signed_in(ben)
    typed = {"name": "Test Bo Birch", "phone": "213 555 0142", "visit": "return", "slot": builders.slot(drive).pk}
    address = reverse("organizer_add_booking", args=[drive.pk])
    page = browser.post(address, {**typed, **ELSEWHERE, "self_reported_on": "2027-03-02"})
    assert "Enter the date of a donation you’ve already made." in text(page)


# Through the API


def test_the_api_accepts_it_with_a_booking() -> None:
    drive = builders.drive()
    self_reported = {"kind": "whole_blood", "donated_on": "2027-02-28"}
    assert Api().book(slot=str(builders.slot(drive).pk), self_reported=self_reported).status_code == 201
    assert SelfReportedDonation.objects.get().self_reported == BLOOD
    assert Api().book(slot=str(builders.slot(drive).pk), self_reported=None).status_code == 201


@pytest.mark.parametrize(
    ("self_reported", "pointer"),
    [
        ({"kind": "hair", "donated_on": "2027-02-28"}, "#/self_reported/kind"),
        ({"kind": "plasma"}, "#/self_reported/donated_on"),
        ({"kind": "plasma", "donated_on": "2027-03-02"}, "#/self_reported"),
        ("yesterday", "#/self_reported"),
    ],
)
def test_the_api_reports_its_errors(self_reported: object, pointer: str) -> None:
    answer = Api().book(slot=str(builders.slot(builders.drive()).pk), self_reported=self_reported)
    assert answer.status_code == 400
    assert pointer in [error["pointer"].removesuffix("/non_field_errors") for error in answer.json()["errors"]]


def test_the_api_refuses_a_time_too_close_with_alternatives() -> None:
    owner = builders.organization()
    drive, later = builders.drive(owner, day=TODAY + DAY), builders.drive(owner, day=TODAY + 2 * DAY)
    refused = Api().book(
        slot=str(builders.slot(drive).pk), self_reported={"kind": "plasma", "donated_on": "2027-02-28"}
    )
    assert refused.status_code == 409
    [reason] = refused.json()["reasons"]
    assert (reason["code"], reason["earliest_ok_at"]) == ("interval_too_short", "2027-03-03T00:00:00-08:00")
    assert [(time["drive"], time["id"]) for time in refused.json()["alternatives"]] == [
        (str(later.pk), str(builders.slot(later, n).pk)) for n in range(3)
    ]
    assert not Booking.objects.exists()


def test_changing_it_twice_keeps_one_row() -> None:
    verified = builders.booked(drive := builders.drive())
    assert verified.volunteer
    for report in (YESTERDAY, BLOOD, None, None):
        eligibility_self_reported.change_self_reported(
            volunteer=verified.volunteer, drive=drive, reported=report, actor="donor", now=NOW
        )
        assert [kept.self_reported for kept in SelfReportedDonation.objects.all()] == ([report] if report else [])
