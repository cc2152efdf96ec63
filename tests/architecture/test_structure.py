"""Project structure: module names, signals, where a package may be imported, imports between apps, migration names."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.architecture.sources import APPS, CODE, ROOT, Source, imported_names, inside, project_sources

DRAWERS = {"utils", "helpers", "common", "services", "managers", "signals", "constants", "exceptions"}
HOMES = {
    "twilio": ("notifications/providers/twilio", "notifications/views_webhooks"),
    "icalendar": ("drives/calendars",),
}
# The modules that other apps may import from an app: its models, actions and queries, and a few with a reason.
DOORS = {
    "organizations": {
        *(
            "models",
            "api_keys",
            "audit",
            "database_copy",
            "idempotency",
            "invitations",
            "key_fingerprints",
            "memberships",
            "profile",
            "queries",
            "retention",
            "sessions",
        ),
        "secret_keys",  # keyed hashes
        "sweeps",  # every sweep parks a bad row the same way
        "translated_text",  # texts by language: value, column and form field
        *("rules", "web.accounts"),  # every interface checks permissions the same way
        "slugs",  # every page's address is chosen the same way
        "web.forms",  # every form for a member's e-mail address has the same limits
        "web.read_only_admin",  # every app has read-only admin pages
    },
    "notifications": {
        "rules",  # conversations are kept as long as texts
        *("models", "consents", "demo", "erasure", "mailboxes", "opt_outs", "outbox", "queries", "replies", "senders"),
        "restored_messages",
        *("contact_address", "message_content", "reply_text"),  # the format of a message and of a phone number
        *("envelopes", "kinds", "quiet_hours", "reach", "unverified_mailboxes"),  # decisions for every kind of message
    },
    "volunteers": {
        *("models", "browsers", "codes", "consent", "contacts", "erasure", "limits", "matching", "profile"),
        *("queries", "registration", "retention", "verification"),
        "addressees",  # converts donors to the form that messages need
        "imported_people",
        "consent_texts",  # pages show the wording of consents
        "rules",  # serializers and forms declare the limits of their input
    },
}


def find_catch_all_modules(sources: Iterable[Source]) -> list[str]:
    return [source.path for source in sources if DRAWERS & set(source.parts)]


def signal_imports(sources: Iterable[Source]) -> list[str]:
    return [
        f"{source.path} imports {name}"
        for source in sources
        for name in imported_names(source)
        if name.startswith("django.dispatch") or "signals" in name.split(".")
    ]


def find_imports_outside(package: str, homes: Iterable[str], sources: Iterable[Source]) -> list[str]:
    """List the files that import the package but are outside `homes`, the only places that may import it."""
    return [
        source.path
        for source in sources
        if not inside(source.path, homes) and any(name.split(".")[0] == package for name in imported_names(source))
    ]


def find_imports_past_doors(sources: Iterable[Source]) -> list[str]:
    """List imports of another app's modules that are not doors of that app.

    Doors are the modules that other apps may import.
    """
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
    return [path.name for folder in folders for path in sorted(folder.glob("*_auto_*.py"))]


def test_there_are_no_catch_all_modules() -> None:
    assert find_catch_all_modules(project_sources(*CODE)) == []


@pytest.mark.parametrize("path", ["drives/utils.py", "drives/booking/helpers/text.py", "bench/common/__init__.py"])
def test_control_a_catch_all_module_is_caught(path: str) -> None:
    assert find_catch_all_modules([Source(path, ""), Source("drives/booking/hold.py", "")]) == [path]


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
def test_only_its_homes_import_the_package(package: str) -> None:
    assert find_imports_outside(package, HOMES[package], project_sources(*CODE)) == []


@pytest.mark.parametrize("package", HOMES)
def test_every_home_imports_its_package(package: str) -> None:
    """HOMES lists the places that may import a package.

    A place that does not import it must be removed from HOMES. Otherwise a later import there would go unnoticed.
    """
    for home in HOMES[package]:
        files = [source for source in project_sources(*CODE) if inside(source.path, [home])]
        assert find_imports_outside(package, [], files), home


@pytest.mark.parametrize("text", ["import icalendar", "from icalendar import Event", "import icalendar.prop as parts"])
def test_control_an_import_outside_the_homes_is_caught(text: str) -> None:
    paths = ["drives/calendars.py", "drives/calendars/feed.py", "drives/calendars_feed.py", "drives/booking/api.py"]
    seeded = [Source(path, text) for path in paths]
    assert find_imports_outside("icalendar", HOMES["icalendar"], seeded) == paths[2:]


def test_apps_import_each_other_only_through_doors() -> None:
    assert find_imports_past_doors(project_sources(*APPS)) == []


@pytest.mark.parametrize("door", [f"{app}.{door}" for app, doors in DOORS.items() for door in sorted(doors)])
def test_every_door_is_used(door: str) -> None:
    """A door is a module that other apps may import.

    A door that no other app imports must be removed from the list. Otherwise a later import would go unnoticed.
    """
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
            "notifications.pace.due",
            "volunteers.person_names.known",
        ),
        *("organizations.web.pages", "organizations.rules_of_old.may", "organizations.web.accounts_of_old"),
    ],
)
def test_control_an_import_past_the_doors_is_caught(name: str) -> None:
    package, _, attribute = name.rpartition(".")
    text = f"from {package} import {attribute}" if package else f"import {attribute}"
    assert find_imports_past_doors([Source("drives/booking/hold.py", text)]) == [
        f"drives/booking/hold.py imports {name}"
    ]


def test_an_app_may_import_its_own_modules() -> None:
    assert find_imports_past_doors([Source("drives/booking/hold.py", "from drives.booking import words")]) == []


def test_migrations_are_named_for_what_they_do() -> None:
    folders = [ROOT / app / "migrations" for app in APPS]
    assert all(list(folder.glob("0001_*.py")) for folder in folders)
    assert unnamed_migrations(folders) == []


def test_control_a_migration_without_a_name_is_caught(tmp_path: Path) -> None:
    for name in ("0001_initial.py", "0002_auto_20261129_1200.py", "0003_automatic_reminders.py"):
        (tmp_path / name).touch()
    assert unnamed_migrations([tmp_path]) == ["0002_auto_20261129_1200.py"]
