"""The list of an organization's people, as a page and as CSV."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from drives.booking import create
from drives.capacity import visit_length
from drives.desk import people_list, rules
from drives.desk.people_list import PeopleFilter
from drives.domain import grid
from drives.models import Booking, BookingState, Drive, Source, Visit
from notifications import consents
from organizations.models import AuditEntry, Membership, Role
from tests import builders, query_counts
from tests.builders import DRIVE_DAY, NOW
from tests.drives import coordinator
from tests.drives.donor import text
from volunteers import registration
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
DAY = timedelta(days=1)
PAGE, CSV = "/organizer/people/", "/organizer/people.csv"


def ben(role: str = Role.OWNER) -> Membership:
    return builders.member(builders.organization(), role)


def enter(member: Membership, name: str, number: int = 42, **contacts: str) -> Volunteer:
    typed = {"phone": builders.phone(number), **contacts}
    return registration.enter_volunteer(organization=member.organization, name=name, actor="user:1", now=NOW, **typed)


def give(drive: Drive, person: Volunteer, state: str = BookingState.DONATED) -> Booking:
    slot = builders.slot(drive)
    shape = visit_length.compute_visit_shape(drive, Visit.RETURN)
    return Booking.objects.create(
        **Booking.build_link_fields(),
        **create.build_footprint_fields(grid.compute_footprint(0, shape)),
        reference=create.generate_reference(),
        drive=drive,
        volunteer=person,
        arrival=slot,
        starts_at=slot.starts_at,
        visit=Visit.RETURN,
        state=state,
        source=Source.COORDINATOR,
        is_counted=state != BookingState.CANCELLED,
        cancelled_at=NOW if state == BookingState.CANCELLED else None,
        created_at=NOW,
        changed_at=NOW,
    )


def list_names(member: Membership, **query: Any) -> list[str]:
    response = coordinator.signed_in(member).get(PAGE, query)
    assert response.status_code == 200, text(response)
    return [row.person.name for row in response.context["rows"]]


def read_csv(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))


def three_donors(member: Membership) -> dict[str, Volunteer]:
    """Create three donors: Ana has donated twice, Bo came once and was deferred, and Ida has no visit yet."""
    lax = builders.lax()
    march, april = (
        builders.drive(member.organization, day=DRIVE_DAY + days * DAY, policy_id=lax.pk) for days in (0, 30)
    )
    people = {name: enter(member, f"Test {name}", number) for number, name in enumerate(("Ana", "Bo", "Ida"), start=1)}
    give(march, people["Ana"])
    give(april, people["Ana"])
    give(march, people["Bo"], BookingState.DEFERRED)
    give(march, people["Ida"], BookingState.NO_SHOW)
    give(april, people["Ida"], BookingState.CANCELLED)
    return people


def test_the_list_leads_to_each_person() -> None:
    member = ben()
    people = three_donors(member)
    enter(ben(), "Test Cleo")
    response = coordinator.signed_in(member).get(PAGE)
    shown = text(response)
    assert "3 people" in shown
    assert "Test Ana (201) 555-0101 Last visit 04/12/2027 April 12, 2027 – 2" in shown
    assert "Test Ida (201) 555-0103 no visit yet no visit yet – 0" in shown
    assert "Cleo" not in shown
    for person in people.values():
        assert f'href="{reverse("organizer_person", args=[person.pk])}"' in response.content.decode()


def test_the_navigation_marks_the_page() -> None:
    browser = coordinator.signed_in(ben())
    assert 'href="/organizer/people/" aria-current="true"' in browser.get(PAGE).content.decode()
    assert 'href="/organizer/people/">People' in browser.get("/organizer/").content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Ana", "Bo", "Ida"]),
        ({"q": "ANÁ"}, ["Ana"]),
        ({"q": "555-0102"}, ["Bo"]),
        ({"q": "—"}, []),
        ({"history": "never_came"}, ["Ida"]),
        ({"history": "first_time"}, ["Bo", "Ida"]),
        ({"history": "return"}, ["Ana"]),
        ({"visited_from": "2027-04-12"}, ["Ana"]),
        ({"visited_from": "2027-04-13"}, []),
        ({"visited_until": "2027-03-12"}, []),
        ({"visited_until": "2027-03-13"}, ["Bo"]),
        ({"visited_until": "2027-04-11"}, ["Bo"]),
        ({"visited_until": "2027-04-12"}, ["Ana", "Bo"]),
        ({"visited_from": "2027-03-13", "visited_until": "2027-03-13"}, ["Bo"]),
        ({"history": "first_time", "q": "test", "visited_from": "2027-03-13"}, ["Bo"]),
        ({"sort": "name"}, ["Ana", "Bo", "Ida"]),
        ({"sort": "newest_visit"}, ["Ana", "Bo", "Ida"]),
        ({"sort": "oldest_visit"}, ["Bo", "Ana", "Ida"]),
        ({"sort": "donations"}, ["Ana", "Bo", "Ida"]),
        ({"sort": "oldest_visit", "history": "first_time"}, ["Bo", "Ida"]),
    ],
)
def test_people_are_searched_filtered_and_sorted(query: dict[str, str], expected: list[str]) -> None:
    member = ben()
    three_donors(member)
    assert list_names(member, **query) == [f"Test {name}" for name in expected]


def test_accents_and_capitals_do_not_change_the_order() -> None:
    member = ben()
    for number, name in enumerate(("Zoe Zed", "Ángel Alder", "anna birch", "Bea Cedar")):
        enter(member, name, number)
    assert list_names(member) == ["Ángel Alder", "anna birch", "Bea Cedar", "Zoe Zed"]


def test_an_erased_person_is_not_listed() -> None:
    member = ben()
    person = enter(member, "Test Ana")
    Volunteer.objects.filter(pk=person.pk).update(erased_at=NOW)
    assert list_names(member) == []
    assert "People appear here when they book" in text(coordinator.signed_in(member).get(PAGE))


def test_the_language_of_people_is_a_filter() -> None:
    member = ben()
    three_donors(member)
    Volunteer.objects.filter(name="Test Bo").update(language="es")
    assert list_names(member, language="es") == ["Test Bo"]


def test_consent_counts_as_the_newest_entry_says_and_ends_with_a_stop() -> None:
    member = ben()
    of = member.organization
    for number, name in enumerate(("Ana", "Bo", "Ida", "Uma"), start=1):
        enter(member, f"Test {name}", number, email=f"{name.lower()}@example.org")
    builders.agreed(of, builders.phone(1), "news", "reminders")
    builders.agreed(of, builders.phone(2), "news")
    builders.agreed(of, builders.phone(2), "news", given=False, now=NOW + DAY)
    builders.agreed(of, "ida@example.org", "news")
    builders.agreed(of, builders.phone(4), "news")
    assert list_names(member, consent="news") == ["Test Ana", "Test Ida", "Test Uma"]
    assert list_names(member, consent="reminders") == ["Test Ana"]
    consents.suppress_address(sender=of.senders.get(), address=builders.phone(4), now=NOW + DAY)
    builders.agreed(of, builders.phone(4), "news", now=NOW + 2 * DAY)  # typed on paper after the STOP
    assert list_names(member, consent="news") == ["Test Ana", "Test Ida"]
    shown = text(coordinator.signed_in(member).get(PAGE))
    assert "Reminders, News" in shown
    assert [row[-2:] for row in read_csv(coordinator.signed_in(member).get(CSV))[1:]] == [
        ["yes", "yes"],
        ["no", "no"],
        ["no", "yes"],
        ["no", "no"],
    ]


def test_a_stop_of_an_erased_person_counts_when_they_come_back() -> None:
    member = ben()
    of = member.organization
    person = enter(member, "Test Ana")
    assert person.phone is not None
    builders.agreed(of, person.phone.address, "news")
    assert list_names(member, consent="news") == ["Test Ana"]
    consents.suppress_address(sender=of.senders.get(), address=person.phone.identity, now=NOW)
    assert list_names(member, consent="news") == []


@pytest.mark.parametrize(("days", "expected"), [(27, ["Test Bo"]), (28, ["Test Ana", "Test Bo"])])
def test_who_may_donate_on_a_date_follows_the_rules_of_a_booking(days: int, expected: list[str]) -> None:
    member = ben()
    policy = builders.policy(name="28 days", min_hours=None, min_days=28, windows=[])
    drive = builders.drive(member.organization, policy_id=policy.pk)
    give(drive, enter(member, "Test Ana", 1))
    give(drive, enter(member, "Test Bo", 2), BookingState.DEFERRED)
    day = DRIVE_DAY + days * DAY
    assert list_names(member, eligible_on=day.isoformat()) == expected
    shown = text(coordinator.signed_in(member).get(PAGE, {"eligible_on": day.isoformat()}))
    assert (
        "We check the time between donations using the rules for your drive “Plasma drive” on March 13, 2027 (28 days)."
        in shown
    )


@pytest.mark.parametrize(
    ("day", "status"), [("2027-02-28", 422), ("2027-03-01", 200), ("2028-03-01", 200), ("2028-03-02", 422)]
)
def test_the_date_to_donate_is_at_most_a_year_ahead(day: str, status: int) -> None:
    member = ben()
    three_donors(member)
    assert coordinator.signed_in(member).get(PAGE, {"eligible_on": day}).status_code == status


def test_without_a_drive_there_are_no_rules_for_a_date() -> None:
    shown = text(coordinator.signed_in(ben()).get(PAGE, {"eligible_on": "2027-03-13"}))
    assert "Plan a drive first." in shown


WRONG = [
    ({"visited_from": "13.3.2027"}, "Enter a date like 2027-03-14."),
    ({"visited_until": "0001-01-01"}, "Enter a date like 2027-03-14."),
    ({"visited_from": "9999-12-31"}, "Enter a date like 2027-03-14."),
    ({"visited_from": "2027-03-14", "visited_until": "2027-03-13"}, "Enter a date on or after the first one."),
    ({"eligible_on": "2020-01-01"}, "Enter a date from today to a year from now."),
    ({"consent": "everything"}, "Select a valid choice."),
]


@pytest.mark.parametrize(("query", "sentence"), WRONG)
def test_a_wrong_filter_is_explained_and_kept_and_shows_no_people(query: dict[str, str], sentence: str) -> None:
    member = ben()
    three_donors(member)
    for address in (PAGE, CSV):
        response = coordinator.signed_in(member).get(address, {"q": "tést", **query})
        assert (response.status_code, sentence in text(response)) == (422, True)
        assert "Test Ana" not in text(response)
        assert 'value="tést"' in response.content.decode()
        assert "<details open>" in response.content.decode()
        if "consent" not in query:
            assert all(f'value="{value}"' in response.content.decode() for value in query.values())
    assert not AuditEntry.objects.filter(verb="exported").exists()


@pytest.mark.parametrize("query", [{"q": "x" * 500}, {"page": "nonsense"}, {"page": "-1"}, {"page": "99"}])
def test_nonsense_in_the_address_is_no_error(query: dict[str, str]) -> None:
    assert coordinator.signed_in(ben()).get(PAGE, query).status_code == 200


def test_a_page_has_fifty_people_and_keeps_the_filters() -> None:
    member = ben()
    for number in range(rules.PEOPLE_PER_PAGE):
        enter(member, f"Test {number:02}", number)
    browser = coordinator.signed_in(member)
    assert "Page 1" not in text(browser.get(PAGE))
    enter(member, "Test 50", 50)
    first = browser.get(PAGE, {"q": "test", "sort": "donations"})
    assert "Page 1 of 2" in text(first)
    assert 'href="?q=test&amp;sort=donations&amp;page=2"' in first.content.decode()
    assert list_names(member, q="test", page="2") == ["Test 50"]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CHECK_IN, Role.COORDINATOR, Role.OWNER])
def test_only_owners_and_coordinators_download_the_list(role: str) -> None:
    member = ben(role)
    enter(member, "Test Ana")
    browser, may = coordinator.signed_in(member), role in (Role.COORDINATOR, Role.OWNER)
    assert browser.get(CSV).status_code == (200 if may else 403)
    assert ("Download CSV" in text(browser.get(PAGE))) is may
    assert AuditEntry.objects.filter(verb="exported").exists() is may


def test_a_viewer_can_neither_see_nor_guess_a_contact() -> None:
    member = ben(Role.VIEWER)
    enter(member, "Test Ana", email="ana.alder@example.org")
    assert "Test Ana …42 · a…@example.org" in text(coordinator.signed_in(member).get(PAGE))
    assert [list_names(member, q=typed) for typed in ("0142", "555", "alder", "example")] == [[]] * 4
    assert list_names(member, q="ana") == ["Test Ana"]


def test_the_csv_has_the_filtered_people_in_order_and_no_formula() -> None:
    member = ben()
    people = three_donors(member)
    Volunteer.objects.filter(pk=people["Bo"].pk).update(name="=SUM(A1)", folded_name="test bo")
    response = coordinator.signed_in(member).get(CSV, {"visited_from": "2027-03-13", "sort": "oldest_visit"})
    assert response["Content-Disposition"] == f'attachment; filename="people-{member.organization.slug}.csv"'
    assert response.content.startswith("\ufeff".encode())
    assert read_csv(response) == [
        ["Name", "Phone", "E-mail", "Language", "Last visit", "Donations", "Reminders", "News"],
        ["'=SUM(A1)", "(201) 555-0102", "", "en", "2027-03-13", "0", "no", "no"],
        ["Test Ana", "(201) 555-0101", "", "en", "2027-04-12", "2", "no", "no"],
    ]
    entry = AuditEntry.objects.get(verb="exported")
    assert (entry.about, entry.actor, entry.fields) == ("people", f"user:{member.user_id}", ["visited_from", "sort"])


def test_the_csv_is_complete_over_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "PEOPLE_PER_BATCH", 2)
    member = ben()
    for number in range(5):
        enter(member, f"Test {number}", number)
    rows = read_csv(coordinator.signed_in(member).get(CSV))
    assert [row[0] for row in rows[1:]] == [f"Test {number}" for number in range(5)]


@pytest.mark.parametrize("address", [PAGE, CSV])
def test_a_visitor_is_sent_to_sign_in(address: str) -> None:
    assert Client().get(address)["Location"] == f"/accounts/login/?next={address}"
    assert Client().post(address).status_code in {302, 405}


ALL_FILTERS = {
    "q": "test",
    "history": "return",
    "eligible_on": "2027-09-01",
    "visited_from": "2027-01-01",
    "visited_until": "2027-12-31",
    "consent": "news",
    "language": "en",
}


@pytest.mark.parametrize("query", [{}, {"sort": "newest_visit"}, {"sort": "donations", **ALL_FILTERS}])
@pytest.mark.parametrize("address", [PAGE, CSV])
@pytest.mark.parametrize("many", [3, 60])
def test_one_person_and_many_take_the_same_number_of_queries(address: str, query: dict[str, str], many: int) -> None:
    member = ben()
    drive, browser = builders.drive(member.organization), coordinator.signed_in(member)

    def donors(people: int) -> Callable[[], object]:
        for number in range(drive.bookings.count(), people):
            give(drive, enter(member, f"Test {number}", number))
            builders.agreed(member.organization, builders.phone(number), "news")
        browser.get(address, query)
        return partial(browser.get, address, query)

    query_counts.count_for_each(donors, (1, many))


def test_the_default_order_reads_an_index_and_sorts_nothing() -> None:
    """With many rows, PostgreSQL finds the first page of names without reading all of them."""
    member = ben()
    people = people_list.filter_people(member.organization, PeopleFilter(), rules_drive=None, by_contact=True)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_sort = off")  # a sort that no index replaces is in the plan anyway
    plan = people.values_list("pk", flat=True)[:50].explain()
    assert "volunteer_by_folded_name" in plan
    assert "Sort" not in plan
