"""compose.yaml under a real container engine, by the steps of docs/operations.md."""

import re
import secrets
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.guard import Guard
from config.embedded.processes import ROOT
from tests.programs import eventually
from tests.stack import containers
from tests.stack.embedded_stack import Http
from tests.visitor import Visitor

pytestmark = [pytest.mark.stack, pytest.mark.needs_containers, pytest.mark.xdist_group("stack")]
GUIDE = (ROOT / "docs" / "operations.md").read_text()
HOST = "drives.example.org"
# What the proxy in front of the service adds.
PROXIED = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.7", "Referer": f"https://{HOST}/"}
SECRETS = {
    name: f"{name.lower()}-{secrets.token_hex(24)}"
    for name in ("SECRET_KEY", "IDENTITY_KEY", "TWILIO_AUTH_TOKEN", "METRICS_TOKEN")
} | {"POSTGRES_PASSWORD": secrets.token_hex(16)}
CHECKED = ["db", "redis", "web", "worker", "codes", "beat"]


def fill_in(folder: Path) -> None:
    """Fill in .env as the guide says, for a dry run."""
    example = (folder / ".env.example").read_text()
    values = {
        **SECRETS,
        "DATABASE_URL": f"postgresql://drives:{SECRETS['POSTGRES_PASSWORD']}@db:5432/drives",
        "SMS_PROVIDER": "inbox",
        "EMAIL_URL": "inbox",
    }
    for name, value in values.items():
        example, count = re.subn(rf"^(?:# )?{name}=.*$", f"{name}={value}", example, flags=re.MULTILINE)
        assert count == 1, name
    (folder / ".env").write_text(example)


@pytest.fixture(scope="module")
def project(guard: Guard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[containers.Project]:
    folder = tmp_path_factory.mktemp("compose")
    with containers.run_engine(guard, folder) as engine:
        project = containers.Project(engine, folder / "clone")
        fill_in(project.folder)
        with project.up():
            yield project


def find_arguments(program: str) -> list[str]:
    """Find the guide's `docker compose` command that runs this program. Return its arguments without redirections."""
    [command] = re.findall(rf"`docker compose (exec -T db {program} [^`<>]*)[<>][^`]*`", GUIDE)
    return shlex.split(command)


def manage(project: containers.Project, *arguments: str) -> str:
    """Run `manage.py` as the guide says. There is no terminal, so -T is added."""
    return project.call("exec", "-T", "web", "python", "manage.py", *arguments)


def test_a_clone_becomes_a_service_with_an_organization(project: containers.Project) -> None:
    monitor = Http(project.port)
    assert eventually(lambda: monitor.is_ok("/healthz"))
    assert eventually(lambda: monitor.is_ok("/readyz"), 180), monitor.get_json("/readyz")
    assert "0 errors" in manage(project, "doctor")
    [link] = re.findall(rf"https://{HOST}(/start/\S+/)", manage(project, "create_organization"))
    browser = Visitor(Http(project.port, PROXIED))
    page = browser.open(link)
    assert "Set up your organization" in page.html
    founder = {
        "organization_name": "Hope Foundation",
        "name": "Dora Dale",
        "email": "dora@example.org",
        "password": "a long enough passphrase",
    }
    assert browser.submit(page.form("/start/"), **founder).path == "/accounts/2fa/"
    assert "Set up your organization" not in Visitor(Http(project.port, PROXIED)).open(link).html


@pytest.mark.parametrize("service", CHECKED)
def test_health_checks_succeed(project: containers.Project, service: str) -> None:
    assert eventually(lambda: project.read_health(service) == "healthy", 180), project.call("logs", service)


def test_each_service_has_only_the_secrets_that_it_needs(project: containers.Project) -> None:
    found = {}
    for service in CHECKED:
        environment = project.call("exec", "-T", service, "env")
        found[service] = {name for name, value in SECRETS.items() if value in environment}
    assert found == {
        "db": {"POSTGRES_PASSWORD"},
        "redis": set(),
        "beat": set(),
        **{service: SECRETS.keys() for service in ("web", "worker", "codes")},
    }


def test_the_services_cannot_change_their_program(project: containers.Project) -> None:
    for service in ("web", "worker", "codes", "beat"):
        assert project.call("exec", "-T", service, "id", "-u").strip() == "10001"
        assert project.run("exec", "-T", service, "touch", "/srv/app/x").returncode != 0


def test_a_backup_is_restored_by_the_guide(project: containers.Project) -> None:
    dump = project.call_for_bytes(*find_arguments("pg_dump"))
    assert dump.startswith(b"PGDMP")
    processes = ["web", "worker", "codes", "beat"]
    assert f"docker compose stop {' '.join(processes)}" in GUIDE
    project.call("stop", *processes)
    project.call(*find_arguments("pg_restore"), stdin=dump)
    restored = ["run", "--rm", "web", "python", "manage.py", "restored"]
    assert f"docker compose {' '.join(restored)}" in GUIDE
    project.call("run", "--rm", "-T", *restored[2:], "--no-erasures", "--yes")
    project.call("up", "--detach", seconds=containers.START_SECONDS)
    assert eventually(lambda: Http(project.port).is_ok("/readyz"), 180)
