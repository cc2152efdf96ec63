"""The example in docs/api/README.md works as it is printed."""

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
