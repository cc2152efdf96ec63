"""The report on an organization's drives, as a page and as CSV."""

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.test import Client

from drives.attendance import turnout
from drives.booking import create
from drives.capacity import visit_length
from drives.desk import forms_report, reports, rules
from drives.desk.report_figures import MessageTally, Rate, Tally
from drives.desk.reports import Report, ReportFilter
from drives.domain import grid
from drives.models import Booking, BookingState, Drive, DriveState, ShareLink, Source, Visit
from drives.planning import lifecycle as planning_drives
from notifications.models import Message
from organizations.models import AuditEntry, Membership, Organization, Role
from tests import builders, query_counts
from tests.builders import DRIVE_DAY, NOW
from tests.drives import coordinator
from tests.drives.donor import text
from tests.notifications import made
from volunteers import registration

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
DAY = timedelta(days=1)
PAGE, CSV = "/organizer/reports/", "/organizer/reports.csv"
ALL = {"first_day": "", "last_day": ""}


def ben(role: str = Role.OWNER, **fields: Any) -> Membership:
    return builders.member(builders.organization(**fields), role)


def finished(of: Organization, day: date = DRIVE_DAY, **changes: Any) -> Drive:
    """Create a drive that is closed out. By default, it has four chairs from 9:00 to 15:00."""
    drive = builders.drive(of, day=day, **changes)
    Drive.objects.filter(pk=drive.pk).update(closed_out_at=drive.close_out_at, state=DriveState.CLOSED)
    return Drive.objects.select_related("site").get(pk=drive.pk)


def give(drive: Drive, state: str = BookingState.DONATED, *, n: int = 0, **fields: Any) -> Booking:
    slot, visit = builders.slot(drive, n), fields.get("visit", Visit.RETURN)
    shape = visit_length.compute_visit_shape(drive, visit)
    person = registration.enter_volunteer(
        organization=drive.organization, name="Test Ana", phone=builders.phone(42), actor="user:1", now=NOW
    )
    typed = {
        **Booking.build_link_fields(),
        **create.build_footprint_fields(grid.compute_footprint(n, shape)),
        "reference": create.generate_reference(),
        "drive": drive,
        "volunteer": person,
        "arrival": slot,
        "starts_at": slot.starts_at,
        "visit": visit,
        "state": state,
        "source": Source.ONLINE,
        "is_counted": state not in (BookingState.CANCELLED, BookingState.LAPSED),
        "cancelled_at": NOW if state == BookingState.CANCELLED else None,
        "created_at": NOW,
        "changed_at": NOW,
    }
    return Booking.objects.create(**{**typed, **fields})


def load(of: Organization, **chosen: Any) -> Report:
    return reports.load_report(of, reports.list_drives(of, ReportFilter(**chosen)))


