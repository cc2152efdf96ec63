"""After a worker that checks or imports a file is killed, the next one continues. No person is lost or added twice."""

from collections.abc import Callable
from datetime import datetime

import pytest

from drives.imports import rules, uploads
from drives.models import Import, ImportState
from notifications.models import ConsentEntry
from organizations.models import Organization
from tests import builders, figures
from tests.builders import NOW
from tests.drives.imports import made
from tests.faults.killing import Workers
from tests.programs import eventually
from volunteers import registration
from volunteers.models import Volunteer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("kills")]
PEOPLE = 6
FOURTH = builders.phone(4)  # in the second of three batches


def prepare() -> Import:
    """Upload a file with six people. The organization knows the fourth, so a test can lock that contact."""
    owner = builders.organization()
    registration.enter_volunteer(
        organization=owner, name="Test Person 4", phone=FOURTH, email="p4@example.org", actor="user:1", now=NOW
    )
    upload = made.upload(owner, made.people_file(PEOPLE))
    uploads.match_columns(import_id=upload.pk, matched=upload.columns, proof=made.PROOF, now=NOW)
    return upload


def start(upload: Import) -> None:
    made.work()
    uploads.start_import(import_id=upload.pk, left_out_count=0, actor="user:1", now=NOW)


def kill_in_the_check(workers: Workers, upload: Import) -> None:
    with workers.holding("LOCK TABLE drives_importrow IN SHARE MODE"):
        workers.stopped_by(workers.start(f"imports {NOW.isoformat()}"), finishes=False)


def kill_in_the_second_batch(workers: Workers, upload: Import) -> None:
    with workers.holding("SELECT 1 FROM volunteers_contact WHERE address = %s FOR UPDATE", FOURTH):
        workers.stopped_by(workers.start(f"imports {NOW.isoformat()}"), finishes=False)


def kill_at_the_end(workers: Workers, upload: Import) -> None:
    with workers.holding("LOCK TABLE organizations_auditentry IN SHARE MODE"):
        workers.stopped_by(workers.start(f"imports {NOW.isoformat()}"), finishes=False)


POINTS: dict[str, tuple[Callable[[Workers, Import], None], int]] = {
    "in the check": (kill_in_the_check, 1),
    "in the second batch": (kill_in_the_second_batch, 3),
    "at the end": (kill_at_the_end, PEOPLE),
}
"""The point, and how many people there are after the kill."""


def recover(workers: Workers, upload: Import, now: datetime) -> Import:
    """Let another worker continue after the lease of the dead one."""
    assert made.work(now - rules.LEASE) == 0  # the lease still holds
    made.work(now)
    if made.fresh(upload).state == ImportState.CHECKED:
        uploads.start_import(import_id=upload.pk, left_out_count=0, actor="user:1", now=now)
        made.work(now)
    return made.fresh(upload)


def count_people(owner: Organization) -> int:
    return Volunteer.objects.of(owner).count()


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_import_is_continued(point: str, request: pytest.FixtureRequest) -> None:
    kill, count_after = POINTS[point]
    upload = prepare()
    if kill is not kill_in_the_check:
        start(upload)
    with Workers(bug="few_rows_at_once") as workers:
        kill(workers, upload)
        assert eventually(lambda: not workers.waiting())
        assert count_people(upload.organization) == count_after
        done = recover(workers, upload, NOW + rules.LEASE)
    figures.note(request, "kills", 1)
    assert done.state == ImportState.FINISHED
    assert count_people(upload.organization) == PEOPLE
    assert (done.done_count, done.added_count, done.consent_count) == (PEOPLE, PEOPLE - 1, 2 * PEOPLE)
    assert ConsentEntry.objects.count() == 2 * PEOPLE


def test_control_a_position_that_is_saved_first_loses_people() -> None:
    upload = prepare()
    start(upload)
    with Workers(bug="few_rows_at_once position_first") as workers:
        kill_in_the_second_batch(workers, upload)
        assert eventually(lambda: not workers.waiting())
        recover(workers, upload, NOW + rules.LEASE)
    assert count_people(upload.organization) == PEOPLE - 1
