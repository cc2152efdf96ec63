"""The example in docs/api/README.md works as it is printed, and its tables name real members of requests."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from drives.models import Booking
from tests import builders
from tests.builders import NOW
from tests.drives import caller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.time_machine(NOW)]

PAGE = Path(__file__).parents[2] / "docs" / "api" / "README.md"


def commands() -> list[str]:
    block = re.search(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block
    return block[1].splitlines()


def answer(command: str, **variables: str) -> Any:
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run(
        ["bash", "-euc", command.replace("curl", "curl --silent --show-error --fail", 1)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, (command, done.stderr, done.stdout)
    return json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_example_books_a_first_visit(live_server: LiveServer) -> None:
    drive, base = builders.drive(), live_server.url
    list_drives, list_slots, book, verify = commands()
    [listed] = answer(list_drives, BASE=base)["results"]
    assert listed["id"] == str(drive.pk)
    slots = answer(list_slots, BASE=base, DRIVE=listed["id"])["results"]
    held = answer(book, BASE=base, SLOT=slots[0]["id"])
    code = builders.code_of(Booking.objects.get())
    booked = answer(verify, BASE=base, TOKEN=held["token"], CODE=code)
    assert (held["state"], booked["state"]) == ("held", "booked")


def list_named_members(page: str) -> list[tuple[str, set[str]]]:
    """Return the last part of each path in the tables of calls, with the members named after it."""
    named = []
    for row in re.findall(r"^\| (`POST .*?) \|", page, re.MULTILINE):
        last = ""
        for span in re.findall(r"`([^`]+)`", row):
            if re.fullmatch(r"\{.*\}", span):
                inside = re.sub(r"\[.*\]", "", span.strip("{}")).split(",")
                named.append((last, {name.strip(" ?:…") for name in inside} - {""}))
            else:
                last = span.partition("?")[0].rstrip("/").rpartition("/")[2].removeprefix("POST ")
    return named


def list_members(last: str) -> set[str]:
    """Return the members of the requests of all calls with a path that ends in this part."""
    schemas = caller.loaded()["components"]["schemas"]
    return {
        name
        for path, methods in caller.loaded()["paths"].items()
        if path.rstrip("/").rpartition("/")[2] == last and "post" in methods and "requestBody" in methods["post"]
        for content in methods["post"]["requestBody"]["content"].values()
        for name in schemas[content["schema"]["$ref"].rpartition("/")[2]]["properties"]
    }


def find_unknown_members(page: str) -> list[tuple[str, set[str]]]:
    return [(last, unknown) for last, names in list_named_members(page) if (unknown := names - list_members(last))]


def test_the_tables_name_members_that_the_calls_take() -> None:
    page = PAGE.read_text()
    assert len(list_named_members(page)) > 10
    assert find_unknown_members(page) == []


def test_control_an_unknown_member_is_found() -> None:
    assert find_unknown_members("| `POST drives/{id}/publish/`, `copy/` `{on}` | plan |") == [("copy", {"on"})]