def read_csv(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


def busy(of: Organization) -> Drive:
    """Create a finished drive with ten bookings, of which two were cancelled, and two walk-ins."""
    drive = finished(of)
    for state in ("donated", "donated", "donated", "deferred", "no_show", "cancelled"):
        give(drive, state)
    link = ShareLink.objects.create(drive=drive, name="Test Bo", created_at=NOW)
    give(drive, "donated", n=4, source=Source.ONLINE, share_link=link, visit=Visit.FIRST)
    give(drive, "no_show", n=4, source=Source.COORDINATOR, visit=Visit.FIRST)
    give(drive, "left", n=5, source=Source.COORDINATOR)
    give(drive, "cancelled", n=5, source=Source.COORDINATOR)
    give(drive, "donated", n=8, source=Source.WALK_IN)
    give(drive, "deferred", n=8, source=Source.WALK_IN, visit=Visit.FIRST)
    give(drive, BookingState.LAPSED, volunteer=None)
    return drive


def test_the_figures_of_a_drive_are_those_counted_by_hand() -> None:
    of = builders.organization()
    busy(of)
    report = load(of)
    tally = report.total.tally
    assert tally == Tally(
        booked=10, cancelled=2, came=8, walk_ins=2, donated=5, incomplete=0, deferred=2, left=1, no_show=2
    )
    assert report.total.capacity == 4 * 7  # a visit has one step of screening and three of the 24 steps in a chair
    assert (report.total.fill, tally.show) == (Rate(8, 28), Rate(6, 8))
    assert (tally.no_shows, tally.deferrals) == (Rate(2, 8), Rate(2, 8))
    assert report.total.first == Tally(booked=2, came=2, walk_ins=1, donated=1, deferred=1, no_show=1)
    assert [(hour, row.expected, row.came) for hour, row in report.hours] == [(9, 5, 4), (10, 3, 2), (11, 0, 2)]
    assert [(row.source, row.has_link, row.tally.booked, row.tally.came) for row in report.sources] == [
        ("online", False, 6, 4),
        ("coordinator", False, 3, 1),
        ("walk_in", False, 0, 2),
        ("online", True, 1, 1),
    ]


def test_the_page_shows_each_figure_as_a_chart_and_in_a_table_without_names() -> None:
    member = ben()
    busy(member.organization)
    response = coordinator.signed_in(member).get(PAGE, ALL)
    shown, html = text(response), response.content.decode()
    assert "1 finished drive" in shown
    assert "Fill rate bookings out of all spots 29% 8 of 28" in shown
    assert "Show rate people who came, out of those booked 75% 6 of 8" in shown
    assert "No-show rate people who didn’t come, out of those booked 25% 2 of 8" in shown
    assert "Deferral rate people deferred, out of all who came 25% 2 of 8" in shown
    assert "9:00 AM 5 4 3 10:00 AM 3 2 1 11:00 AM 2 2 1" in shown
    assert "online, with a recruiter’s link 1 1 1" in shown
    assert "First visit 3 2 1 Return visit 7 6 4" in shown
    charts = re.findall(r'<svg role="img" aria-label="([^"]*)"', html)
    assert charts == [
        f"Bar chart: {title}. The table has the same numbers."
        for title in (
            "Rates",
            "By hour of arrival",
            "Days from booking to drive",
            "By source of the booking",
            "First and return visits",
        )
    ]
    assert '<text class="value" x="100%" y="1.2em" text-anchor="end">4 of 5</text>' in html
    assert html.count("<figure") == html.count("</figure>") == len(charts)
    assert "Test Ana" not in shown
    assert "Test Bo" not in shown
    assert 'href="/organizer/reports/" aria-current="true"' in html


def test_a_drive_that_is_not_finished_is_listed_but_counts_in_no_total() -> None:
    member = ben()
    give(finished(member.organization), "no_show")
    coming = builders.drive(member.organization, day=DRIVE_DAY + DAY)
    give(coming, "booked")
    give(coming, "no_show")
    cancelled = builders.drive(member.organization, day=DRIVE_DAY + 2 * DAY)
    give(cancelled, "cancelled")
    Drive.objects.filter(pk=cancelled.pk).update(state=DriveState.CANCELLED, closed_out_at=NOW)
    builders.drive(member.organization, day=DRIVE_DAY, published=False)
    report = load(member.organization)
    assert [row.drive.pk for row in report.rows][:2] == [cancelled.pk, coming.pk]
    assert (len(report.rows), report.finished_count) == (3, 1)
    assert ([row.drive for row in report.unfinished], [row.drive for row in report.cancelled]) == (
        [coming],
        [cancelled],
    )
    assert report.total.tally == Tally(booked=1, no_show=1)
    assert [row.tally.booked for row in report.sources] == [1]
    assert [tally.booked for _hour, tally in report.hours] == [1]
    assert sum(one.tally.booked for one in report.lead_classes) == 1
    response = coordinator.signed_in(member).get(PAGE, ALL)
    shown = text(response)
    assert "1 drive is not finished." in shown
    assert "1 drive was cancelled." in shown
    assert "not finished 2 booked for 28 spots, 0 cancelled 28 2 0 0 0 0 0 – 7% –" in shown
    rows = read_csv(coordinator.signed_in(member).get(CSV, ALL))
    assert [(row["Finished"], row["No-show"], row["Show rate (%)"]) for row in rows] == [
        ("no", "", ""),
        ("no", "", ""),
        ("yes", "1", "0"),
    ]


def test_without_a_finished_drive_there_are_no_series() -> None:
    member = ben()
    give(builders.drive(member.organization), "booked")
    shown = text(coordinator.signed_in(member).get(PAGE, ALL))
    assert "0 finished drives" in shown
    assert "The figures appear when a drive is over" in shown
    assert "Show rate people" not in shown
    assert "Drive by drive" in shown


def test_a_finished_drive_without_bookings_has_no_rates() -> None:
    member = ben()
    finished(member.organization)
    shown = text(coordinator.signed_in(member).get(PAGE, ALL))
    assert "Fill rate bookings out of all spots 0% 0 of 28" in shown
    assert "Show rate people who came, out of those booked – 0 of 0" in shown
    assert "There were no bookings." in shown


@pytest.mark.parametrize(
    ("zone", "booked_at", "expected"),
    [
        ("America/Los_Angeles", datetime(2027, 3, 13, 7, 59, tzinfo=UTC), 1),  # 23:59 on March 12
        ("America/Los_Angeles", datetime(2027, 3, 13, 8, 0, tzinfo=UTC), 0),  # midnight
        ("America/Los_Angeles", datetime(2027, 3, 12, 7, 59, tzinfo=UTC), 2),
        ("Asia/Kolkata", datetime(2027, 3, 12, 18, 29, tzinfo=UTC), 1),
        ("Asia/Kolkata", datetime(2027, 3, 12, 18, 30, tzinfo=UTC), 0),
        ("America/Los_Angeles", datetime(2027, 3, 14, 20, 0, tzinfo=UTC), 0),  # entered after the drive
        ("America/Los_Angeles", datetime(2025, 1, 1, 20, 0, tzinfo=UTC), rules.MAX_LEAD_DAYS),
    ],
)
def test_days_before_the_drive_are_days_of_its_site(zone: str, booked_at: datetime, expected: int) -> None:
    of = builders.organization()
    drive = finished(of, site=builders.site(of, zone))
    give(drive, created_at=booked_at)
    assert load(of).median_lead == expected


@pytest.mark.parametrize(
    ("booked_at", "expected"),
    [
        (datetime(2027, 3, 14, 7, 59, tzinfo=UTC), 2),  # 23:59 on March 13, in winter time
        (datetime(2027, 3, 14, 8, 0, tzinfo=UTC), 1),
        (datetime(2027, 3, 15, 6, 59, tzinfo=UTC), 1),  # 23:59 on March 14, in summer time
        (datetime(2027, 3, 15, 7, 0, tzinfo=UTC), 0),
    ],
)
def test_a_day_of_23_hours_is_one_day(booked_at: datetime, expected: int) -> None:
    of = builders.organization()
    give(finished(of, date(2027, 3, 15)), created_at=booked_at)
    assert load(of).median_lead == expected


def test_hours_are_those_of_each_site_and_of_its_clock() -> None:
    of = builders.organization()
    winter, summer = finished(of, date(2027, 3, 13)), finished(of, date(2027, 3, 15))
    east = finished(of, site=builders.site(of, "America/New_York"), opens=time(10), closes=time(15))
    kathmandu = finished(of, site=builders.site(of, "Asia/Kathmandu"), opens=time(9), closes=time(15))
    give(winter)
    give(summer, n=3)  # 9:45
    give(summer, n=4)  # 10:00
    give(east)
    give(kathmandu, n=3)
    assert [(hour, tally.came) for hour, tally in load(of).hours] == [(9, 3), (10, 2)]


def test_a_walk_in_has_no_lead_time() -> None:
    of = builders.organization()
    drive = finished(of)
    give(drive, created_at=NOW)
    give(drive, source=Source.WALK_IN, created_at=NOW + 12 * DAY)
    report = load(of)
    assert report.median_lead == 12
    assert [one.tally.came for one in report.lead_classes] == [0, 0, 0, 0, 1, 0, 0]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"first_day": date(2027, 3, 13)}, [14, 13]),
        ({"first_day": date(2027, 3, 14)}, [14]),
        ({"first_day": date(2027, 3, 15)}, []),
        ({"last_day": date(2027, 3, 13)}, [13, 12]),
        ({"last_day": date(2027, 3, 12)}, [12]),
        ({"last_day": date(2027, 3, 11)}, []),
        ({"first_day": date(2027, 3, 13), "last_day": date(2027, 3, 13)}, [13]),
    ],
)
def test_the_period_goes_by_the_day_at_the_site(chosen: dict[str, date], expected: list[int]) -> None:
    of = builders.organization()
    auckland, honolulu = (builders.site(of, zone) for zone in ("Pacific/Auckland", "Pacific/Honolulu"))
    finished(of, date(2027, 3, 12), site=auckland)  # on March 11 in UTC
    finished(of, date(2027, 3, 13), site=honolulu, opens=time(15), closes=time(21))  # on March 14 in UTC
    finished(of, date(2027, 3, 14))
    assert [row.drive.day.day for row in load(of, **chosen).rows] == expected


