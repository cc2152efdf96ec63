"""Either all people in a file are imported or none. Known people are matched.

Without proof of their consent, imported people get no texts.
"""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from drives.imports import retention, rules, run, uploads
from drives.imports.write import PeopleWrite
from drives.models import Import, ImportRow, ImportState
from notifications import consents as notifications_consents
from notifications import queries as notifications_queries
from notifications.models import ConsentEntry, Message
from organizations.models import AuditEntry
from tests import builders, query_counts
from tests.builders import NOW
from tests.drives.imports import made
from tests.drives.imports.made import file_of, list_codes
from volunteers import registration
from volunteers import rules as volunteers_rules
from volunteers.models import Contact, Volunteer

pytestmark = pytest.mark.django_db
ANA, BO = builders.phone(42), builders.phone(43)


def enter(owner: Any, name: str, **typed: str) -> Volunteer:
    return registration.enter_volunteer(organization=owner, name=name, actor="user:0", now=NOW, **typed)


def list_people(owner: Any) -> list[tuple[str, str, str]]:
    people = Volunteer.objects.of(owner).select_related("phone", "email").order_by("name", "pk")
    return [
        (one.name, one.phone.address if one.phone else "", one.email.address if one.email else "") for one in people
    ]


def consents_of(owner: Any) -> list[tuple[str, str, bool]]:
    rows = ConsentEntry.objects.filter(organization=owner).order_by("pk")
    return [(row.address, row.purpose, row.given) for row in rows]


def test_a_file_becomes_people_with_contacts_and_languages() -> None:
    owner = builders.organization()
    lines = f"Test Ana,{ANA},Ana@Example.org,Español,,,", f"Test Bo,({BO[2:5]}) {BO[5:8]}-{BO[8:]},#N/A,,,,"
    done = made.finished(owner, file_of(*lines))
    assert done.state == ImportState.FINISHED
    assert list_people(owner) == [("Test Ana", ANA, "ana@example.org"), ("Test Bo", BO, "")]
    assert [one.language for one in Volunteer.objects.of(owner).order_by("name")] == ["es", owner.language]
    assert {contact.owner and contact.owner.name for contact in Contact.objects.of(owner)} == {"Test Ana", "Test Bo"}
    assert not Contact.objects.of(owner).exclude(verified_at=None).exists()
    assert (done.added_count, done.known_count, done.error_count, done.blank_count) == (2, 0, 0, 1)


def test_nothing_is_stored_before_the_start() -> None:
    owner = builders.organization()
    ready = made.checked(owner, made.people_file(3))
    assert (ready.state, ready.new_count) == (ImportState.CHECKED, 3)
    assert list_people(owner) == []
    assert not ConsentEntry.objects.exists()


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        (f",{ANA},,,,,", [("name", "name_missing")]),
        (f"{'x' * 121},{ANA},,,,,", [("name", "name_too_long")]),
        (f"Test www.example.org,{ANA},,,,,", [("name", "name_has_link")]),
        ("Test Ana,,,,,,", [("phone", "contact_missing")]),
        ("Test Ana,#N/A,NULL,,,,", [("phone", "contact_missing")]),
        ("Test Ana,2.13556E+09,,,,,", [("phone", "phone_scientific")]),
        ("Test Ana,555 0142,,,,,", [("phone", "phone_invalid")]),
        ("Test Ana,,ana@,,,,", [("email", "email_invalid")]),
        (f"Test Ana,{ANA},,Klingon,,,", [("language", "language_unknown")]),
        (f"Test Ana,{ANA},,,maybe,,", [("reminders", "answer_unknown")]),
        (f"Test Ana,{ANA},,,yes,,3/4/2026", [("consented_on", "date_ambiguous")]),
        (f"Test Ana,{ANA},,,yes,,someday", [("consented_on", "date_invalid")]),
        (f"Test Ana,{ANA},,,yes,,2027-03-02", [("consented_on", "date_future")]),
        (f"Test Ana,{ANA},,,yes,,2027-03-01", []),
        (f"Test Ana,{ANA},,,no,,someday", []),  # without consent, no date is needed
        (f"Alder, Ana,{ANA},,,,,x", [("", "cells_extra")]),
        (",1,x,,,,", [("name", "name_missing"), ("phone", "phone_invalid"), ("email", "email_invalid")]),
    ],
)
def test_errors_name_the_row_the_field_and_the_reason(line: str, problems: list[tuple[str, str]]) -> None:
    ready = made.checked(builders.organization(), file_of(f"Test Bo,{BO},,,,,", "", line))
    assert list_codes(ready) == [(4, field, code) for field, code in problems]
    assert ready.error_count == bool(problems)


