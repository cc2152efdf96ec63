"""Coordinators see the rows that a sweep could not process, with the reason, and let the sweep try them again."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse

from drives.attendance import close_out
from drives.desk import parked
from drives.models import Drive
from organizations import sweeps
from organizations.models import AuditEntry, ParkedRow, Role
from tests import builders, query_counts
from tests.architecture.sources import APPS, project_sources
from tests.builders import NOW
from tests.drives import coordinator, donor
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db, pytest.mark.time_machine(NOW, tick=False)]


def park(sweep: str, row: int) -> ParkedRow:
    return ParkedRow.objects.create(sweep=sweep, row=row, error="InternalError", retry_at=NOW + timedelta(hours=1))


def test_every_sweep_has_its_row_in_the_table() -> None:
    texts = "\n".join(source.text for source in project_sources(*APPS))
    names = set(re.findall(r"run_each\(\s*\"(\w+)\"", texts))
    assert names == {*parked.SWEEP_SUBJECTS, *parked.INSTALLATION_SWEEPS}


def test_a_parked_drive_is_on_the_home_page_and_listed_with_the_reason() -> None:
    drive = builders.drive()
    ben = coordinator.signed_in(builders.member(drive.organization))
    assert "failed. See why" not in donor.text(ben.get(reverse("organizer_home")))
    park("close_out", drive.pk)
    assert "1 task failed. See why, and try again." in donor.text(ben.get(reverse("organizer_home")))
    shown = donor.text(ben.get(reverse("organizer_parked")))
    assert "Close a drive and write its report Failed 1 time (InternalError)." in shown


def test_rows_of_other_organizations_are_neither_shown_nor_tried() -> None:
    row = park("close_out", builders.drive().pk)
    cleo = coordinator.signed_in(builders.member(builders.organization("Other")))
    assert "No task has failed." in donor.text(cleo.get(reverse("organizer_parked")))
    assert cleo.post(reverse("organizer_try_parked", args=[row.pk])).status_code == 404
    assert cleo.post(reverse("organizer_try_parked", args=[999_999])).status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CHECK_IN])
def test_only_planners_see_them(role: str) -> None:
    member = coordinator.signed_in(builders.member(builders.organization(), role))
    assert member.get(reverse("organizer_parked")).status_code == 403


def test_the_next_sweep_processes_a_row_that_is_tried_again() -> None:
    drive = builders.drive()
    row = park("close_out", drive.pk)
    late = drive.ends_at + timedelta(days=1)
    ParkedRow.objects.update(retry_at=late + timedelta(minutes=30))
    close_out.close_out_due_drives(now=late)
    assert not Drive.objects.filter(closed_out_at__isnull=False).exists()
    ben = coordinator.signed_in(builders.member(drive.organization))
    shown = donor.text(ben.post(reverse("organizer_try_parked", args=[row.pk]), follow=True))
    assert "The service will try this task again soon." in shown
    assert AuditEntry.objects.filter(verb="sweep.tried_again", about=f"close_out:{drive.pk}").exists()
    close_out.close_out_due_drives(now=late)
    assert Drive.objects.filter(closed_out_at__isnull=False).exists()
    assert (sweeps.count_parked_rows(), ParkedRow.objects.exists()) == ({}, False)


def test_each_kind_of_row_is_shown_to_its_organization() -> None:
    drive = builders.drive()
    for sweep, subject in parked.SWEEP_SUBJECTS.items():
        if row := subject.find_rows(drive.organization).first():
            park(sweep, row.pk)
    rows = list(parked.filter_parked_rows(drive.organization))
    found = {one.parked.sweep for one in parked.load_parked_tasks(drive.organization, rows)}
    assert {"close_out", "invitations", "offer_spots"} <= found
    assert found == set(ParkedRow.objects.values_list("sweep", flat=True))


def test_one_parked_row_and_sixty_take_the_same_number_of_queries() -> None:
    member = builders.member(builders.organization())
    ben, drive = coordinator.signed_in(member), builders.drive(member.organization)
    first = park("close_out", drive.pk)

    def parked_donors(number: int) -> Callable[[], object]:
        names = [f"Test Donor {number}-{n}" for n in range(number)]
        donors = [
            Volunteer(organization=member.organization, name=name, link_hash=name, created_at=NOW) for name in names
        ]
        for donor_ in Volunteer.objects.bulk_create(donors):
            park("erase_inactive", donor_.pk)
        ben.get(reverse("organizer_parked"))
        return lambda: ben.get(reverse("organizer_parked"))

    query_counts.count_for_each(parked_donors, rows=(1, 59))
    page = ben.get(reverse("organizer_parked"), {"page": 3}).context
    assert (page["pages"].paginator.count, len(page["tasks"])) == (61, 11)
    assert "61 tasks failed." in donor.text(ben.get(reverse("organizer_home")))
    ParkedRow.objects.filter(pk=first.pk).update(retry_at=NOW + timedelta(days=1))  # the last one on the last page
    tried = ben.post(reverse("organizer_try_parked", args=[first.pk]) + "?page=3")
    assert (tried.status_code, tried.headers["Location"]) == (303, reverse("organizer_parked") + "?page=3")