def test_a_site_is_a_filter_and_only_own_sites_are_offered() -> None:
    member, cleo = ben(), ben()
    here = builders.site(member.organization, name="Here Hall")
    theirs = finished(cleo.organization)
    finished(member.organization, site=here, title="At the hall")
    finished(member.organization, title="Elsewhere")
    browser = coordinator.signed_in(member)
    chosen = {**ALL, "site": str(here.pk)}
    response = browser.get(PAGE, chosen)
    assert ("At the hall" in text(response), "Elsewhere" in text(response)) == (True, False)
    assert f"/organizer/reports.csv?first_day=&amp;last_day=&amp;site={here.pk}" in response.content.decode()
    assert [row["Drive"] for row in read_csv(browser.get(CSV, chosen))] == ["At the hall"]
    refused = browser.get(PAGE, {**ALL, "site": str(theirs.site_id)})
    assert (refused.status_code, "finished drive" in text(refused)) == (422, False)
    assert f'value="{theirs.site_id}"' not in refused.content.decode()


def test_drives_and_messages_of_other_organizations_are_never_counted() -> None:
    member, cleo = ben(), ben()
    own, theirs = busy(member.organization), busy(cleo.organization)
    Drive.objects.filter(pk=theirs.pk).update(title={"en": "Secret drive"})
    send(cleo.organization, f"booking:{own.bookings.all()[0].pk}")
    for address in (PAGE, CSV):
        shown = coordinator.signed_in(member).get(address, ALL).content.decode()
        assert "Secret drive" not in shown
    report = load(member.organization)
    assert ([row.drive for row in report.rows], report.total.tally.booked) == ([own], 10)
    assert report.messages == MessageTally()


