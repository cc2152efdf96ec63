"""The agreements about the code that no linter knows."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
APPS = ("organizations", "notifications", "volunteers", "drives")
CODE = (*APPS, "config", "bench")
LOCKS = ("requirements.lock", "requirements-dev.lock")
DRAWERS = {"utils", "helpers", "common", "services", "managers", "signals", "constants", "exceptions"}
DOORS = {"models", "actions", "queries", "notice", "phone"}
# Who may do what is asked at every interface, in the same words.
PERMISSIONS = ("organizations.rules.may", "organizations.rules.Verb", "organizations.web.accounts.")
# Doors with a reason: who may do what is asked at every page, the wording of a consent is shown where it is ticked.
FURTHER_DOORS = ("organizations.rules", "organizations.web.accounts", "volunteers.notices.consent_wording")
TIMELESS = {"models", "rules", "actions", "queries", "notices", "calendars", "timetable"}
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "timezone.now", "time.time", "localdate"}


def python_files(*folders: str) -> Iterator[tuple[str, Path]]:
    """Every file that is ours, with its path in the project."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path


def parsed(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for name, path in python_files(*folders):
        yield name, ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    """The full names of what a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def pinned(lock: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def wanted(lock: str) -> list[Requirement]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = list(settings["project"]["dependencies"])
    if lock == "requirements-dev.lock":
        lines += settings["dependency-groups"]["dev"]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_holds_what_pyproject_asks_for(lock: str) -> None:
    versions = pinned(lock)
    wrong = [
        str(need)
        for need in wanted(lock)
        if not need.specifier.contains(versions.get(re.sub(r"[-_.]+", "-", need.name).lower(), "0"), prereleases=True)
    ]
    assert wrong == []


def test_the_locks_agree_with_each_other() -> None:
    image, development = (pinned(lock) for lock in LOCKS)
    assert {name: development.get(name) for name in image} == image


@pytest.mark.parametrize("lock", LOCKS)
def test_the_lock_has_hashes_and_no_addresses(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(pinned(lock))


def test_there_is_no_drawer_for_odds_and_ends() -> None:
    assert [name for name, path in python_files(*CODE) if {path.stem, path.parent.name} & DRAWERS] == []


def test_files_are_short() -> None:
    long_source = [name for name, path in python_files(*CODE) if len(path.read_text().splitlines()) > 300]
    long_tests = [name for name, path in python_files("tests") if len(path.read_text().splitlines()) > 500]
    assert long_source + long_tests == []


def test_functions_are_short() -> None:
    functions = [
        (f"{name}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1)
        for name, tree in parsed(*CODE)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [name for name, lines in functions if lines > 40] == []
    assert sum(lines < 20 for _, lines in functions) >= 0.9 * len(functions)


def test_nothing_listens_to_signals() -> None:
    listeners = [
        name
        for name, tree in parsed(*CODE)
        for found in imported(tree)
        if found == "django.dispatch.receiver" or found.startswith(("django.db.models.signals", "celery.signals"))
    ]
    assert listeners == []


def test_only_interfaces_read_the_clock() -> None:
    readers = [
        f"{name}:{node.lineno}"
        for name, tree in parsed(*APPS)
        if name.split("/")[1].removesuffix(".py") in TIMELESS
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node).endswith(tuple(CLOCKS))
    ]
    assert readers == []


@pytest.mark.parametrize(
    ("package", "homes"),
    [
        ("twilio", {"notifications/gateways/twilio.py", "notifications/web/webhooks.py"}),
        ("icalendar", {"drives/calendars.py"}),
    ],
)
def test_one_file_knows_the_package(package: str, homes: set[str]) -> None:
    users = {name for name, tree in parsed(*CODE) for found in imported(tree) if found.split(".")[0] == package}
    assert users <= homes


def test_apps_meet_only_at_their_doors() -> None:
    trespassers = [
        f"{name} imports {found}"
        for name, tree in parsed(*APPS)
        for found in imported(tree)
        if found.split(".")[0] in APPS
        and found.split(".")[0] != name.split("/")[0]
        and found.split(".")[1] not in DOORS
        and not found.startswith(FURTHER_DOORS)
        and not found.startswith(PERMISSIONS)
    ]
    assert trespassers == []


def test_migrations_are_named_for_what_they_do() -> None:
    assert [path.name for app in APPS for path in (ROOT / app / "migrations").glob("*_auto_*.py")] == []


def test_every_service_that_compose_waits_for_exists() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    awaited = {name for service in services.values() for name in service.get("depends_on", {})}
    assert awaited <= services.keys()


def test_the_compose_file_holds_no_secret() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    told = {name for service in services.values() for name in service.get("environment", {})}
    assert told == {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS", "WEB"}


def test_the_example_lists_every_variable_that_is_read_and_no_other() -> None:
    listed = set(re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    read = {
        node.args[0].value
        for _, tree in parsed("config")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {f"env.{kind}" for kind in ("text", "flag", "choice", "words", "url", "number")}
        and isinstance(node.args[0], ast.Constant)
    }
    assert listed == read | {"POSTGRES_PASSWORD"}


def test_only_the_settings_and_the_embedded_stack_read_the_environment() -> None:
    readers = {
        name
        for name, tree in parsed(*APPS, "config")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    }
    assert {name for name in readers if not name.startswith("config/embedded/")} <= {
        "config/env.py",
        "config/celery.py",
        "config/wsgi.py",
    }