def test_a_file_with_errors_is_imported_only_without_exactly_these_rows() -> None:
    owner = builders.organization()
    ready = made.checked(owner, file_of(f"Test Ana,{ANA},,,,,", "Test Bo,12,,,,,", "Test Cy,13,,,,,"))
    for count in (0, 1, 3):
        with pytest.raises(ValidationError) as caught:
            uploads.start_import(import_id=ready.pk, left_out_count=count, actor="user:0", now=NOW)
        assert caught.value.code == "rows_have_errors"
        assert made.work() == 0
    assert list_people(owner) == []
    uploads.start_import(import_id=ready.pk, left_out_count=2, actor="user:0", now=NOW)
    made.work()
    assert list_people(owner) == [("Test Ana", ANA, "")]
    assert [row.number for row in made.fresh(ready).rows.order_by("number")] == [3, 4]  # still there to download


def test_a_file_without_a_good_row_is_not_imported() -> None:
    ready = made.checked(builders.organization(), file_of("Test Ana,1,,,,,"))
    with pytest.raises(ValidationError) as caught:
        uploads.start_import(import_id=ready.pk, left_out_count=1, actor="user:0", now=NOW)
    assert caught.value.code == "no_rows"


def test_the_same_file_again_adds_nothing() -> None:
    owner = builders.organization()
    content = made.people_file(5)
    made.finished(owner, content)
    before, ledger = list_people(owner), consents_of(owner)
    again = made.finished(owner, content, NOW + timedelta(minutes=1))
    assert (again.added_count, again.known_count, again.consent_count) == (0, 5, 0)
    assert list_people(owner) == before
    assert consents_of(owner) == ledger


def test_the_same_file_sent_twice_is_one_import() -> None:
    owner = builders.organization()
    content = made.people_file(1)
    first = made.upload(owner, content)
    assert made.upload(owner, content, NOW + timedelta(seconds=1)).pk == first.pk
    assert made.upload(builders.organization(), content).pk != first.pk
    assert AuditEntry.objects.filter(organization=owner, verb="uploaded_file").count() == 1


def test_a_second_start_changes_nothing() -> None:
    owner = builders.organization()
    ready = made.checked(owner, made.people_file(2))
    for _ in range(2):
        uploads.start_import(import_id=ready.pk, left_out_count=0, actor="user:0", now=NOW)
    made.work()
    uploads.start_import(import_id=ready.pk, left_out_count=0, actor="user:0", now=NOW)
    assert made.work() == 0
    assert len(list_people(owner)) == 2
    verbs = AuditEntry.objects.filter(organization=owner).order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["uploaded_file", "started_import", "imported"]


def test_known_people_keep_their_name_and_contacts_and_get_a_missing_contact() -> None:
    owner = builders.organization()
    ana = enter(owner, "Test Ana Alder", phone=ANA, language="es")
    line = f"Test Anna Alder,{ANA},ana@example.org,English,,,"
    done = made.finished(owner, file_of(line))
    ana.refresh_from_db()
    assert (ana.name, ana.language) == ("Test Ana Alder", "es")
    assert list_people(owner) == [("Test Ana Alder", ANA, "ana@example.org")]
    assert (done.added_count, done.known_count) == (0, 1)
    made.finished(owner, file_of(f"Test Ana Alder,{ANA},other@example.org,,,,"))
    assert list_people(owner) == [("Test Ana Alder", ANA, "ana@example.org")]


def test_a_family_shares_a_phone_and_a_person_in_two_rows_is_one() -> None:
    owner = builders.organization()
    lines = (f"Test Ana Alder,{ANA},,,,,", f"Test Bo Birch,{ANA},,,,,", f"Test Ana Alder,{ANA},ana@example.org,,,,")
    done = made.finished(owner, file_of(*lines))
    assert list_people(owner) == [("Test Ana Alder", ANA, "ana@example.org"), ("Test Bo Birch", ANA, "")]
    assert (done.added_count, done.new_count, done.repeated_count) == (2, 2, 1)
    assert Contact.objects.get(address=ANA).owner == Volunteer.objects.get(name="Test Ana Alder")


