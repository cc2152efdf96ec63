"""Run a real nginx with deploy/nginx.conf. Only names, ports and paths are changed."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config.embedded import redis_server
from config.embedded.guard import Guard
from config.embedded.processes import ROOT
from tests.programs import eventually
from tests.stack import clients

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
SAMPLE = ROOT / "deploy" / "nginx.conf"
MAIN = """
daemon off; master_process on; pid {folder}/pid; error_log {folder}/error.log warn; {user}
worker_processes 1;
events {{ worker_connections 512; }}
http {{
  log_format servers $upstream_addr;
  access_log {folder}/servers.log servers;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  include {folder}/site.conf;
}}
"""


def write_certificate(folder: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "privkey.pem").write_bytes(private)


@contextmanager
def run_nginx(guard: Guard, folder: Path, backends: Sequence[int], *, secure: int) -> Iterator[int]:
    """Run nginx in front of these ports, with https on `secure`. Return its port for http."""
    assert PROGRAM is not None
    plain = redis_server.find_free_port()
    write_certificate(folder)
    (folder / "static").mkdir()
    site = SAMPLE.read_text()
    [server] = re.findall(r"^ *server 127\.0\.0\.1:8000.*;$", site, re.MULTILINE)
    replaced = {
        server: "\n".join(server.replace("8000", str(port)) for port in backends),
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{secure} ssl http2;",
        "https://drives.example.org$": f"https://localhost:{secure}$",
        "/etc/letsencrypt/live/drives.example.org": str(folder),
        "drives.example.org": "localhost",
        "/opt/plasma-drives/static-collected/": f"{folder}/static/",
        "/var/www/html": f"{folder}/certbot",
    }
    for old, new in replaced.items():
        assert old in site, old
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site)
    user = "user root;" if Path("/proc/self").owner() == "root" else ""
    (folder / "main.conf").write_text(MAIN.format(folder=folder, user=user))
    process = subprocess.Popen([PROGRAM, "-p", str(folder), "-c", str(folder / "main.conf")], start_new_session=True)
    guard.watch(process)
    try:
        assert eventually(lambda: clients.is_open(secure)), (folder / "error.log").read_text()
        yield plain
    finally:
        process.terminate()
        process.wait(20)
        guard.unwatch(process)


def count_requests(folder: Path) -> Counter[str]:
    """Count the requests so far by the address of the server that answered."""
    return Counter((folder / "servers.log").read_text().split())
