"""The pages of an import: upload, columns, preview, progress, result, list."""

import csv
import io
from functools import partial
from typing import Any

import pytest
from django.test import Client

from drives.imports import columns, csv_reader, rules
from drives.models import Import, ImportState
from organizations.models import AuditEntry, Membership, Role
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives import coordinator
from tests.drives.donor import text
from tests.drives.imports import made
from tests.drives.imports.made import LIST, TYPED_PROOF, UPLOAD, file_of
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]
ANA = builders.phone(42)


def ben(role: str = Role.OWNER) -> Membership:
    return builders.member(builders.organization(), role)


def page_of(one: Import, part: str = "") -> str:
    return f"/organizer/imports/{one.pk}/{part}"


def match(browser: Client, one: Import, **changes: Any) -> Any:
    return browser.post(page_of(one, "columns/"), {**one.columns, **TYPED_PROOF, **changes})


def list_verbs(member: Membership) -> list[str]:
    rows = AuditEntry.objects.filter(organization=member.organization, actor=f"user:{member.user.pk}")
    return list(rows.order_by("pk").values_list("verb", flat=True))


def test_the_questions_about_proof_say_when_they_are_needed() -> None:
    member = ben()
    one = made.upload(member.organization, file_of("Test Ana,213 555 0142,,,yes,,"))
    page = coordinator.signed_in(member).get(page_of(one, "columns/"))
    assert "We need these answers if you choose a column for reminders or news." in text(page)
    assert "(optional)" not in text(page)


def test_a_coordinator_imports_a_file() -> None:
    member = ben(Role.COORDINATOR)
    browser = coordinator.signed_in(member)
    sent = made.send(browser, file_of(f"Test Ana,{ANA},,,yes,no,", "Test Bo,2.13556E+09,,,,,"))
    one = Import.objects.get()
    assert (sent.status_code, sent["Location"]) == (302, page_of(one))
    assert browser.get(page_of(one))["Location"] == page_of(one, "columns/")
    shown = text(browser.get(page_of(one, "columns/")))
    assert "people.csv: 2 rows" in shown
    assert "B: Phone +12015550142 · 2.13556E+09" in shown
    assert match(browser, one)["Location"] == page_of(one)
    assert "Checking the file 0 of 2 rows" in text(browser.get(page_of(one)))
    made.work()
    shown = text(browser.get(page_of(one)))
    assert "New people 1 Already in your list 0 With errors 1 All rows 2" in shown
    assert "3 Phone: 2.13556E+09 Your spreadsheet app has rounded this phone number" in shown
    assert "2 Test Ana (201) 555-0142" in shown
    refused = browser.post(page_of(one, "start/"), {"error_count": "1"})
    assert refused.status_code == 422
    assert "Some rows have errors." in text(refused)
    assert browser.post(page_of(one, "start/"), {"error_count": "1", "leaves_out": "on"})["Location"] == page_of(one)
    assert "Importing 0 of 1 row" in text(browser.get(page_of(one)))
    made.work()
    shown = text(browser.get(page_of(one)))
    assert "1 person added" in shown
    assert "Left out because of errors 1" in shown
    assert "Agreements recorded (one for each phone number or e-mail address) 1" in shown
    assert Volunteer.objects.get().name == "Test Ana"
    assert list_verbs(member) == ["uploaded_file", "started_import", "imported"]


def test_the_sample_file_can_be_imported_in_both_languages() -> None:
    for language in ("en", "es"):
        member = ben()
        browser = coordinator.signed_in(member)
        browser.cookies["django_language"] = language
        sample = browser.get("/organizer/imports/people/sample.csv")
        assert sample.status_code == 200
        made.send(browser, sample.content)
        one = Import.objects.get(organization=member.organization)
        assert match(browser, one).status_code == 302
        made.work()
        one = made.fresh(one)
        # Numbers with 555-01xx in the area 213 are reserved, but valid.
        assert (one.state, one.new_count, one.error_count) == (ImportState.CHECKED, 3, 0)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CHECK_IN])
def test_other_members_import_nothing(role: str) -> None:
    member = ben()
    one = made.checked(member.organization, made.people_file(1))
    browser = coordinator.signed_in(builders.member(member.organization, role))
    pages = [LIST, UPLOAD, f"{UPLOAD}sample.csv", page_of(one), page_of(one, "columns/"), page_of(one, "errors.csv")]
    assert [browser.get(page).status_code for page in pages] == [403] * len(pages)
    posts = [UPLOAD, page_of(one, "columns/"), page_of(one, "start/"), page_of(one, "discard/")]
    assert [browser.post(page).status_code for page in posts] == [403] * len(posts)
    assert made.fresh(one).state == ImportState.CHECKED
    assert "Import people" not in text(browser.get("/organizer/people/"))


