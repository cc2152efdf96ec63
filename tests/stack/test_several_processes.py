"""Two web servers behind one address, and two workers on one Redis."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import pytest
import requests
from django.conf import global_settings
from django.test import override_settings
from django.utils import timezone

from config.embedded import redis_server
from config.embedded.guard import Guard
from drives.capacity import drift
from notifications import kinds, outbox
from notifications.kinds import Budget
from notifications.models import Message, MessageState, Sender
from organizations.models import Organization, User
from tests import builders, figures, programs
from tests.builders import PASSWORD
from tests.notifications import made
from tests.programs import eventually
from tests.races import arena, bulk_requests, test_load
from tests.stack import nginx
from tests.standins.twilio import TwilioStandIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("stack"), pytest.mark.stack]
needs_nginx = pytest.mark.skipif(
    nginx.PROGRAM is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)

DONORS, SPOTS = 200, 20
MAX_WRONG_PASSWORDS = 5  # of one member in five minutes; allauth's default
TEXTS, PER_MINUTE = 500, 75


class Site(NamedTuple):
    port: int
    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "fullchain.pem"

    @property
    def log(self) -> str:
        return "".join(log.read_text() for log in self.folder.glob("web-*.log"))


@contextmanager
def run_two_servers(guard: Guard, folder: Path, application: str = "config.wsgi", **environment: str) -> Iterator[Site]:
    """Run two web servers of one process each behind nginx."""
    secure = redis_server.find_free_port()
    settings = {
        "BASE_URL": f"https://localhost:{secure}",
        "BEHIND_PROXY": "on",
        "WEB_CONCURRENCY": "1",
        **environment,
    }
    with ExitStack() as running:
        ports = [
            running.enter_context(programs.web(guard, folder / f"web-{name}.log", application, **settings))
            for name in ("first", "second")
        ]
        running.enter_context(nginx.run_nginx(guard, folder, ports, secure=secure))
        yield Site(secure, folder)


@needs_nginx
def test_two_hundred_donors_at_two_servers_get_the_twenty_spots(
    tmp_path: Path, guard: Guard, request: pytest.FixtureRequest
) -> None:
    drive = test_load.open_drive(spots=SPOTS)
    hot = builders.slot(drive, 3)
    posts = [test_load.wants(hot, number) for number in range(DONORS)]
    with run_two_servers(guard, tmp_path, WEB_THREADS="64", **test_load.PATIENT) as site:
        with bulk_requests.watch_transactions(barred=hot.pk, until=test_load.AT_LEAST_OPEN) as seen:
            answers = bulk_requests.send_all(site.port, posts, site.certificate)
        by_server = sorted(nginx.count_requests(tmp_path).values())
    figures.note(request, "requests at each server", by_server)
    assert test_load.count_answers(answers) == {(201, "held"): SPOTS, (409, "slot_full"): DONORS - SPOTS}
    assert by_server == [DONORS // 2, DONORS // 2]
    assert seen.most >= test_load.AT_LEAST_OPEN
    assert not arena.oversold(list(drive.slots.order_by("n")))
    assert drift.count_drifted_slots() == 0
    assert '"level": "error"' not in site.log


@needs_nginx
def test_control_two_servers_oversell_without_the_conditional_update(tmp_path: Path, guard: Guard) -> None:
    drive = test_load.open_drive(spots=5)
    posts = [test_load.wants(builders.slot(drive, 3), number) for number in range(60)]
    with run_two_servers(guard, tmp_path, "tests.races.broken", WEB_THREADS="64", **test_load.PATIENT) as site:
        bulk_requests.send_all(site.port, posts, site.certificate)
    assert arena.oversold(list(drive.slots.order_by("n")))


def create_member() -> User:
    """Create a member. Hash the password as in production, because other processes do not know the tests' fast hash."""
    with override_settings(PASSWORD_HASHERS=global_settings.PASSWORD_HASHERS):
        return builders.member(builders.organization()).user


def try_to_sign_in(site: Site, ben: User, *passwords: str) -> list[bool]:
    """Enter each password in one browser. nginx gives the forms to the servers in turn. Return which were accepted."""
    url = f"https://localhost:{site.port}/accounts/login/"
    with requests.Session() as browser:
        browser.trust_env, browser.verify = False, str(site.certificate)
        page = browser.get(url, timeout=30)
        assert page.status_code == 200, site.log[-3000:]
        token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]

        def enter(password: str) -> bool:
            fields = {"login": ben.email, "password": password, "csrfmiddlewaretoken": token}
            answer = browser.post(url, fields, headers={"Referer": url}, timeout=30, allow_redirects=False)
            assert answer.status_code in {200, 302}, answer.text
            return answer.status_code == 302

        return [enter(password) for password in passwords]