def send(of: Organization, about: str, body: str = "See you tomorrow", state: str = "delivered", **fields: Any) -> None:
    message = made.queued(of, body, about=about, **fields)
    Message.objects.filter(pk=message.pk).update(state=state)


def test_messages_about_a_drive_are_counted_with_segments_and_cost() -> None:
    member = ben(sms_price=Decimal("0.0100"), sms_currency="USD")
    of = member.organization
    drive = finished(of)
    booking = give(drive)
    entry = builders.waits(builders.full_drive(of=of, policy_id=builders.lax().pk)[0].drive, number=91)
    Message.objects.all().delete()
    send(of, booking.about)
    send(of, booking.about, "a" * 161)
    send(of, booking.about, "123456 is your code", kind="code")
    send(of, f"drive:{drive.pk}", purpose="news")
    send(of, booking.about, channel="email", address="ana@example.org", subject="s")
    send(of, entry.about, "a" * 307)
    send(of, "conversation:1")
    send(of, f"drive:{drive.pk}", kind="alert_cancellation", channel="email", address="ben@example.org", subject="s")
    for state in ("queued", "withdrawn", "failed", "expired", "blocked"):
        send(of, booking.about, state=state)
    for state in ("accepted", "sent", "undelivered"):
        send(of, booking.about, state=state)
    by_drive = {row.drive.pk: row.messages for row in load(of).rows}
    assert by_drive[drive.pk] == MessageTally(texts=7, segments=8, unmeasured=0, emails=1)
    assert by_drive[entry.drive_id] == MessageTally(texts=1, segments=3)
    shown = text(coordinator.signed_in(member).get(PAGE, ALL))
    assert "Texts 8 Segments (what carriers bill) 11" in shown
    assert "at your price of 0.0100 USD per segment 0.11 USD E-mails 1" in shown
    [row] = [row for row in read_csv(coordinator.signed_in(member).get(CSV, ALL)) if row["Finished"] == "yes"]
    assert [row[name] for name in ("Texts", "Segments", "Cost of texts", "Currency", "E-mails")] == [
        "7",
        "8",
        "0.0800",
        "USD",
        "1",
    ]


