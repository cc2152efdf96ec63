"""Each command in the documentation exists and accepts the arguments that are written there.

For each `manage.py` command of this project, a test exists that runs it.
"""

import re
import shlex

import pytest
from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandError

from bench.__main__ import ALONE, PARTS
from tests.architecture.sources import APPS, ROOT, Source
from tests.docs.test_references import PAGES


def list_commands(page: Source) -> list[str]:
    """List the commands on a page that follow `manage.py`, with their arguments."""
    return re.findall(r"manage\.py ([a-z_]+(?: [^`\n]*)?)", page.text)


def is_valid(command: str) -> bool:
    name, *arguments = shlex.split(command)
    if name not in get_commands():
        return False
    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    try:
        parser.parse_args(arguments)
    except CommandError:
        return False
    return True


def is_ours(command: str) -> bool:
    app: str = get_commands()[command.split(maxsplit=1)[0]]
    return app in (*APPS, "config")


def is_run(command: str, tests: str) -> bool:
    name = command.split(maxsplit=1)[0]
    return re.search(rf"(call_command\(|\"manage\.py\", )\"{name}\"", tests) is not None


def list_targets(page: Source) -> list[tuple[str, str]]:
    """List the targets on a page that follow `make`, each with the value of ARGS."""
    return re.findall(r"(?:`|^)make ([a-z]+)(?:[^`\n]*?ARGS=\"?([a-z ]+))?", page.text, re.MULTILINE)


def is_target(target: str, arguments: str) -> bool:
    known = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return target in known and (target != "bench" or arguments in ALONE or set(arguments.split()) <= set(PARTS))


@PAGES
def test_commands_take_the_written_arguments(page: Source) -> None:
    assert [command for command in list_commands(page) if not is_valid(command)] == []


@PAGES
def test_tests_run_our_commands(page: Source) -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    assert [command for command in list_commands(page) if is_ours(command) and not is_run(command, tests)] == []


@PAGES
def test_targets_of_make_exist(page: Source) -> None:
    assert [target for target in list_targets(page) if not is_target(*target)] == []


def test_control_a_wrong_command_is_caught() -> None:
    page = Source("docs/x.md", "`manage.py restored --moved`, `manage.py gone`\n\npython manage.py restored --away\n")
    assert [command for command in list_commands(page) if not is_valid(command)] == ["gone", "restored --away"]


def test_control_a_command_that_no_test_runs_is_caught() -> None:
    assert is_run("gone --all", 'call_command("gone", "--all")')
    assert not is_run("gone --all", 'call_command("gone_again", "--all")')


@pytest.mark.parametrize("text", ["`make gone`", "make gone  # no more", '`make bench ARGS="booking gone"`'])
def test_control_a_wrong_target_is_caught(text: str) -> None:
    assert [target for target in list_targets(Source("docs/x.md", text)) if not is_target(*target)] != []