@pytest.fixture(scope="module")
def static(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("static")
    programs.collect_static(folder)
    return str(folder)


@needs_nginx
def test_wrong_passwords_at_two_servers_count_together(tmp_path: Path, guard: Guard, static: str) -> None:
    ana, ben = create_member(), create_member()
    wrong = ["a wrong passphrase"] * MAX_WRONG_PASSWORDS
    with run_two_servers(guard, tmp_path, RATE_LIMITS="on", STATIC_ROOT=static) as site:
        assert try_to_sign_in(site, ana, *wrong[1:], PASSWORD) == [False] * 4 + [True]
        assert try_to_sign_in(site, ben, *wrong, PASSWORD, PASSWORD) == [False] * 7
        assert min(nginx.count_requests(tmp_path).values()) >= 6


@needs_nginx
def test_control_servers_with_their_own_memory_let_a_sixth_password_in(
    tmp_path: Path, guard: Guard, static: str
) -> None:
    ben = create_member()
    wrong = ["a wrong passphrase"] * MAX_WRONG_PASSWORDS
    with run_two_servers(guard, tmp_path, "tests.stack.separate_caches", RATE_LIMITS="on", STATIC_ROOT=static) as site:
        assert try_to_sign_in(site, ben, *wrong, PASSWORD) == [False] * 5 + [True]


@contextmanager
def run_two_workers(guard: Guard, folder: Path, redis_url: str) -> Iterator[TwilioStandIn]:
    with TwilioStandIn() as twilio, ExitStack() as running:
        environment = {"REDIS_URL": redis_url, "SMS_PROVIDER": "twilio", "TWILIO_API_URL": twilio.url}
        for name in ("first", "second"):
            running.enter_context(programs.worker(guard, folder / f"{name}.log", **environment))
        running.enter_context(programs.beat(guard, folder / "beat.log", **environment))
        yield twilio


def queue_texts(organization: Organization, count: int, kind: str, prefix: str) -> None:
    now = timezone.now()
    fields = {"kind": kind, "due_at": now, "expires_at": now + timedelta(hours=1)}
    messages = [
        made.message(f"Text {n}", address=f"{prefix}{n:04}", about=f"booking:{n}", **fields) for n in range(count)
    ]
    outbox.queue_messages(organization=organization, messages=messages, now=now)


def count_sent(kind: str) -> int:
    return Message.objects.filter(kind=kind, state=MessageState.ACCEPTED).count()


def seconds_until_the_code_leaves(folder: Path, guard: Guard, redis_url: str, *, of_the_same: bool = False) -> float:
    """Queue a code while 500 texts of another organization, or of the same one, wait for a sender that both use.

    Return the seconds until the code has left, 15 at most.
    """
    large, small = (builders.organization(messages_per_day=0) for _each in range(2))
    Sender.objects.all().delete()
    shared = Sender.objects.create(name="Shared", number="+12025550111", per_minute=PER_MINUTE, per_day=0)
    shared.organizations.set([large, small])
    with run_two_workers(guard, folder, redis_url) as twilio:
        assert eventually(lambda: all("ready." in log for log in read_logs(folder)), 40), read_logs(folder)
        queue_texts(large, TEXTS, "drive_cancelled", "+1213555")
        assert eventually(lambda: count_sent("drive_cancelled") >= PER_MINUTE // 8, 40), read_logs(folder)
        began = time.monotonic()
        queue_texts(large if of_the_same else small, 1, "code", "+1213556")
        left = eventually(lambda: count_sent("code"), 15)
        took = time.monotonic() - began
        assert count_sent("drive_cancelled") <= len(twilio.accepted) < TEXTS / 2
    return took if left else 15


def read_logs(folder: Path) -> list[str]:
    return [(folder / f"{name}.log").read_text() for name in ("first", "second")]


@pytest.mark.needs_redis
def test_five_hundred_texts_of_one_organization_delay_no_code_of_another(
    tmp_path: Path, guard: Guard, redis_url: str, request: pytest.FixtureRequest
) -> None:
    took = seconds_until_the_code_leaves(tmp_path, guard, redis_url)
    figures.note(request, "seconds until the code left", round(took, 1))
    assert took < 10  # a beat of two seconds and a busy machine


@pytest.mark.needs_redis
def test_control_a_code_without_priority_waits_behind_the_texts_of_its_organization(
    tmp_path: Path, guard: Guard, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    equal = {**kinds.PRIORITIES, Budget.CODES: kinds.PRIORITIES[Budget.BOOKING]}
    monkeypatch.setattr(kinds, "PRIORITIES", MappingProxyType(equal))
    assert seconds_until_the_code_leaves(tmp_path, guard, redis_url, of_the_same=True) == 15
