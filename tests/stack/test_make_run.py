"""`make run` starts the whole service. A donor uses it over HTTP without JavaScript.

The service keeps its data between runs, and leaves no process behind, even if its supervisor is killed.
"""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from icalendar import Calendar

from config.embedded import redis_server
from tests import figures
from tests.programs import eventually
from tests.stack.embedded_stack import Http, Running, left_over
from tests.visitor import Page, Visitor

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

PHONE, MAILBOX = "+12095550199", "test.ana.alder@example.org"
SOON = 60.0  # seconds; messages are sent within two or three, but the machine may be busy with other tests


def test_a_donor_books_at_a_stack_that_stops_cleanly_and_keeps_its_data(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    port, key = redis_server.find_free_port(), tmp_path / "data" / "keys" / "SECRET_KEY"
    with Running(tmp_path / "data", port) as stack:
        figures.note(request, "seconds to the first start", stack.wait_until_ready())
        path, seconds = _book(port)
        figures.note(request, "seconds to the messages", seconds)
        assert _stopped(stack, signal.SIGTERM) == []
    first_key = key.read_text()
    with Running(tmp_path / "data", port) as stack:
        figures.note(request, "seconds to the second start", stack.wait_until_ready())
        assert "You’re booked" in Visitor(Http(port)).open(path).html
        assert key.read_text() == first_key
        assert _stopped(stack, signal.SIGINT) == []
    with Running(tmp_path / "data", port) as stack:
        stack.wait_until_ready()
        processes = stack.list_processes()
        stack.process.kill()
        stack.process.wait()
        assert left_over(processes, seconds=40) == []  # the guard stops them one after another


def _stopped(stack: Running, number: int) -> list[str]:
    """Stop the stack. Return the processes that are still running."""
    processes = stack.list_processes()
    assert len(processes) > 8, "too few for the supervisor, guard, database, web, worker, beat and their children"
    assert stack.stop(number) == 0
    assert stack.said.endswith("Stopped.\n")
    assert '"level": "error"' not in stack.said
    return left_over(processes)


def _book(port: int) -> tuple[str, dict[str, float]]:
    """Book a slot, from the list of drives to the calendar file.

    Return the path of the booking's link, and the seconds until each message arrived.
    """
    http = Http(port)
    assert http.get_json("/readyz")["ok"] is True
    ana = Visitor(http)
    page = _held(ana)
    seconds = {"code": _until(lambda: len(http.inbox(PHONE)) == 1)}
    code = http.inbox(PHONE)[0].split()[0]
    page = ana.submit(page.form("/verify/"), code=code)
    assert "You’re booked" in page.html
    seconds["confirmation"] = _until(lambda: len(http.inbox(PHONE)) == 2 and len(http.inbox(MAILBOX)) == 1)
    link = re.search(rf"http://localhost:{port}(/b/[\w-]{{22}}/)", http.inbox(PHONE)[1])
    assert link is not None
    assert link[0] in http.inbox(MAILBOX)[0]
    assert ana.open(link[1]).path == page.path
    _check_calendar(http, page, link[0])
    return link[1], seconds


def _held(ana: Visitor) -> Page:
    """Hold the last open time of the last drive with open spots."""
    slugs = re.findall(r'href="(/d/[^/"]+/)"', ana.open("/").html)
    page = next(page for slug in reversed(slugs) if 'name="slot"' in (page := ana.open(f"{slug}?visit=return")).html)
    form = page.form("/book/")
    page = ana.submit(form, slot=form.choices["slot"][-1])
    details = {"name": "Test Ana Alder", "contact_by": "both", "phone": PHONE, "email": MAILBOX, "reminders": "on"}
    return ana.submit(page.form("/book/"), **details)


def _check_calendar(http: Http, page: Page, link: str) -> None:
    answer = http.send("GET", f"{page.path}calendar.ics")
    calendar = Calendar.from_ical(answer.body)
    (event,) = calendar.walk("VEVENT")
    assert (answer.status, event["SEQUENCE"], event["STATUS"]) == (200, 0, "CONFIRMED")
    assert link in str(event["DESCRIPTION"])


def _until(true: Callable[[], bool]) -> float:
    began = time.monotonic()
    assert eventually(true, SOON)
    return round(time.monotonic() - began, 1)