@pytest.mark.parametrize(
    "rows",
    [
        ["Test Ana Alder|42|a", "Test Bo Birch|42|b", "Test Cy Cole|43|a", "Test Ana Alder|44|a"],
        ["Test Ana Alder|42|", "A. Alder|42|a", "Test Bo Birch||a", "Test Bo Birch|42|a"],
        ["Test Ana Alder|42|a", "Test Bo Birch|43|b", "Test Cy Cole|42|b", "Test Cy Cole|43|a"],
        ["Test Ana Alder Jr|42|", "Test Ana Alder Sr|42|", "Test Ana Alder|42|", "Test Ana Alder Jr|42|b"],
    ],
)
@pytest.mark.parametrize("per_batch", [1, 2, 250])
def test_an_import_makes_the_same_people_as_a_coordinator(
    rows: list[str], per_batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "ROWS_IMPORTED_PER_BATCH", per_batch)
    typed = [
        (name, builders.phone(int(number)) if number else "", f"{box}@example.org" if box else "")
        for name, number, box in (row.split("|") for row in rows)
    ]
    by_hand, by_file = builders.organization(), builders.organization()
    for name, phone, email in typed:
        enter(by_hand, name, phone=phone, email=email)
    done = made.finished(by_file, file_of(*(f"{name},{phone},{email},,,," for name, phone, email in typed)))
    assert len(list_people(by_file)) == len(list_people(by_hand)) == done.added_count == done.new_count
    owners = [
        sorted(Contact.objects.of(one).values_list("address", "owner__folded_name")) for one in (by_hand, by_file)
    ]
    assert [address for address, _name in owners[0]] == [address for address, _name in owners[1]]


def test_a_contact_of_too_many_people_is_an_error() -> None:
    owner = builders.organization()
    names = ("Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir", "Ginkgo", "Hazel", "Ivy")
    assert len(names) == volunteers_rules.MAX_PEOPLE_PER_CONTACT + 1
    ready = made.checked(owner, file_of(*(f"{name},{ANA},,,,," for name in names)))
    assert list_codes(ready) == [(10, "phone", "too_many_people")]


def test_the_check_gives_the_same_result_in_any_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [f"Test {name},{ANA},,,,," for name in ("Alder", "Birch", "Alder", "Cedar", "Birch")]
    results = []
    for size in (1, 2, 1000):
        monkeypatch.setattr(rules, "ROWS_CHECKED_PER_BATCH", size)
        ready = made.checked(builders.organization(), file_of(*lines))
        results.append([row.result for row in ready.rows.order_by("number")])
        assert ready.checked_count == 5
    assert results[0] == results[1] == results[2] == ["new", "new", "repeated", "new", "repeated"]


def test_people_of_another_organization_are_unknown_here() -> None:
    enter(builders.organization(), "Test Ana", phone=ANA)
    owner = builders.organization()
    assert made.finished(owner, file_of(f"Test Ana,{ANA},,,,,")).added_count == 1


# Consent


def test_without_a_consent_column_the_ledger_stays_empty_and_no_message_leaves() -> None:
    owner = builders.organization()
    made.finished(owner, file_of(f"Test Ana,{ANA},ana@example.org", header="Name,Phone,E-mail"))
    assert len(list_people(owner)) == 1
    assert consents_of(owner) == []
    assert not Message.objects.exists()


def test_consents_are_kept_for_each_contact_with_wording_place_and_day() -> None:
    owner = builders.organization()
    lines = f"Test Ana,{ANA},ana@example.org,,yes,no,", f"Test Bo,{BO},,,no,yes,2026-05-16"
    done = made.finished(owner, file_of(*lines))
    assert consents_of(owner) == [
        (ANA, "reminders", True),
        ("ana@example.org", "reminders", True),
        (BO, "news", True),
    ]
    first, _second, third = ConsentEntry.objects.order_by("pk")
    assert first.wording == f"{made.PROOF.wording}\n{made.PROOF.source}, {made.PROOF.day}"
    assert third.wording == f"{made.PROOF.wording}\n{made.PROOF.source}, 2026-05-16"
    assert (first.source, first.wording_version, first.actor) == ("import", f"import-{done.pk}", "user:0")
    assert done.consent_count == 3
    assert not Message.objects.exists()


def test_a_consent_for_a_phone_of_another_person_is_not_recorded() -> None:
    owner = builders.organization()
    enter(owner, "Test Ana Alder", phone=ANA)
    made.finished(owner, file_of(f"Test Bo Birch,{ANA},bo@example.org,,yes,,"))
    assert consents_of(owner) == [("bo@example.org", "reminders", True)]


