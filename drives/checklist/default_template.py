"""The default checklist. It follows published checklists of blood drive coordinators, but copies no sentence.

A task without a source was added for this service.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_noop

from drives.models import ChecklistCheck, ChecklistItem
from organizations import translated_text
from organizations.models import Organization


@dataclass(frozen=True)
class ChecklistSource:
    name: str
    url: str


RED_CROSS = ChecklistSource(
    "American Red Cross: Planning Timeline",
    "https://www.redcrossblood.org/hosting-blood-drive/coordinator-tools/planning-timeline",
)
MEMORIAL = ChecklistSource(
    "Memorial Blood Centers: Getting Started", "https://www.mbc.org/support-us/host-drive/getting-started/"
)
DAYTON = ChecklistSource(
    "Community Blood Center, Dayton: Blood Drive Planning Timeline",
    "http://givingblood.org/organize-a-blood-drive/blood-drive-planning-timeline.aspx",
)
ERIE = ChecklistSource(
    "Community Blood Bank, Erie: Blood Drive Timeline", "https://cbblifeblood.org/blood-drives/blood-drive-timeline"
)
WHH = ChecklistSource(
    "WHH Community Blood Center: Chairperson Checklist", "https://whhcommunitybloodcenter.org/chairperson-checklist/"
)


@dataclass(frozen=True)
class DefaultTask:
    code: str
    days: int
    title: str
    check_kind: str = ""
    source: ChecklistSource | None = None


DEFAULT_TASKS = (
    # Memorial Blood Centers asks for 10 to 12 weeks, the Dayton center for 14.
    DefaultTask("center", 84, gettext_noop("Choose the collection center"), ChecklistCheck.CENTER, MEMORIAL),
    DefaultTask("confirmed", 84, gettext_noop("Have the center confirm the day and the hours"), source=RED_CROSS),
    DefaultTask("room", 84, gettext_noop("Reserve a room with chairs, tables and power"), source=ERIE),
    DefaultTask("goal", 56, gettext_noop("Set the goal"), ChecklistCheck.GOAL, DAYTON),
    DefaultTask(
        "recruiters",
        56,
        gettext_noop("Choose recruiters and give each of them a link"),
        ChecklistCheck.RECRUITERS,
        RED_CROSS,
    ),
    DefaultTask("published", 28, gettext_noop("Publish the drive"), ChecklistCheck.PUBLISHED, DAYTON),
    DefaultTask("texts", 28, gettext_noop("Make sure that texts can go out"), ChecklistCheck.TEXTS),
    DefaultTask("posters", 21, gettext_noop("Put up the posters"), source=WHH),
    DefaultTask("reminders", 14, gettext_noop("Turn on reminders"), ChecklistCheck.REMINDERS, RED_CROSS),
    DefaultTask(
        "bookings",
        7,
        gettext_noop("Get enough bookings for the goal: plan on 60 bookings for 40 donations"),
        ChecklistCheck.BOOKINGS,
        RED_CROSS,
    ),
    DefaultTask("helpers", 7, gettext_noop("Tell the helpers when and where to come"), source=RED_CROSS),
    DefaultTask("site", 7, gettext_noop("Check the room, the entrance and the parking"), source=RED_CROSS),
    DefaultTask("roster", 1, gettext_noop("Print the roster")),
    DefaultTask("signs", 0, gettext_noop("Put up signs to the entrance"), source=RED_CROSS),
)


def build_default_items(organization: Organization, now: datetime) -> list[ChecklistItem]:
    """Build the default tasks as unsaved rows, with titles in every language of the service."""
    return [
        ChecklistItem(
            organization=organization,
            code=task.code,
            title=translated_text.translate_sentence(task.title, organization.language),
            days=task.days,
            check_kind=task.check_kind,
            position=position,
            added_at=now,
        )
        for position, task in enumerate(DEFAULT_TASKS)
    ]


def find_source(item: ChecklistItem) -> ChecklistSource | None:
    """Return the source of a default task. Return None if the title has changed or the task has no source."""
    task = next((task for task in DEFAULT_TASKS if task.code == item.code), None)
    return task.source if task and task.title in item.title.texts.values() else None
