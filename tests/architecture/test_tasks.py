"""Every Celery task name in the code and the documents belongs to a registered task."""

import ast
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch

import pytest

from config import celery
from tests.architecture.sources import APPS, CODE, ROOT, Source, project_sources

WRITTEN = re.compile(rf"\b(?:{'|'.join(APPS)})(?:\.\w+)*?\.tasks\.\w+")


def registered() -> set[str]:
    celery.app.loader.import_default_modules()
    return {name for name in celery.app.tasks if name.split(".")[0] in APPS}


def unknown_written(texts: Iterable[Source]) -> list[str]:
    """List the task names in code, comments and documents that belong to no registered task."""
    known = registered()
    return [f"{text.path}: {name}" for text in texts for name in WRITTEN.findall(text.text) if name not in known]


def unknown_sent(sources: Iterable[Source]) -> list[str]:
    """List `send_task` calls with an unknown or computed name."""
    known = registered()
    sent = [
        (source.path, ast.unparse(node.args[0]), node.args[0])
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "send_task"
        and node.args
    ]
    return [
        f"{path}: {written}"
        for path, written, name in sent
        if not isinstance(name, ast.Constant) or name.value not in known
    ]


def unknown_scheduled(schedule: Mapping[str, Mapping[str, object]]) -> list[str]:
    return sorted({str(entry["task"]) for entry in schedule.values()} - registered())


def unknown_routes(routes: Iterable[str]) -> list[str]:
    known = registered()
    return [route for route in routes if not any(fnmatch(name, route) for name in known)]


def texts() -> list[Source]:
    documents = [ROOT / "README.md", ROOT / "Makefile", ROOT / "compose.yaml"]
    documents += sorted((ROOT / "docs").rglob("*.md"))
    read = [Source(path.relative_to(ROOT).as_posix(), path.read_text()) for path in documents]
    code = [source for source in project_sources(*CODE, "tests") if source.path != "tests/architecture/test_tasks.py"]
    return [*read, *code]


def test_every_written_name_is_a_task() -> None:
    assert sum(len(WRITTEN.findall(text.text)) for text in texts()) > 25
    assert unknown_written(texts()) == []


def test_every_task_that_is_sent_by_name_exists() -> None:
    assert unknown_sent(project_sources(*CODE, "tests")) == []


def test_every_entry_of_the_beat_table_is_a_task() -> None:
    assert len(celery.app.conf.beat_schedule) > 10
    assert unknown_scheduled(celery.app.conf.beat_schedule) == []


def test_every_route_matches_a_task() -> None:
    assert unknown_routes(celery.app.conf.task_routes or {}) == []


def test_every_task_is_in_the_beat_table() -> None:
    """Only beat starts tasks. A task that is not in its schedule never runs."""
    assert registered() - {entry["task"] for entry in celery.app.conf.beat_schedule.values()} == set()


@pytest.mark.parametrize(
    "text", ["`drives.tasks.gone` runs hourly", "'drives.tasks.gone'", "# drives.tasks.gone: what is due"]
)
def test_control_an_unknown_written_name_is_caught(text: str) -> None:
    assert unknown_written([Source("docs/operations.md", f"drives.tasks.apply_retention {text}")]) == [
        "docs/operations.md: drives.tasks.gone"
    ]


@pytest.mark.parametrize("call", ["app.send_task('drives.tasks.gone')", "app.send_task(name)"])
def test_control_sending_an_unknown_task_is_caught(call: str) -> None:
    assert (
        len(unknown_sent([Source("bench/delivery.py", f"app.send_task('drives.tasks.apply_retention')\n{call}")])) == 1
    )


def test_control_an_unknown_task_in_beat_table_or_routes_is_caught() -> None:
    ticks = {"a": {"task": "drives.tasks.apply_retention"}, "b": {"task": "drives.tasks.gone"}}
    assert unknown_scheduled(ticks) == ["drives.tasks.gone"]
    assert unknown_routes(["drives.tasks.*", "drives.tasks.apply_retention", "gone.tasks.*"]) == ["gone.tasks.*"]