def test_another_organization_finds_nothing() -> None:
    one = made.checked(ben().organization, made.people_file(1))
    cleo = coordinator.signed_in(ben())
    gets = [page_of(one), page_of(one, "columns/"), page_of(one, "errors.csv")]
    assert [cleo.get(page).status_code for page in gets] == [404] * 3
    posts = [page_of(one, "columns/"), page_of(one, "start/"), page_of(one, "discard/")]
    assert [cleo.post(page, {"error_count": "0"}).status_code for page in posts] == [404] * 3
    assert made.fresh(one).state == ImportState.CHECKED
    assert "No imports yet." in text(cleo.get(LIST))


def test_no_get_changes_an_import() -> None:
    member = ben()
    one = made.checked(member.organization, made.people_file(1))
    browser = coordinator.signed_in(member)
    before = Import.objects.filter(pk=one.pk).values().get()
    assert [browser.get(page_of(one, part)).status_code for part in ("", "columns/")] == [200, 200]
    assert [browser.get(page_of(one, part)).status_code for part in ("start/", "discard/")] == [405, 405]
    assert Import.objects.filter(pk=one.pk).values().get() == before


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "This file is empty. Choose another one."),
        (b"PK\x03\x04", "This file is a workbook."),
        (b"Name,Phone\n", "This file has no rows below the column names."),
        (b"x" * (rules.MAX_BYTES + 1), "Choose a file of at most 8 MB."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(content: bytes, sentence: str) -> None:
    response = made.send(coordinator.signed_in(ben()), content)
    assert response.status_code == 422
    assert sentence in text(response)
    assert not Import.objects.exists()


def test_a_form_without_a_file_is_refused() -> None:
    response = coordinator.signed_in(ben()).post(UPLOAD)
    assert response.status_code == 422
    assert "Choose a file." in text(response)


@pytest.mark.parametrize("size", [rules.MAX_ROWS, rules.MAX_ROWS + 1])
def test_fifty_thousand_rows_are_taken(size: int) -> None:
    content = b"Name,Phone\n" + b"A,1\n" * size
    if size > rules.MAX_ROWS:
        with pytest.raises(Exception, match="more than 50,000 rows"):
            csv_reader.read_sheet(content, columns.count_names)
    else:
        assert len(csv_reader.read_sheet(content, columns.count_names).rows) == 50_000


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Choose the column with the names."),
        ({"phone": "", "email": ""}, "Choose the column with the phone numbers, or the one with the e-mail addresses."),
        ({"email": "1"}, "You have chosen this column twice."),
        ({"email": "99"}, "Select a valid choice."),
        ({"consent_wording": ""}, "Enter what these people agreed to, in the words they saw."),
        ({"consent_source": " "}, "Enter where these people agreed."),
        ({"consented_on_all": "2027-03-02"}, "This day is in the future."),
        ({"consented_on_all": "", "consented_on": ""}, "Enter when they agreed, or choose the column with the dates."),
        ({"consent_wording": "x" * 2001}, "at most 2000 characters"),
    ],
)
def test_columns_are_refused_with_what_was_typed(changes: dict[str, str], sentence: str) -> None:
    member = ben()
    one = made.upload(member.organization, made.people_file(1))
    response = match(coordinator.signed_in(member), one, **changes)
    assert response.status_code == 422
    assert sentence in text(response)
    assert "Error: Match the columns" in response.content.decode()
    for name, typed in TYPED_PROOF.items():
        assert name in changes or typed in response.content.decode()
    assert made.fresh(one).state == ImportState.UPLOADED


@pytest.mark.parametrize(
    "changes",
    [
        {"reminders": "", "news": "", "consent_wording": "", "consent_source": "", "consented_on_all": ""},
        {"consented_on_all": ""},
        {"consented_on": "", "consented_on_all": "2027-03-01"},
        {"name": "", "first_name": "0"},
        {"phone": ""},
        {"email": ""},
        {"consent_wording": "x" * 2000},
    ],
)
def test_columns_may_be_left_out(changes: dict[str, str]) -> None:
    member = ben()
    one = made.upload(member.organization, made.people_file(1))
    assert match(coordinator.signed_in(member), one, **changes).status_code == 302
    assert made.fresh(one).state == ImportState.CHECKING
    assert bool(made.fresh(one).consent_wording) == (changes.get("reminders") != "")


