"""Run a real Caddy with deploy/Caddyfile. Only names, ports, paths and the certificate are changed."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded import redis_server
from config.embedded.guard import Guard
from config.embedded.processes import ROOT
from tests.programs import eventually
from tests.stack import clients
from tests.stack.nginx import write_certificate

PROGRAM = shutil.which("caddy")
SAMPLE = ROOT / "deploy" / "Caddyfile"
OPTIONS = """{{
	admin off
	default_bind 127.0.0.1
	http_port {plain}
	https_port {secure}
	servers {{"""


@contextmanager
def run_caddy(guard: Guard, folder: Path, backend: int, *, secure: int) -> Iterator[int]:
    """Run Caddy in front of this port, with https on `secure`. Return its port for http."""
    assert PROGRAM is not None
    plain = redis_server.find_free_port()
    write_certificate(folder)
    (folder / "static").mkdir()
    site = SAMPLE.read_text()
    replaced = {
        "{\n\tservers {": OPTIONS.format(plain=plain, secure=secure),
        "\ndrives.example.org {": f"\nlocalhost {{\n\ttls {folder}/fullchain.pem {folder}/privkey.pem",
        "127.0.0.1:8000": f"127.0.0.1:{backend}",
        "/opt/plasma-drives/static-collected": f"{folder}/static",
    }
    for old, new in replaced.items():
        assert old in site, old
        site = site.replace(old, new)
    (folder / "Caddyfile").write_text(site)
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            [PROGRAM, "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"],
            env={**os.environ, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
            stderr=log,
            start_new_session=True,
        )
    guard.watch(process)
    try:
        assert eventually(lambda: clients.is_open(secure)), (folder / "caddy.log").read_text()
        yield plain
    finally:
        process.terminate()
        process.wait(20)
        guard.unwatch(process)