def test_a_cost_that_is_not_known_is_not_guessed() -> None:
    member = ben(sms_price=Decimal(0))
    of, browser = member.organization, coordinator.signed_in(member)
    booking = give(finished(of))
    send(of, booking.about)
    assert "Your price per segment is not set. not known" in text(browser.get(PAGE, ALL))
    Organization.objects.filter(pk=of.pk).update(sms_price=Decimal("0.0100"))
    Message.objects.update(segments=None)  # a text from before its segments were stored
    shown = text(browser.get(PAGE, ALL))
    assert "Segments (what carriers bill) not known" in shown
    assert "per segment not known" in shown
    send(of, booking.about)
    shown = text(browser.get(PAGE, ALL))
    assert "Segments (what carriers bill) 1 " in shown
    assert "0.01 USD E-mails" in shown
    assert "We don’t know the length of 1 text" in shown
    assert read_csv(browser.get(CSV, ALL))[0]["Cost of texts"] == ""


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (date(2027, 3, 1), date(2026, 3, 2)),
        (date(2027, 12, 31), date(2027, 1, 1)),
        (date(2028, 2, 28), date(2027, 3, 1)),
        (date(2028, 2, 29), date(2027, 3, 1)),
        (date(2028, 3, 1), date(2027, 3, 2)),
        (date(2029, 2, 28), date(2028, 3, 1)),
    ],
)
def test_twelve_months_end_with_today(today: date, first: date) -> None:
    assert forms_report.compute_year_before(today) == first


def test_the_periods_are_those_of_the_organizations_zone() -> None:
    for zone, today in (("America/Los_Angeles", "2027-03-01"), ("Pacific/Auckland", "2027-03-02")):
        member = ben(timezone=zone)
        response = coordinator.signed_in(member).get(PAGE)
        assert "Your reports begin with your first published drive." in text(response)
        presets = {one.label: (one.query, one.is_chosen) for one in response.context["form"].presets}
        assert presets["This year"] == ("first_day=2027-01-01&last_day=2027-12-31", False)
        assert presets["All drives"] == ("first_day=&last_day=", False)
        first = date.fromisoformat(today).replace(year=2026) + timedelta(days=1)
        assert presets["Last 12 months and coming drives"] == (f"first_day={first}&last_day=", True)


def test_the_first_report_goes_from_twelve_months_ago_to_the_drives_ahead() -> None:
    member = ben(timezone="America/Los_Angeles")
    for day, title in (
        (date(2026, 3, 1), "A"),
        (date(2026, 3, 2), "B"),
        (date(2027, 3, 1), "C"),
        (date(2027, 3, 2), "D"),
    ):
        drive = finished(member.organization, title=title)
        Drive.objects.filter(pk=drive.pk).update(day=day)
    rows = read_csv(coordinator.signed_in(member).get(CSV))
    assert [row["Drive"] for row in rows] == ["D", "C", "B"]