def test_errors_are_paged_and_downloaded_without_formulas() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    lines = [f"Test Person {n},{n},,,,," for n in range(rules.ERRORS_PER_PAGE)]
    one = made.checked(member.organization, file_of(*lines, "=Test(1),=1+1,,,,,"))
    pages = [browser.get(page_of(one), {"page": page}) for page in (1, 2)]
    assert [len(page.context["error_lines"]) for page in pages] == [rules.ERRORS_PER_PAGE, 1]
    assert "Page 1 of 2" in text(pages[0])
    response = browser.get(page_of(one, "errors.csv"))
    rows = list(csv.reader(io.StringIO(response.content.decode("utf-8-sig"))))
    assert len(rows) == rules.ERRORS_PER_PAGE + 2
    assert rows[0] == ["Row", "Column", "Cell", "What to do"]
    assert rows[-1][:3] == [str(rules.ERRORS_PER_PAGE + 2), "Phone", "'=1+1"]
    assert list_verbs(member) == ["exported"]


def test_a_file_is_discarded() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    one = made.checked(member.organization, made.people_file(1))
    response = browser.post(page_of(one, "discard/"), follow=True)
    assert "Discarded. We deleted the file, and nothing was imported." in text(response)
    assert "This import was discarded." in text(browser.get(page_of(one)))
    assert browser.get(page_of(one, "columns/"))["Location"] == page_of(one)


def test_a_stale_form_starts_nothing() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    one = made.checked(member.organization, file_of(f"Test Ana,{ANA},,,,,", "Test Bo,1,,,,,"))
    for posted in ({}, {"error_count": "0", "leaves_out": "on"}, {"error_count": "x"}, {"error_count": "-1"}):
        assert browser.post(page_of(one, "start/"), posted).status_code == 422
    assert browser.post(page_of(one, "start/"), {"error_count": "1", "leaves_out": "maybe"}).status_code == 422
    assert made.fresh(one).state == ImportState.CHECKED


def test_the_progress_refreshes_itself_only_while_a_worker_is_busy() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    one = made.upload(member.organization, made.people_file(1))
    match(browser, one)
    running = browser.get(page_of(one)).content.decode()
    assert 'data-hx-trigger="every 2s"' in running
    assert "Reload this page" in running
    assert '<meter class="meter" min="0" max="1" value="0"' in running
    made.work()
    assert "data-hx-trigger" not in browser.get(page_of(one)).content.decode()


def test_the_list_shows_each_import_with_its_member_and_counts() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    made.send(browser, made.people_file(2))
    made.finished(member.organization, file_of(f"Test Ana,{ANA},,,,,", "Test Bo,1,,,,,"))
    shown = text(browser.get(LIST))
    assert "people.csv Columns not matched yet" in shown
    assert f"{member.user.email} 2 0 0" in shown
    assert " 2 1 1" in shown
    assert f'href="{UPLOAD}"' in browser.get("/organizer/people/").content.decode()


def test_pages_take_the_same_statements_for_any_number_of_rows() -> None:
    def prepare_page(count: int) -> query_counts.Act:
        member = ben()
        lines = [f"Test Person {n},{builders.phone(n)},,,,," for n in range(count)]
        one = made.checked(member.organization, file_of(*lines, *(f"Test Bad {n},1,,,,," for n in range(count))))
        browser = coordinator.signed_in(member)
        return lambda: browser.get(page_of(one))

    def prepare_list(count: int) -> query_counts.Act:
        member = ben()
        for n in range(count):
            made.upload(member.organization, made.people_file(n + 1))
        browser = coordinator.signed_in(member)
        return lambda: browser.get(LIST)

    coordinator.signed_in(ben()).get(LIST)
    assert query_counts.count_for_each(prepare_page) <= 20
    assert query_counts.count_for_each(prepare_list) <= 15


def test_pages_do_not_load_the_file() -> None:
    member = ben()
    browser = coordinator.signed_in(member)
    one = made.checked(member.organization, made.people_file(1))
    for address in (LIST, page_of(one)):
        statements = query_counts.statements_of(partial(browser.get, address))
        assert not [sql for sql in statements if '"content"' in sql]


@pytest.mark.parametrize(
    ("own", "at", "zone"),
    [
        ("America/New_York", "03/01/2027 1:00 PM", "Eastern Time"),
        ("", "03/01/2027 10:00 AM", "Pacific Time"),  # the zone of the only site
    ],
)
def test_the_pages_of_imports_say_in_which_zone_their_times_are(own: str, at: str, zone: str) -> None:
    member = builders.member(builders.organization(timezone=own))
    builders.site(member.organization, "America/Los_Angeles")
    one = made.checked(member.organization, made.people_file(1))
    browser = coordinator.signed_in(member)
    assert at in text(browser.get(LIST))
    assert f"Times are in {zone}." in text(browser.get(LIST))
    assert f"{at} {zone}, by" in text(browser.get(page_of(one)))
