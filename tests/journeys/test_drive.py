"""A drive from its plan to the turnout report, and a drive that a coordinator cancels."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from drives.capacity import drift
from drives.models import Booking, BookingState, Turnout
from notifications.models import Message
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.journeys import expected_texts
from tests.journeys.actors import Clock, Coordinator, Donor, invitations, live, local, received, set_to, sweep

pytestmark = pytest.mark.django_db


def published(ben: Coordinator, owner: Organization, **changes: Any) -> Any:
    made = ben.posts("drives/", **builders.posted_plan(owner, **{"goal": 3, **changes}))
    assert ben.posts(f"drives/{made['id']}/publish/")["status"] == "published"
    return owner.drives.select_related("site", "organization", "policy").get(pk=made["id"])


def booked_by(drive: Any, *numbers: int) -> list[Donor]:
    donors = [Donor(number, name=f"Test Donor {'ABCDEFG'[number]}") for number in numbers]
    for position, donor in enumerate(donors):
        donor.books(drive, 4 * position, "first" if position == 0 else "return")
    return donors


def texts_since(donor: Donor, moment: datetime) -> list[str]:
    return [item.text for item in received(donor.phone) if item.at >= moment]


def test_a_drive_from_the_plan_to_the_thanks(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    ben = Coordinator(owner)
    drive = published(ben, owner)
    ana, bo, cy, di = booked_by(drive, 0, 1, 2, 3)
    Donor(5).holds(drive, 16)
    set_to(time_machine, local("2027-03-13 08:30"))
    sweep()
    di.submits(di.opens("cancel/"), "/cancel/")
    for arrival, donor in ((local("2027-03-13 09:05"), ana), (local("2027-03-13 10:02"), bo)):
        set_to(time_machine, arrival)
        assert ben.posts(f"bookings/{donor.booking.pk}/check-in/")["state"] == "checked_in"
    came = ben.posts(f"drives/{drive.pk}/walk-ins/", name="Test Eve Elm", visit="return", email="eve@example.org")
    set_to(time_machine, local("2027-03-13 11:30"))
    for booking_id, outcome in ((ana.booking.pk, "donated"), (bo.booking.pk, "deferred"), (came["id"], "donated")):
        assert ben.posts(f"bookings/{booking_id}/outcome/", outcome=outcome)["state"] == outcome
    grace_over = local("2027-03-13 16:00")
    set_to(time_machine, grace_over - timedelta(seconds=1))
    sweep()
    assert ben.gets(f"drives/{drive.pk}/turnout/")["closed_out_at"] is None
    live(time_machine, grace_over, grace_over + timedelta(hours=24))
    assert ben.gets(f"drives/{drive.pk}/turnout/") == {
        "drive": str(drive.pk),
        "final": False,
        "closed_out_at": "2027-03-13T16:00:00-08:00",
        "timezone": "America/Los_Angeles",
        "goal": 3,
        "counts": {
            "booked": 4,
            "confirmed": 0,
            "arrived": 3,
            "donated": 2,
            "incomplete": 0,
            "deferred": 1,
            "left": 0,
            "no_show": 1,
            "cancelled_early": 0,
            "cancelled_late": 1,
            "walk_in": 1,
            "first_visit": 1,
            "unresolved": 0,
        },
    }
    assert Turnout.objects.get(drive=drive).show_rate == pytest.approx(2 / 3)
    assert cy.booking.state == BookingState.NO_SHOW
    assert [texts_since(donor, grace_over) for donor in (ana, bo, cy, di)] == [
        [expected_texts.thanks(ana.link)],
        [expected_texts.thanks_for_coming(bo.link)],
        [expected_texts.missed(cy.link)],
        [],
    ]
    assert [item.subject for item in received("eve@example.org")] == ["Thank you from Hope Foundation"]
    assert drift.count_drifted_slots() == 0


def test_thanks_for_an_evening_drive_leave_in_the_morning(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    ben = Coordinator(owner)
    drive = published(ben, owner, opens="15:00", closes="20:00")
    (ana,) = booked_by(drive, 0)
    set_to(time_machine, local("2027-03-13 15:00"))
    ben.posts(f"bookings/{ana.booking.pk}/check-in/")
    ben.posts(f"bookings/{ana.booking.pk}/outcome/", outcome="donated")
    morning = local("2027-03-14 09:00")
    live(time_machine, local("2027-03-13 21:00"), local("2027-03-14 21:00"), watching=[morning])
    assert ana.texts[-1] == ("Sun Mar 14 09:00", expected_texts.thanks(ana.link))
    assert len([text for _at, text in ana.texts if "Thank you" in text]) == 1


def test_a_cancelled_drive_notifies_each_donor_once_and_sends_no_reminder(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    ben = Coordinator(owner)
    drive = published(ben, owner)
    ana, bo = booked_by(drive, 0, 1)
    cy = Donor(2, email="cy@example.org")
    cy.books(drive, 12)
    cy.submits(cy.opens("cancel/"), "/cancel/")
    di = Donor(3, email="di@example.org")
    di.books(drive, 12)
    held = Donor(4)
    held.holds(drive, 16)
    live(time_machine, NOW, local("2027-03-10 08:55"))
    assert [message.kind for message in ana.messages("queued")] == ["three_days"]
    for _twice in range(2):
        ben.posts(f"drives/{drive.pk}/cancel/", reason="The hall is flooded.")
    cancelled_at = local("2027-03-10 08:55")
    live(time_machine, cancelled_at, local("2027-03-15 12:00"), watching=[local("2027-03-10 09:00")])
    for donor in (ana, bo, di):
        assert texts_since(donor, cancelled_at) == [expected_texts.drive_cancelled(donor.link)]
    assert texts_since(cy, cancelled_at) == texts_since(held, cancelled_at) == []
    assert [(sent.method, sent.sequence) for sent in invitations("di@example.org")] == [("REQUEST", 0), ("CANCEL", 1)]
    assert "The hall is flooded." in received("di@example.org")[-1].text
    assert set(Booking.objects.values_list("state", flat=True)) == {"cancelled", "lapsed"}
    waiting = Message.objects.filter(state__in=["scheduled", "queued", "claimed"])
    assert list(waiting.values_list("key", flat=True)) == []
    assert "The drive is cancelled" in ana.opens().html
    assert drift.count_drifted_slots() == 0


def test_coordinators_are_alerted_once_about_an_under_filled_drive(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    ben = Coordinator(owner)
    drive = published(ben, owner)
    booked_by(drive, 0)
    live(time_machine, NOW, local("2027-03-09 10:00"), watching=[local("2027-03-06 09:00")])
    assert [at for at, _subject in ben.mails] == ["Sat Mar 6 09:00"]
