"""compose.yaml, .env.example and the settings name the same environment variables."""

import ast
import re
from collections.abc import Iterable
from typing import Any

import pytest
import yaml

from tests.architecture.sources import APPS, ROOT, Source, project_sources, used_names

PLAIN_VARIABLES = {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS", "WEB", "ERASURES_FILE"}
READERS = {"config/beat.py", "config/celery.py", "config/wsgi.py"}  # these set the settings module
EMBEDDED = "config/embedded/"  # sets the environment of the programs that it starts


def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    return found


def unknown_services(compose: dict[str, Any]) -> list[str]:
    """List services that other services wait for but that do not exist."""
    awaited = {name for service in compose.values() for name in service.get("depends_on", ())}
    return sorted(awaited - compose.keys())


def written_variables(compose: dict[str, Any]) -> list[str]:
    """List the variables in compose.yaml that have a value there and may be secret. Secrets belong in .env."""
    written: set[str] = set()
    for service in compose.values():
        environment = service.get("environment", {})
        lines = (
            [f"{name}={value}" for name, value in environment.items() if not is_placeholder(str(value))]
            if isinstance(environment, dict)
            else environment
        )
        written |= {line.partition("=")[0] for line in lines}
    return sorted(written - PLAIN_VARIABLES)


def is_placeholder(value: str) -> bool:
    """Return whether a value refers to .env, or is a dummy for a service that does not need the value in .env."""
    return value.startswith("${") or value in {"", "none", "inbox", "postgresql:///none"}


def listed_variables(example: str) -> set[str]:
    return set(re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE))


def read_variables(sources: Iterable[Source]) -> set[str]:
    """List the environment variables that the code reads. A variable with a computed name is listed as "?"."""
    return {
        str(argument.value) if isinstance(argument, ast.Constant) else "?"
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and re.fullmatch(r"env\.(?!read_env)[a-z_]+", ast.unparse(node.func))
        for argument in node.args[:1]
    }


def environment_reads(sources: Iterable[Source]) -> list[str]:
    names = {"os.environ", "os.environb", "os.getenv", "os.putenv"}
    return [
        f"{source.path}:{line}"
        for source in sources
        if source.path not in READERS and not source.path.startswith(EMBEDDED)
        for name, _node, line in used_names(source)
        if name in names
    ]


def test_every_service_that_compose_waits_for_exists() -> None:
    assert len(services()) >= 5
    assert unknown_services(services()) == []


def test_control_a_service_that_is_not_there_is_caught() -> None:
    seeded = {"web": {"depends_on": {"migrate": {}, "db": {}}}, "db": {}, "worker": {"depends_on": ["redis"]}}
    assert unknown_services(seeded) == ["migrate", "redis"]


def test_one_worker_takes_only_codes_and_the_other_takes_all_queues() -> None:
    workers = {
        name: service["command"] for name, service in services().items() if "worker" in service.get("command", ())
    }
    taken = {name: command[command.index("-Q") + 1] if "-Q" in command else "" for name, command in workers.items()}
    assert taken == {"worker": "", "codes": "codes"}


def test_the_servers_get_only_the_secret_that_they_need() -> None:
    assert [name for name in ("db", "redis") if "env_file" in services()[name]] == []
    assert services()["db"]["environment"]["POSTGRES_PASSWORD"] == "${POSTGRES_PASSWORD:?}"


def test_beat_gets_no_secret() -> None:
    example = (ROOT / ".env.example").read_text()
    secret = {
        name for name in listed_variables(example) if re.search(r"KEY$|TOKEN$|PASSWORD$|^(DATABASE|EMAIL)_URL$", name)
    }
    assert len(secret) == 8
    assert {name for name in secret if is_placeholder(services()["beat"]["environment"].get(name, "?"))} == secret


def test_health_checks_need_no_variable_of_the_shell() -> None:
    assert "$$HOSTNAME" not in (ROOT / "compose.yaml").read_text()


def test_the_units_run_the_commands_of_the_guide() -> None:
    guide = (ROOT / "docs" / "operations.md").read_text()
    for name in ("web", "worker", "codes", "beat"):
        unit = (ROOT / "deploy" / "systemd" / f"drives-{name}.service").read_text()
        [command] = re.findall(r"^ExecStart=/opt/plasma-drives/\.venv/bin/(.*)$", unit, re.MULTILINE)
        program = re.sub(r" --(concurrency|hostname) \S+", "", command)
        assert program in re.sub(r" --concurrency 1", "", guide)


def test_the_compose_file_holds_no_secret() -> None:
    assert written_variables(services()) == []


@pytest.mark.parametrize("environment", [{"WEB": "on", "SECRET_KEY": "abc"}, ["WEB=on", "SECRET_KEY=abc"]])
def test_control_a_secret_in_the_compose_file_is_caught(environment: Any) -> None:
    assert written_variables({"web": {"environment": environment}, "db": {}}) == ["SECRET_KEY"]


def test_the_example_lists_every_variable_that_is_read_and_no_other() -> None:
    read = read_variables(project_sources("config"))
    assert len(read) > 20
    assert listed_variables((ROOT / ".env.example").read_text()) == read | {"POSTGRES_PASSWORD"}


def test_control_a_variable_that_is_not_listed_is_caught() -> None:
    text = "from environs import env\nA = env.str('NEW_ONE')\nB = env.int('OLD', 1)\nC = env.some_new_kind('THIRD')\n"
    assert read_variables([Source("config/settings.py", text)]) == {"NEW_ONE", "OLD", "THIRD"}
    assert listed_variables("# What it means: NEW_ONE\nOLD=\n# SHOWN=1\n#THIRD=\n") == {"OLD", "SHOWN"}


def test_control_a_name_that_is_not_written_out_is_caught() -> None:
    assert read_variables([Source("config/settings.py", "A = env.str(name)")]) == {"?"}


def test_checks_and_benchmarks_read_no_env_file() -> None:
    """A developer's .env may contain the credentials of a real account."""
    assert "PRODUCTION := ENV_FILE= " in (ROOT / "Makefile").read_text()
    assert '"ENV_FILE": ""' in (ROOT / "bench" / "stack.py").read_text()


def test_the_user_of_the_service_does_not_own_the_program() -> None:
    """Git refuses `git pull` by root in a folder that belongs to another user."""
    assert "adduser --system --group --no-create-home" in (ROOT / "docs" / "operations.md").read_text()


def test_only_the_settings_and_the_embedded_stack_read_the_environment() -> None:
    assert environment_reads(project_sources(*APPS, "config")) == []


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.environ['A']",
        "import os as system\nsystem.getenv('A')",
        "from os import environ\nenviron.get('A')",
        "from os import getenv as read\nread('A')",
    ],
)
def test_control_another_reader_of_the_environment_is_caught(text: str) -> None:
    paths = ["drives/booking/hold.py", "config/settings.py", "config/celery.py", "config/embedded/stack.py"]
    assert environment_reads([Source(path, text) for path in paths]) == [f"{path}:2" for path in paths[:2]]
