"""Where things stand: no drawers, no signals, one home for each foreign package, doors between apps, migrations."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.sources import APPS, CODE, ROOT, Source, imported_names, inside, project_sources

DRAWERS = {"utils", "helpers", "common", "services", "managers", "signals", "constants", "exceptions"}
HOMES = {
    "twilio": ("notifications/providers/twilio", "notifications/views_webhooks"),
    "icalendar": ("drives/calendars",),
}
# What other apps may import of an app: its models, its actions and its queries, and a few words with a reason.
DOORS = {
    "organizations": {
        *("models", "api_keys", "audit", "idempotency", "memberships", "queries"),
        "admin",  # the read-only admin class
        "translated_text",  # texts by language: value, column and form field
        *("rules", "web.accounts"),  # every interface asks for permission in the same words
    },
    "notifications": {
        *("models", "consents", "demo", "erasure", "outbox", "queries", "replies", "senders"),
        *("contact_address", "message_content"),  # the shape of a message, and of a phone number
        *("envelopes", "kinds", "quiet_hours"),  # what is decided of every kind of message
    },
    "volunteers": {
        *("models", "browsers", "codes", "consent", "contacts", "erasure", "limits", "matching", "profile"),
        *("queries", "registration", "retention", "verification"),
        "message_texts",  # pages show the wording of consents and codes
        "rules",  # serializers and forms declare the limits of what may be typed
    },
}


def drawers(sources: Iterable[Source]) -> list[str]:
    """Files and folders named for no subject."""
    return [source.path for source in sources if DRAWERS & set(source.parts)]


def signal_imports(sources: Iterable[Source]) -> list[str]:
    return [
        f"{source.path} imports {name}"
        for source in sources
        for name in imported_names(source)
        if name.startswith("django.dispatch") or "signals" in name.split(".")
    ]


def strangers(package: str, homes: Iterable[str], sources: Iterable[Source]) -> list[str]:
    """The files outside its homes that import a package."""
    return [
        source.path
        for source in sources
        if not inside(source.path, homes) and any(name.split(".")[0] == package for name in imported_names(source))
    ]


def trespassers(sources: Iterable[Source]) -> list[str]:
    """Imports from another app that do not go through one of its doors."""
    return [
        f"{source.path} imports {name}"
        for source in sources
        for name in imported_names(source)
        if name.split(".")[0] in APPS and name.split(".")[0] != source.parts[0] and not _is_door(name)
    ]


def _is_door(name: str) -> bool:
    app, _, rest = name.partition(".")
    return any(rest == door or rest.startswith(f"{door}.") for door in DOORS.get(app, ()))


def unnamed_migrations(folders: Iterable[Path]) -> list[str]:
    """Migrations with the name that Django makes up."""
    return [path.name for folder in folders for path in sorted(folder.glob("*_auto_*.py"))]


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    assert drawers(project_sources(*CODE)) == []


@pytest.mark.parametrize("path", ["drives/utils.py", "drives/booking/helpers/text.py", "bench/common/__init__.py"])
def test_control_a_drawer_is_caught(path: str) -> None:
    assert drawers([Source(path, ""), Source("drives/booking/hold.py", "")]) == [path]


def test_nothing_listens_to_signals() -> None:
    assert signal_imports(project_sources(*CODE)) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("from django.dispatch import receiver", "django.dispatch.receiver"),
        ("import django.dispatch", "django.dispatch"),
        ("from django import dispatch", "django.dispatch"),
        ("from django.db.models.signals import post_save as saved", "django.db.models.signals.post_save"),
        ("from django.db.models import signals", "django.db.models.signals"),
        ("from celery import signals", "celery.signals"),
        ("def ready():\n    from celery.signals import worker_ready", "celery.signals.worker_ready"),
    ],
)
def test_control_a_signal_is_caught(text: str, name: str) -> None:
    assert signal_imports([Source("drives/apps.py", text)]) == [f"drives/apps.py imports {name}"]


@pytest.mark.parametrize("package", HOMES)
def test_only_its_homes_know_the_package(package: str) -> None:
    assert strangers(package, HOMES[package], project_sources(*CODE)) == []


@pytest.mark.parametrize("package", HOMES)
def test_every_home_knows_its_package(package: str) -> None:
    """A home that was moved leaves an open door behind."""
    for home in HOMES[package]:
        files = [source for source in project_sources(*CODE) if inside(source.path, [home])]
        assert strangers(package, [], files), home


@pytest.mark.parametrize("text", ["import icalendar", "from icalendar import Event", "import icalendar.prop as parts"])
def test_control_a_second_file_that_knows_the_package_is_caught(text: str) -> None:
    paths = ["drives/calendars.py", "drives/calendars/feed.py", "drives/calendars_feed.py", "drives/booking/api.py"]
    seeded = [Source(path, text) for path in paths]
    assert strangers("icalendar", HOMES["icalendar"], seeded) == paths[2:]


def test_apps_meet_only_at_their_doors() -> None:
    assert trespassers(project_sources(*APPS)) == []


@pytest.mark.parametrize("door", [f"{app}.{door}" for app, doors in DOORS.items() for door in sorted(doors)])
def test_every_door_is_used(door: str) -> None:
    """A door that stays open after a move would hide what comes in by it later."""
    through = {
        name
        for source in project_sources(*APPS)
        for name in imported_names(source)
        if name.split(".")[0] != source.parts[0]
    }
    assert any(name == door or name.startswith(f"{door}.") for name in through)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "notifications",
            "notifications.providers.twilio.Gateway",
            "notifications.rules.due",
            "volunteers.person_names.known",
        ),
        *("organizations.web.pages", "organizations.rules_of_old.may", "organizations.web.accounts_of_old"),
    ],
)
def test_control_an_import_past_the_doors_is_caught(name: str) -> None:
    package, _, attribute = name.rpartition(".")
    text = f"from {package} import {attribute}" if package else f"import {attribute}"
    assert trespassers([Source("drives/booking/hold.py", text)]) == [f"drives/booking/hold.py imports {name}"]


def test_an_app_imports_all_of_its_own() -> None:
    assert trespassers([Source("drives/booking/hold.py", "from drives.booking import words")]) == []


def test_migrations_are_named_for_what_they_do() -> None:
    folders = [ROOT / app / "migrations" for app in APPS]
    assert all(list(folder.glob("0001_*.py")) for folder in folders)
    assert unnamed_migrations(folders) == []


def test_control_a_migration_without_a_name_is_caught(tmp_path: Path) -> None:
    for name in ("0001_initial.py", "0002_auto_20261129_1200.py", "0003_automatic_reminders.py"):
        (tmp_path / name).touch()
    assert unnamed_migrations([tmp_path]) == ["0002_auto_20261129_1200.py"]
