"""What web and worker load before they fork."""

import re
from pathlib import Path

import pytest

from tests import loaded_modules, programs
from tests.architecture.sources import APPS

WORKER = """
from config import celery
celery.app.loader.import_default_modules()
celery.SharedMemory(None).create(None)
"""
PAGES = "import importlib; importlib.import_module('config.urls')"
IN_TWILIO = {"SMS_PROVIDER": "twilio", "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "one"}
PAGE_MODULE = re.compile(r"(\.|^)(views\w*|urls\w*|\w*forms|serializers)$")

FIRST_REQUEST = """
from config import web_server
web_server.{load}('config.wsgi')
before = set(sys.modules)
from django.test import Client
assert Client(headers={{'host': 'localhost'}}).get('/').status_code == 200
result = sorted(set(sys.modules) - before)
"""


def list_page_modules(code: str) -> list[str]:
    """List the loaded modules of our apps that only pages and the API need, and those that build addresses of pages.

    `reverse` imports the views of all pages.
    """
    listed = f"{code}\nresult = [[name, 'reverse' in vars(module)] for name, module in sys.modules.items()]"
    return sorted(
        name
        for name, has_reverse in loaded_modules.run(listed)
        if name.partition(".")[0] in APPS and (has_reverse or PAGE_MODULE.search(name))
    )


def test_a_worker_loads_no_page() -> None:
    assert list_page_modules(WORKER) == []


def test_control_a_page_that_a_worker_loads_is_caught() -> None:
    assert "drives.public.views_donor" in list_page_modules(f"{WORKER}\n{PAGES}")
    with_reverse = f"{WORKER}\nfrom drives.web import links\nlinks.reverse = None"
    assert list_page_modules(with_reverse) == ["drives.web.links"]


@pytest.mark.parametrize("module", ["twilio.rest", "markdown_it", "cffi.cparser", "notifications.tasks"])
def test_the_processes_of_a_worker_share_what_tasks_need(module: str) -> None:
    assert module in loaded_modules.list_modules(WORKER, **IN_TWILIO)


@pytest.mark.django_db(transaction=True)
def test_the_first_request_for_the_home_page_loads_nothing_more(tmp_path: Path) -> None:
    assert list_new_modules("load_shared_memory", tmp_path) == set()


@pytest.mark.django_db(transaction=True)
def test_control_the_first_request_loads_what_the_web_server_has_not_loaded(tmp_path: Path) -> None:
    assert list_new_modules("load_application", tmp_path) >= {"config", "drives", "organizations"}


def list_new_modules(load: str, folder: Path) -> set[str]:
    """List the apps of which the first request loads a module."""
    programs.collect_static(folder)
    addresses = {"BASE_URL": "http://localhost", "DATABASE_URL": programs.database_url(), "STATIC_ROOT": str(folder)}
    new = loaded_modules.run(FIRST_REQUEST.format(load=load), WEB="on", **addresses, **programs.DEMO)
    return {name.partition(".")[0] for name in new} & {"config", *APPS}
