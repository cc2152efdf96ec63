"""Ben runs a whole drive through the pages, without JavaScript.

He signs in, plans and publishes the drive, checks donors in, and completes it.
"""

import pytest

from drives.models import Drive, Turnout
from organizations.models import Organization
from tests import builders
from tests.builders import NOW
from tests.journeys import expected_texts
from tests.journeys.actors import Clock, Donor, TestBrowser, live, local, received, set_to, sweep
from tests.visitor import Page, Visitor

pytestmark = pytest.mark.django_db

PLAN = {
    "title": "Plasma drive",
    "day": "2027-03-13",
    "opens": "09:00",
    "closes": "15:00",
    "chairs": "4",
    "screening_stations": "4",
    "step_minutes": "15",
    "first_screening": "45",
    "first_chair": "45",
    "return_screening": "15",
    "return_chair": "45",
    "goal": "3",
}


class Ben:
    """A coordinator at the desk, and at the door on the day of the drive."""

    def __init__(self, owner: Organization) -> None:
        self.member = builders.member(owner)
        self.visitor = Visitor(TestBrowser("en", "192.0.2.250"))

    def signs_in(self, to: str) -> Page:
        page = self.visitor.open(to)
        assert page.path.startswith("/accounts/login/")
        page = self.visitor.submit(page.form("/login/"), login=self.member.user.email, password=builders.PASSWORD)
        assert page.path == to, page.html
        return page

    def plans(self) -> Page:
        policy, site = builders.policy(), builders.site(self.member.organization)
        page = self.signs_in("/organizer/drives/new/")
        return self.visitor.submit(page.form("/new/"), **PLAN, policy=str(policy.pk), site=str(site.pk), save="1")

    def taps(self, page: Page, ending: str) -> Page:
        return self.visitor.submit(page.form(ending))


def test_a_drive_is_planned_published_run_and_completed_on_pages(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    ben, ana, bo = Ben(owner), Donor(1), Donor(2, name="Test Bo Birch")
    ben.taps(ben.plans(), "/publish/")
    drive = Drive.objects.get()
    assert (drive.state, drive.slots.count()) == ("published", 24)
    ana.books(drive, 0, "first")
    bo.books(drive, 4)
    set_to(time_machine, local("2027-03-13 09:02"))
    page = ben.signs_in(f"/checkin/{drive.slug}/")
    page = ben.taps(page, f"/{ana.booking.pk}/in/")
    page = ben.taps(ben.visitor.open(f"/checkin/{drive.slug}/{ana.booking.pk}/"), "/donated/")
    assert "Test Ana Alder" in page.html
    live(time_machine, local("2027-03-13 16:00"), local("2027-03-14 09:30"))
    page = ben.signs_in(f"/organizer/drives/{drive.pk}/turnout/")
    page = ben.taps(page, "/complete/")
    report = Turnout.objects.get(drive=drive)
    assert (report.final, report.booked_count, report.donated_count, report.no_show_count) == (True, 2, 1, 1)
    assert ana.texts[-1] == ("Sun Mar 14 09:30", expected_texts.thanks(ana.link))
    assert bo.texts[-1] == ("Sun Mar 14 09:30", expected_texts.missed(bo.link))


def test_a_drive_is_cancelled_on_pages(time_machine: Clock) -> None:
    set_to(time_machine, NOW)
    owner = builders.organization()
    ben, ana = Ben(owner), Donor(email="ana@example.org")
    drive = builders.drive(owner)
    ana.books(drive, 6)
    page = ben.signs_in(f"/organizer/drives/{drive.pk}/cancel/")
    ben.visitor.submit(page.form("/cancel/"), reason="The hall is flooded.", sure="on")
    sweep()
    assert ana.texts[-1] == ("Mon Mar 1 10:00", expected_texts.drive_cancelled(ana.link))
    assert "The hall is flooded." in received("ana@example.org")[-1].text
    assert "The hall is flooded." in ana.opens().html