def test_a_new_organization_sees_its_first_drive_in_its_report() -> None:
    member = ben()
    drive = builders.drive(member.organization, published=False)
    browser = coordinator.signed_in(member)
    assert "Your reports begin with your first published drive." in text(browser.get(PAGE))
    planning_drives.publish_drive(drive_id=drive.pk, actor="user:1", now=NOW)
    shown = text(browser.get(PAGE))
    assert "The figures appear when a drive is over and its turnout is recorded." in shown
    assert "Plasma drive March 13, 2027 · St Mary Hall not finished" in shown
    assert "No drives in this period." in text(browser.get(PAGE, {"first_day": "2020-01-01", "last_day": "2020-01-02"}))


WRONG = [
    ({"first_day": "13.3.2027"}, "Enter a date like 2027-03-14."),
    ({"last_day": "0001-01-01"}, "Enter a date like 2027-03-14."),
    ({"first_day": "2027-03-14", "last_day": "2027-03-13"}, "Enter a date on or after the first one."),
    ({"site": "99999999"}, "Select a valid choice."),
    ({"site": "x"}, "Select a valid choice."),
]


@pytest.mark.parametrize(("query", "sentence"), WRONG)
@pytest.mark.parametrize("address", [PAGE, CSV])
def test_a_wrong_filter_is_explained_and_kept_and_computes_nothing(
    address: str, query: dict[str, str], sentence: str
) -> None:
    member = ben()
    busy(member.organization)
    response = coordinator.signed_in(member).get(address, {**ALL, **query})
    shown, html = text(response), response.content.decode()
    assert (response.status_code, sentence in shown) == (422, True)
    assert ("finished drive" in shown, "<svg role" in html) == (False, False)
    assert all(f'value="{value}"' in html for name, value in query.items() if name != "site")
    assert not AuditEntry.objects.filter(verb="report.exported").exists()


def test_the_same_day_twice_is_a_period() -> None:
    days = {"first_day": "2027-03-13", "last_day": "2027-03-13"}
    assert coordinator.signed_in(ben()).get(PAGE, days).status_code == 200


@pytest.mark.parametrize(("many", "status"), [(2, 200), (3, 422)])
def test_a_report_has_a_limited_number_of_drives(many: int, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_REPORT_DRIVES", 2)
    member = ben()
    for _ in range(many):
        finished(member.organization)
    for address in (PAGE, CSV):
        response = coordinator.signed_in(member).get(address, ALL)
        assert response.status_code == status
        assert ("This period has more than 2 drives." in text(response)) is (status == 422)


def test_a_page_lists_some_drives_and_the_totals_count_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "REPORT_DRIVES_PER_PAGE", 2)
    member = ben()
    for day in range(3):
        give(finished(member.organization, DRIVE_DAY + day * DAY, title=f"Drive {day}"))
    browser = coordinator.signed_in(member)
    first, second = browser.get(PAGE, ALL), browser.get(PAGE, {**ALL, "page": "2"})
    assert ("Drive 2" in text(first), "Drive 0" in text(first), "Drive 0" in text(second)) == (True, False, True)
    assert "3 finished drives" in text(second)
    assert 'href="?first_day=&amp;last_day=&amp;site=&amp;page=2#drives"' in first.content.decode()
    assert len(read_csv(browser.get(CSV, ALL))) == 3
    assert browser.get(PAGE, {**ALL, "page": "nonsense"}).status_code == 200