@pytest.mark.parametrize("when", [NOW - timedelta(days=400), NOW - timedelta(days=1)])
def test_an_opt_out_stays_whenever_it_was(when: Any) -> None:
    owner = builders.organization()
    enter(owner, "Test Ana", phone=ANA)
    builders.agreed(owner, ANA, "reminders", given=False, now=when)
    done = made.finished(owner, file_of(f"Test Ana,{ANA},,,yes,yes,"))
    assert not notifications_queries.has_consent(owner, ANA, "reminders")
    assert notifications_queries.has_consent(owner, ANA, "news")
    assert (done.consent_count, done.refused_consent_count) == (1, 1)


def test_a_stopped_phone_gets_no_consent() -> None:
    owner = builders.organization()
    sender = notifications_queries.find_sender(owner)
    assert sender is not None
    notifications_consents.suppress_address(sender=sender, address=ANA, now=NOW)
    done = made.finished(owner, file_of(f"Test Ana,{ANA},,,yes,no,"))
    assert (done.consent_count, done.refused_consent_count) == (0, 1)
    assert consents_of(owner) == []


def test_an_opt_out_before_an_erasure_stays() -> None:
    owner = builders.organization()
    builders.agreed(owner, volunteers_rules.compute_identity(ANA), "reminders", given=False)
    made.finished(owner, file_of(f"Test Ana,{ANA},,,yes,no,"))
    assert not notifications_queries.has_consent(owner, ANA, "reminders")


def test_a_consent_that_the_ledger_has_gets_no_second_entry() -> None:
    owner = builders.organization()
    enter(owner, "Test Ana", phone=ANA)
    builders.agreed(owner, ANA, "reminders")
    made.finished(owner, file_of(f"Test Ana,{ANA},,,yes,no,"))
    assert consents_of(owner) == [(ANA, "reminders", True)]


# Workers


def test_one_worker_at_a_time_has_an_import() -> None:
    owner = builders.organization()
    ready = made.checked(owner, made.people_file(1))
    uploads.start_import(import_id=ready.pk, left_out_count=0, actor="user:0", now=NOW)
    Import.objects.filter(pk=ready.pk).update(lease_until=NOW + rules.LEASE)  # of another worker
    assert made.work(NOW) == 0
    assert made.work(NOW + rules.LEASE - timedelta(microseconds=1)) == 0
    assert made.work(NOW + rules.LEASE) == 1
    assert made.fresh(ready).state == ImportState.FINISHED


def test_a_worker_that_has_lost_its_lease_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "ROWS_IMPORTED_PER_BATCH", 1)
    owner = builders.organization()
    ready = made.checked(owner, made.people_file(3))
    uploads.start_import(import_id=ready.pk, left_out_count=0, actor="user:0", now=NOW)
    original, later = PeopleWrite.do_batch, NOW + timedelta(hours=1)

    def lose_lease(work: PeopleWrite) -> bool:
        more = original(work)
        Import.objects.filter(pk=ready.pk).update(lease_until=later)
        return more

    monkeypatch.setattr(PeopleWrite, "do_batch", lose_lease)
    run.run_imports(now=NOW, seconds=60)
    assert len(list_people(owner)) == 1
    assert made.fresh(ready).lease_until == later


def test_a_run_ends_after_its_time_and_the_next_one_continues(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "ROWS_IMPORTED_PER_BATCH", 2)
    monkeypatch.setattr(rules, "ROWS_CHECKED_PER_BATCH", 2)
    owner = builders.organization()
    upload = made.upload(owner, made.people_file(5))
    uploads.match_columns(import_id=upload.pk, matched=upload.columns, proof=made.PROOF, now=NOW)
    counts = []
    while made.fresh(upload).state == ImportState.CHECKING:
        assert run.run_imports(now=NOW, seconds=0) == 1
        counts.append(made.fresh(upload).checked_count)
    assert counts == [2, 4, 5]
    uploads.start_import(import_id=upload.pk, left_out_count=0, actor="user:0", now=NOW)
    counts = []
    while made.fresh(upload).state == ImportState.IMPORTING:
        assert run.run_imports(now=NOW, seconds=0) == 1
        counts.append(made.fresh(upload).done_count)
    assert counts == [2, 4, 5]
    assert made.fresh(upload).added_count == 5


def test_discarding_deletes_the_file_and_stops_the_check() -> None:
    upload = made.upload(builders.organization(), made.people_file(2))
    uploads.match_columns(import_id=upload.pk, matched=upload.columns, proof=made.PROOF, now=NOW)
    uploads.discard_import(import_id=upload.pk)
    uploads.discard_import(import_id=upload.pk)
    assert made.work() == 0
    gone = made.fresh(upload)
    assert (gone.state, gone.content, gone.file_name) == (ImportState.DISCARDED, None, "")


