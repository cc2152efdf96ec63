"""A race test fails if it does not reach a pause or a seeded bug."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import seeds, storm

TESTS = Path(__file__).parent


RACES = re.compile(r"^from tests\.races(\.arena)? import", re.MULTILINE)


class Subject:
    """An object that stands for a module."""

    __name__ = "subject"

    def read(self) -> int:
        return 1


def reach_all_of(race: Callable[[], None]) -> None:
    with seeds.all_reached():
        race()


@pytest.mark.parametrize(
    "put_in_place",
    [
        lambda patch, subject: seeds.pause_after(patch, subject, "read"),
        lambda patch, subject: seeds.pause_before(patch, subject, "read"),
        lambda patch, subject: seeds.replace(patch, subject, "read", lambda: 2),
    ],
)
def test_control_an_unreached_pause_or_bug_is_named(
    put_in_place: Callable[[pytest.MonkeyPatch, Subject], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(AssertionError, match=r"never reached: .*subject\.read"), seeds.all_reached():
        put_in_place(monkeypatch, Subject())


def test_control_a_name_that_the_caller_imported_is_never_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject()
    read = subject.read

    def race() -> None:
        seeds.replace(monkeypatch, subject, "read", lambda: 2)
        read()

    with pytest.raises(AssertionError, match=r"subject\.read"):
        reach_all_of(race)


def test_control_a_pause_outside_a_race_is_no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject()

    def race() -> None:
        seeds.pause_after(monkeypatch, subject, "read")
        subject.read()

    with pytest.raises(AssertionError, match=r"pause in subject\.read"):
        reach_all_of(race)


@pytest.mark.django_db(transaction=True)
def test_reached_pauses_and_bugs_are_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = Subject()
    with seeds.all_reached():
        seeds.replace(monkeypatch, subject, "read", lambda: 2)
        seeds.pause_after(monkeypatch, subject, "read")
        seeds.pause_before(monkeypatch, subject, "read")
        assert storm.at_once(2, lambda _number: subject.read()) == [2, 2]


def unwatched(text: str) -> list[int]:
    """List the lines where a race test patches a function or pauses without `seeds`. Constants may be replaced."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Call) and ast.unparse(node.func) == "monkeypatch.setattr" and not _is_constant(node))
        or (isinstance(node, ast.Attribute) and ast.unparse(node) == "storm.pause")
        or (isinstance(node, ast.ImportFrom) and "pause" in {alias.name for alias in node.names})
    ]


def _is_constant(node: ast.Call) -> bool:
    return len(node.args) == 3 and isinstance(node.args[1], ast.Constant) and str(node.args[1].value).isupper()


def test_every_race_puts_its_pauses_and_bugs_in_place_with_seeds() -> None:
    files = [path for path in TESTS.rglob("*.py") if RACES.search(path.read_text())]
    assert len(files) > 15
    assert {path.name: unwatched(path.read_text()) for path in files if unwatched(path.read_text())} == {}


@pytest.mark.parametrize(
    "line",
    [
        "monkeypatch.setattr(locks, 'lock_booking', unlocked)",
        "monkeypatch.setattr('drives.capacity.locks.lock_booking', unlocked)",
        "from tests.storm import pause",
        "storm.pause()",
    ],
)
def test_control_a_patch_that_is_not_watched_is_caught(line: str) -> None:
    assert unwatched(f"import x\n{line}\nmonkeypatch.setattr(claim, 'CLAIM', unlocked)\n") == [2]