@pytest.mark.parametrize("role", list(Role))
def test_every_member_sees_the_figures_and_each_download_is_audited(role: str) -> None:
    member = ben(role)
    busy(member.organization)
    browser = coordinator.signed_in(member)
    assert "1 finished drive" in text(browser.get(PAGE, ALL))
    assert not AuditEntry.objects.filter(verb="report.exported").exists()
    assert browser.get(CSV, {**ALL, "first_day": "2027-01-01"}).status_code == 200
    entry = AuditEntry.objects.get(verb="report.exported")
    assert (entry.organization, entry.actor, entry.about) == (member.organization, f"user:{member.user_id}", "reports")
    assert entry.fields == ["first_day"]


@pytest.mark.parametrize("address", [PAGE, CSV])
def test_a_visitor_is_sent_to_sign_in(address: str) -> None:
    assert Client().get(address)["Location"] == f"/accounts/login/?next={address}"
    member = ben()
    assert coordinator.signed_in(member).post(address).status_code == 405
    assert coordinator.signed_in(member).head(CSV).status_code == 405


def test_the_csv_has_one_row_for_each_drive_and_no_formula() -> None:
    member = ben()
    drive = busy(member.organization)
    Drive.objects.filter(pk=drive.pk).update(title={"en": "=SUM(A1)"})
    response = coordinator.signed_in(member).get(CSV, ALL)
    assert response["Content-Disposition"] == f'attachment; filename="report-{member.organization.slug}.csv"'
    assert read_csv(response) == [
        {
            "Date": "2027-03-13",
            "Drive": "'=SUM(A1)",
            "Location": "St Mary Hall, Los Angeles",
            "Status": "Closed",
            "Finished": "yes",
            "Spots": "28",
            "Booked": "10",
            "Cancelled": "2",
            "Came": "8",
            "Walk-ins": "2",
            "Donated": "5",
            "Incomplete": "0",
            "Deferred": "2",
            "Left early": "1",
            "No-show": "2",
            "Fill rate (%)": "29",
            "Show rate (%)": "75",
            "Deferral rate (%)": "25",
            "No-show rate (%)": "25",
            "Came for a first visit": "2",
            "Came for a return visit": "6",
            "Texts": "0",
            "Segments": "0",
            "Cost of texts": "0.0000",
            "Currency": "USD",
            "E-mails": "0",
        }
    ]


def test_the_report_agrees_with_the_turnout_of_each_drive() -> None:
    of = builders.organization()
    drive = busy(of)
    counts = turnout.count_turnout(drive)
    tally = load(of).total.tally
    assert (counts.booked_count, counts.arrived_count, counts.walk_in_count) == (
        tally.booked,
        tally.came,
        tally.walk_ins,
    )
    assert (counts.donated_count, counts.deferred_count, counts.left_count) == (
        tally.donated,
        tally.deferred,
        tally.left,
    )
    assert counts.no_show_count == tally.no_show
    assert counts.cancelled_early_count + counts.cancelled_late_count == tally.cancelled


@pytest.mark.parametrize("address", [PAGE, CSV])
def test_one_drive_and_twenty_take_the_same_number_of_queries(address: str) -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    busy(member.organization)
    browser.get(address, ALL)  # fill the caches

    def drives(many: int) -> Callable[[], object]:
        for _ in range(Drive.objects.count(), many):
            drive = finished(member.organization)
            for source in (Source.ONLINE, Source.COORDINATOR):
                send(member.organization, give(drive, source=source).about)
        return partial(browser.get, address, ALL)

    assert query_counts.count_for_each(drives, (1, 20)) <= 16


def test_the_page_speaks_spanish() -> None:
    member = ben()
    busy(member.organization)
    browser = coordinator.signed_in(member)
    browser.cookies["django_language"] = "es"
    response = browser.get(PAGE, ALL)
    shown = text(response)
    assert "Informes" in shown
    assert "Tasa de asistencia" in shown
    assert "Report" not in shown
    assert '<text class="value" x="100%" y="1.2em" text-anchor="end">4 de 5</text>' in response.content.decode()
    assert next(iter(read_csv(browser.get(CSV, ALL))[0])) == "Fecha"
