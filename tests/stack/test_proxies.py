"""The sample sites of deploy/, with a real nginx or Caddy, TLS and the real web server."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from config.embedded import redis_server
from config.embedded.guard import Guard
from tests import programs
from tests.stack import caddy, nginx

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("stack"),
    pytest.mark.stack,
    pytest.mark.parametrize("proxy", ["nginx", "caddy"], scope="module"),
]
MISSING = {
    "nginx": "nginx is not installed (Debian: apt-get install nginx-light)",
    "caddy": "Caddy is not installed (Debian: apt-get install caddy)",
}
REDIRECTS = {"nginx": 301, "caddy": 308}
# Caddy sets no limit, so the service refuses: it drops the long form with its token, and the webhook is too large.
LONG_FORMS, LONG_WEBHOOKS = {"nginx": 413, "caddy": 403}, {"nginx": 413, "caddy": 400}


class Site(NamedTuple):
    plain: str
    secure: str
    folder: Path

    @property
    def browser(self) -> requests.Session:
        session = requests.Session()
        session.verify = str(self.folder / "fullchain.pem")
        session.trust_env = False
        return session

    @property
    def log(self) -> str:
        return (self.folder / "web.log").read_text()


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("static")
    programs.collect_static(folder)
    return folder


@pytest.fixture(scope="module")
def site(
    proxy: str,
    request: pytest.FixtureRequest,
    guard: Guard,
    tmp_path_factory: pytest.TempPathFactory,
    static: Path,
    django_db_setup: None,  # the web server needs the tables
) -> Iterator[Site]:
    """Run one site for all tests, because a start takes seconds. The tests' rows are deleted after each test."""
    if {"nginx": nginx, "caddy": caddy}[proxy].PROGRAM is None:
        pytest.skip(MISSING[proxy])
    folder = tmp_path_factory.mktemp(proxy)
    secure = redis_server.find_free_port()
    settings = {
        "BASE_URL": f"https://localhost:{secure}",
        "STATIC_ROOT": str(static),
        "BEHIND_PROXY": "on",
        "DEMO": "off",
        "RATE_LIMITS": "on",
        "ALLOWED_HOSTS": "localhost",
        "WEB_CONCURRENCY": "2",
        **getattr(request, "param", {}),
    }
    with (
        programs.web(guard, folder / "web.log", **settings) as port,
        _run_proxy(proxy, guard, folder, port, secure) as plain,
    ):
        yield Site(f"http://localhost:{plain}", f"https://localhost:{secure}", folder)


def _run_proxy(proxy: str, guard: Guard, folder: Path, port: int, secure: int) -> AbstractContextManager[int]:
    if proxy == "caddy":
        return caddy.run_caddy(guard, folder, port, secure=secure)
    return nginx.run_nginx(guard, folder, [port], secure=secure)


def count_answers(site: Site, tries: int) -> dict[int, int]:
    """Try to sign in with `tries` e-mail addresses, each time with a different forged IP address.

    Count the responses by status.
    """
    counts: dict[int, int] = {}
    for n in range(tries):
        browser = site.browser
        forged = {"X-Forwarded-For": f"198.51.100.{n}", "X-Real-IP": f"198.51.100.{n}", "Referer": site.secure}
        page = browser.get(f"{site.secure}/accounts/login/", headers=forged)
        token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        fields = {"login": f"ben{n}@example.org", "password": "a wrong passphrase", "csrfmiddlewaretoken": token}
        answer = browser.post(f"{site.secure}/accounts/login/", fields, headers=forged, allow_redirects=False)
        counts[answer.status_code] = counts.get(answer.status_code, 0) + 1
    return counts


def test_forged_addresses_do_not_get_around_the_limit_on_sign_ins(site: Site) -> None:
    counts = count_answers(site, 60)
    assert counts[429] >= 30
    assert sum(counts.values()) == 60
    assert "TRUSTED_PROXIES" not in site.log


def test_a_visitor_of_http_is_sent_to_https(site: Site, proxy: str) -> None:
    sent = site.browser.get(f"{site.plain}/accounts/login/", allow_redirects=False)
    # Caddy believes that it serves https on port 443, so its redirect names no port.
    secure = {"nginx": site.secure, "caddy": "https://localhost"}[proxy]
    assert (sent.status_code, sent.headers["Location"]) == (REDIRECTS[proxy], f"{secure}/accounts/login/")


