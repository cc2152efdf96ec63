"""Sign-in limits and used codes apply across web processes.

The processes share their records of sign-in attempts. In these tests, each thread stands for a process.
"""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client

from organizations.models import SharedCacheEntry, User
from tests import builders
from tests.builders import PASSWORD
from tests.organizations.test_accounts import sign_in, totp_code
from tests.races import arena

pytestmark = pytest.mark.django_db(transaction=True)
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
WRONG = "a wrong passphrase"


class OwnCache(LocMemCache):
    """A cache in the memory of one process."""

    def __init__(self, _name: str, params: dict[str, Any]) -> None:
        super().__init__(f"own-{threading.get_ident()}-{id(params)}", params)


@pytest.fixture
def _own_caches(settings: Any) -> None:
    settings.CACHES = {**settings.CACHES, "default": {"BACKEND": f"{__name__}.OwnCache"}}


def enter_one_code_twice() -> int:
    ben = builders.member(builders.organization()).user
    TOTP.activate(ben, SECRET)
    clients = Client(), Client()
    for client in clients:
        assert sign_in(client, ben)["Location"].startswith("/accounts/2fa/authenticate/")
    code = totp_code(SECRET)

    def enter(client: Client) -> Callable[[], Any]:
        return lambda: client.post("/accounts/2fa/authenticate/", {"code": code})

    arena.run_concurrently(*(enter(client) for client in clients))
    return sum("_auth_user_id" in client.session for client in clients)


def enter_wrong_passwords(ben: User) -> Callable[[], None]:
    def enter() -> None:
        for _ in range(10):
            sign_in(Client(), ben, WRONG)

    return enter


def is_let_in(ben: User) -> bool:
    client = Client()
    client.post("/accounts/login/", {"login": ben.email, "password": PASSWORD})
    return "_auth_user_id" in client.session


def test_two_processes_accept_a_code_once() -> None:
    assert enter_one_code_twice() == 1


@pytest.mark.usefixtures("_own_caches")
def test_control_processes_with_their_own_memory_accept_it_twice() -> None:
    assert enter_one_code_twice() == 2


def test_twenty_wrong_passwords_at_two_processes_stop_a_third() -> None:
    ben = builders.member(builders.organization()).user
    arena.run_concurrently(enter_wrong_passwords(ben), enter_wrong_passwords(ben))
    assert not is_let_in(ben)


@pytest.mark.usefixtures("_own_caches")
def test_control_processes_with_their_own_memory_let_a_third_go_on() -> None:
    ben = builders.member(builders.organization()).user
    arena.run_concurrently(enter_wrong_passwords(ben), enter_wrong_passwords(ben))
    assert is_let_in(ben)


def test_the_shared_table_names_no_user_address_or_code() -> None:
    enter_one_code_twice()
    rows = list(SharedCacheEntry.objects.values_list("cache_key", flat=True))
    assert rows
    assert all(len(key) == 64 and set(key) <= set("0123456789abcdef") for key in rows)
