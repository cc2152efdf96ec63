"""The tasks that all drives of an organization have."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from drives.checklist import default_template, drive_tasks, queries, rules, template_tasks
from drives.checklist.default_template import DEFAULT_TASKS
from drives.models import ChecklistItem, Drive
from drives.models.checklist import MAX_DAYS
from drives.refusals import Refusal
from organizations.models import AuditEntry, Organization
from organizations.translated_text import TranslatedString
from tests import builders
from tests.builders import NOW

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=1)
CODES = [task.code for task in DEFAULT_TASKS]


def codes(organization: Organization, at: Any = LATER) -> list[str]:
    return [item.code for item in queries.list_template(organization, at)]


def find(organization: Organization, code: str, at: Any = LATER) -> ChecklistItem:
    return next(item for item in queries.list_template(organization, at) if item.code == code)


def add(organization: Organization, days: int = 3, **fields: Any) -> ChecklistItem:
    item = ChecklistItem(organization=organization, title="Order the cake", days=days, **fields)
    template_tasks.add_task(item=item, actor="user:1", now=NOW)
    return item


def change(organization: Organization, code: str, now: Any = NOW, **fields: Any) -> None:
    item = find(organization, code, now)
    for name, value in fields.items():
        setattr(item, name, value)
    template_tasks.change_task(item=item, actor="user:1", now=now)


def test_default_codes_are_unique_and_fit() -> None:
    assert len(set(CODES)) == len(CODES) <= rules.MAX_ITEMS
    assert max(map(len, CODES)) <= 10
    assert not {"new", "default"} & set(CODES)
    assert all(0 <= task.days <= MAX_DAYS for task in DEFAULT_TASKS)


def test_default_titles_are_in_both_languages() -> None:
    item = default_template.build_default_items(builders.organization(), NOW)[0]
    assert item.title.texts == {"en": "Choose the collection center", "es": "Elegir el centro de donación"}
    with translation.override("es"):
        assert str(item) == "Elegir el centro de donación"


def test_the_first_change_saves_the_default_and_adds_the_task() -> None:
    organization, other = builders.organization(), builders.organization()
    item = add(organization)
    assert codes(organization) == [*CODES[:-2], item.code, *CODES[-2:]]
    assert codes(other) == CODES
    assert ChecklistItem.objects.filter(organization=organization).count() == len(CODES) + 1
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.about, entry.fields) == (
        "change_checklist",
        f"organization:{organization.pk}",
        [item.code],
    )


def test_a_checklist_has_at_most_forty_tasks() -> None:
    organization = builders.organization()
    for _ in range(rules.MAX_ITEMS - len(CODES)):
        add(organization)
    with pytest.raises(Refusal) as refusal:
        add(organization)
    assert refusal.value.codes == ["too_many_tasks"]
    assert len(codes(organization)) == 40
    template_tasks.remove_task(organization=organization, code="room", actor="user:1", now=NOW)
    add(organization)


def test_a_changed_task_keeps_its_ticks() -> None:
    drive = builders.drive()
    drive_tasks.check_off_task(drive=drive, code="room", actor="user:1", now=NOW)
    change(drive.organization, "room", LATER, title=TranslatedString({"en": "Reserve the gym"}), days=60)
    tasks = queries.load_checklist(drive, LATER).tasks
    [task] = [task for task in tasks if task.item.code == "room"]
    assert (str(task.item), task.item.days, task.is_done) == ("Reserve the gym", 60, True)
    assert AuditEntry.objects.get(verb="change_checklist").fields == ["room", "title", "days"]


def test_a_change_of_nothing_leaves_no_trace() -> None:
    organization = builders.organization()
    change(organization, "room")
    assert not AuditEntry.objects.exists()


def test_open_drives_follow_a_change_and_past_drives_keep_their_checklist() -> None:
    drive = builders.drive()
    after = drive.ends_at + timedelta(hours=1)
    later = builders.drive(drive.organization, day=builders.DRIVE_DAY + timedelta(days=7))
    change(drive.organization, "room", after, title=TranslatedString({"en": "Reserve the gym"}))
    template_tasks.remove_task(organization=drive.organization, code="signs", actor="user:1", now=after)

    def shown(of: Drive, title: str) -> tuple[bool, bool]:
        items = [task.item for task in queries.load_checklist(of, after + timedelta(hours=1)).tasks]
        return title in map(str, items), "signs" in [item.code for item in items]

    assert shown(drive, "Reserve a room with chairs, tables and power") == (True, True)
    assert shown(later, "Reserve the gym") == (True, False)


def test_the_default_applies_again_after_it_is_restored() -> None:
    organization = builders.organization()
    item = add(organization)
    template_tasks.remove_task(organization=organization, code="room", actor="user:1", now=NOW)
    assert item.code in codes(organization)
    template_tasks.restore_default(organization=organization, actor="user:1", now=LATER)
    assert codes(organization) == CODES
    assert queries.is_default(queries.list_template(organization, LATER))
    assert AuditEntry.objects.order_by("-pk")[0].fields == ["default"]
    before = AuditEntry.objects.count()
    template_tasks.restore_default(organization=organization, actor="user:1", now=LATER)
    assert AuditEntry.objects.count() == before


def test_the_last_task_stays() -> None:
    organization = builders.organization()
    *others, last = CODES
    for code in others:
        template_tasks.remove_task(organization=organization, code=code, actor="user:1", now=NOW)
    with pytest.raises(Refusal) as refusal:
        template_tasks.remove_task(organization=organization, code=last, actor="user:1", now=NOW)
    assert refusal.value.codes == ["last_task"]
    assert codes(organization) == [last]


def test_a_removed_task_is_neither_changed_nor_moved_nor_removed_again() -> None:
    organization = builders.organization()
    stale = find(organization, "room")
    template_tasks.remove_task(organization=organization, code="room", actor="user:1", now=NOW)
    for act, fields in (
        (template_tasks.change_task, {"item": stale}),
        (template_tasks.move_task, {"organization": organization, "code": "room", "direction": "up"}),
        (template_tasks.remove_task, {"organization": organization, "code": "room"}),
    ):
        with pytest.raises(Refusal) as refusal:
            act(actor="user:1", now=NOW, **fields)
        assert refusal.value.codes == ["no_such_task"]


def test_tasks_move_only_among_those_of_their_day() -> None:
    organization = builders.organization()

    def move(code: str, direction: Any) -> list[str]:
        template_tasks.move_task(organization=organization, code=code, direction=direction, actor="user:1", now=NOW)
        return codes(organization)[:4]

    assert move("room", "up") == ["center", "room", "confirmed", "goal"]
    assert move("room", "up") == ["room", "center", "confirmed", "goal"]
    assert move("room", "up") == ["room", "center", "confirmed", "goal"]
    assert move("center", "down") == ["room", "confirmed", "center", "goal"]
    assert move("center", "down") == ["room", "confirmed", "center", "goal"]


def test_a_task_with_a_new_day_is_the_last_of_that_day() -> None:
    organization = builders.organization()
    change(organization, "center", days=7)
    shown = codes(organization)
    assert shown[shown.index("site") + 1] == "center"


def test_the_source_goes_with_the_title() -> None:
    organization = builders.organization()
    room = find(organization, "room")
    assert default_template.find_source(room) == default_template.ERIE
    room.title = TranslatedString({"en": "Reserve the gym"})
    assert default_template.find_source(room) is None
    assert default_template.find_source(find(organization, "roster")) is None
    assert default_template.find_source(add(organization)) is None


@pytest.mark.parametrize("fields", [{"days": MAX_DAYS + 1}, {"check_kind": "weather"}])
def test_the_database_refuses_unknown_days_and_checks(fields: dict[str, Any]) -> None:
    row = ChecklistItem(
        organization=builders.organization(), **{"title": "A task", "days": MAX_DAYS, "added_at": NOW, **fields}
    )
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_the_database_allows_the_longest_time_before_a_drive() -> None:
    ChecklistItem.objects.create(organization=builders.organization(), title="A task", days=365, added_at=NOW)


def test_a_task_of_one_drive_is_done_by_hand() -> None:
    drive = builders.drive()
    with pytest.raises(IntegrityError), transaction.atomic():
        ChecklistItem.objects.create(
            organization=drive.organization, drive=drive, title="A", days=1, check_kind="goal", added_at=NOW
        )