def test_certbot_can_renew_the_certificate_of_nginx(site: Site, proxy: str) -> None:
    if proxy == "caddy":
        return  # Caddy renews its certificate itself
    challenge = site.folder / "certbot" / ".well-known" / "acme-challenge" / "abc"
    challenge.parent.mkdir(parents=True)
    challenge.write_text("abc.key")
    answered = site.browser.get(f"{site.plain}/.well-known/acme-challenge/abc", allow_redirects=False)
    assert (answered.status_code, answered.text) == (200, "abc.key")


def test_a_form_passes_over_https(site: Site) -> None:
    browser = site.browser
    page = browser.get(f"{site.secure}/accounts/login/")
    assert page.headers["Strict-Transport-Security"] == "max-age=31536000"  # other names under the host are not ours
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    fields = {"login": "ben@example.org", "password": "a wrong passphrase", "csrfmiddlewaretoken": token}
    answer = browser.post(
        f"{site.secure}/accounts/login/", fields, headers={"Referer": f"{site.secure}/"}, allow_redirects=False
    )
    assert answer.status_code == 200
    assert "not correct" in answer.text


def test_the_public_sees_no_figures(site: Site) -> None:
    assert site.browser.get(f"{site.secure}/metrics").status_code == 404
    assert site.browser.get(f"{site.secure}/readyz").status_code == 503  # no worker runs
    assert site.browser.get(f"{site.secure}/healthz").json() == {"ok": True}


def test_static_files_come_from_the_proxy_and_browsers_keep_them(site: Site) -> None:
    (site.folder / "static" / "site.abc.css").write_text("a{}")
    answer = site.browser.get(f"{site.secure}/static/site.abc.css")
    assert (answer.status_code, answer.text) == (200, "a{}")
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_browsers_ask_again_for_embed_js_within_an_hour(site: Site) -> None:
    (site.folder / "static" / "site").mkdir()
    (site.folder / "static" / "site" / "embed.js").write_text("1")
    answer = site.browser.get(f"{site.secure}/static/site/embed.js")
    assert (answer.status_code, answer.text) == (200, "1")
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


def test_only_the_form_with_a_picture_takes_long_bodies(site: Site, proxy: str) -> None:
    file = {"picture": ("photo.jpg", b"x" * 8 * 1024 * 1024, "image/jpeg")}
    answers = [
        site.browser.post(f"{site.secure}{path}", files=file)
        for path in ("/organizer/causes/new/", "/organizer/sites/new/")
    ]
    assert [answer.status_code for answer in answers] == [403, LONG_FORMS[proxy]]
    assert "Nothing was changed" in answers[0].text  # from the service, because the form has no token


def test_it_speaks_http_2_and_passes_large_heads_and_bodies(site: Site, proxy: str) -> None:
    certificate = str(site.folder / "fullchain.pem")
    form = ["-s", "-o", "/dev/null", "--cacert", certificate, "-w", '{"v":"%{http_version}","s":%{http_code}}']
    cookie = ["-H", "Cookie: long=" + "x" * 12_000]
    said = subprocess.run(["curl", *form, *cookie, f"{site.secure}/find/"], capture_output=True, check=True, timeout=30)
    assert json.loads(said.stdout) == {"v": "2", "s": 200}
    body = {"text": "x" * 2_000_000}
    assert site.browser.post(f"{site.secure}/webhooks/twilio/inbound/", body).status_code == 403
    answer = site.browser.post(f"{site.secure}/webhooks/twilio/inbound/", {"text": "x" * 4_000_000})
    assert answer.status_code == LONG_WEBHOOKS[proxy]


def test_a_body_that_is_much_too_long_disturbs_no_other_visitor(site: Site) -> None:
    answer = site.browser.post(f"{site.secure}/organizer/sites/new/", {"text": "x" * 12_000_000})
    assert answer.status_code in {400, 413}
    assert site.browser.get(f"{site.secure}/healthz").status_code == 200


@pytest.mark.parametrize("site", [{"TRUSTED_PROXIES": "192.0.2.1"}], indirect=True, scope="module")
def test_a_proxy_that_is_not_trusted_is_reported(site: Site) -> None:
    site.browser.get(f"{site.secure}/find/", allow_redirects=False)
    assert "add it to TRUSTED_PROXIES" in site.log