def test_an_import_that_has_started_is_not_discarded_and_keeps_its_columns() -> None:
    ready = made.checked(builders.organization(), made.people_file(1))
    uploads.start_import(import_id=ready.pk, left_out_count=0, actor="user:0", now=NOW)
    acts: list[query_counts.Act] = [
        partial(uploads.discard_import, import_id=ready.pk),
        partial(uploads.match_columns, import_id=ready.pk, matched={}, proof=made.PROOF, now=NOW),
    ]
    for act in acts:
        with pytest.raises(ValidationError) as caught:
            act()
        assert caught.value.code == "too_late"
    made.work()
    assert made.fresh(ready).added_count == 1


def test_columns_can_be_changed_after_the_check() -> None:
    ready = made.checked(builders.organization(), made.people_file(2))
    uploads.match_columns(import_id=ready.pk, matched={"name": 0, "email": 2}, proof=made.PROOF, now=NOW)
    made.work()
    again = made.fresh(ready)
    assert (again.state, again.new_count, again.checked_count) == (ImportState.CHECKED, 2, 2)
    assert {row.values["phone"] for row in again.rows.all()} == {""}


# Retention


def test_files_are_deleted_after_a_day_unless_the_import_runs() -> None:
    owner = builders.organization()
    waiting, checked = made.upload(owner, made.people_file(1)), made.checked(owner, made.people_file(2))
    running, errors = (
        made.checked(owner, made.people_file(3)),
        made.finished(owner, file_of("Test Ana,1,,,,,", f"Test Bo,{BO},,,,,")),
    )
    uploads.start_import(import_id=running.pk, left_out_count=0, actor="user:0", now=NOW)
    assert errors.rows.count() == 1
    assert retention.purge_expired_imports(now=NOW + rules.KEPT_FOR - timedelta(microseconds=1)) == 0
    assert retention.purge_expired_imports(now=NOW + rules.KEPT_FOR) == 3
    assert retention.purge_expired_imports(now=NOW + rules.KEPT_FOR) == 0
    states = [made.fresh(one).state for one in (waiting, checked, running, errors)]
    assert states == ["discarded", "discarded", "importing", "finished"]
    assert {row.data_import_id for row in ImportRow.objects.all()} == {running.pk}
    has_file = [made.fresh(one).content is not None for one in (waiting, checked, running, errors)]
    assert has_file == [False, False, True, False]


def test_a_finished_import_keeps_no_rows() -> None:
    done = made.finished(builders.organization(), made.people_file(2))
    assert (done.content, done.file_name, done.expires_at, done.rows.count()) == (None, "", None, 0)


def test_an_erased_person_is_in_no_file() -> None:
    owner = builders.organization()
    upload = made.upload(owner, made.people_file(1))
    ready, other = (
        made.checked(owner, file_of(f"Test Ana,{ANA},,,,,", f"Test Bo,{BO},,,,,")),
        made.checked(owner, file_of(f"Test Bo,{BO},,,,,")),
    )
    retention.erase_from_imports(organization=owner, addresses=[ANA])
    assert made.fresh(upload).state == ImportState.DISCARDED
    assert [row.values["phone"] for row in ready.rows.all()] == [BO]
    assert made.fresh(ready).content is None
    assert made.fresh(other).content is not None
    uploads.start_import(import_id=ready.pk, left_out_count=0, actor="user:0", now=NOW)
    made.work()
    assert made.fresh(ready).state == ImportState.FINISHED
    assert list_people(owner) == [("Test Bo", BO, "")]


# Statements


def test_a_batch_takes_the_same_statements_for_any_number_of_people() -> None:
    made.finished(builders.organization(), made.people_file(1))

    def prepare(count: int) -> query_counts.Act:
        owner = builders.organization()
        ready = made.checked(owner, made.people_file(count, first=count * 10))
        uploads.start_import(import_id=ready.pk, left_out_count=0, actor="user:0", now=NOW)
        return made.work

    assert query_counts.count_for_each(prepare) <= 45


def test_a_check_takes_the_same_statements_for_any_number_of_rows() -> None:
    def prepare(count: int) -> query_counts.Act:
        upload = made.upload(builders.organization(), made.people_file(count))
        uploads.match_columns(import_id=upload.pk, matched=upload.columns, proof=made.PROOF, now=NOW)
        return made.work

    assert query_counts.count_for_each(prepare) <= 20
