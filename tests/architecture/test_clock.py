"""Only interfaces (views, the API, the admin, tasks and commands) read the clock.

All other code takes `now` as an argument.
"""

import ast
import re
from collections.abc import Iterable

import pytest

from tests.architecture.sources import APPS, Source, project_sources, used_names

# A file is an interface if its own name or the name of a folder above it is one of these.
INTERFACE_FILES = re.compile(r"(views_\w+|api|admin|tasks)\.py")
INTERFACE_FOLDERS = {"web", "api", "management"}
EXCEPTIONS = {
    "notifications/mail.py": "Django's e-mail backend: Django calls it, and passes no time",
    "config/health.py": "a page: is the service healthy now?",
    "config/metrics.py": "a page: the figures of this moment",
    "config/client_address.py": "middleware: it notes when it last saw a header of an untrusted proxy",
    "config/doctor.py": "a command: what is wrong now?",
    "config/restored.py": "Celery asks before each periodic task",
}
ALWAYS = {
    *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
    *("time.time", "time.time_ns", "time.gmtime", "time.localtime", "time.ctime", "time.strftime"),
    *("django.utils.timezone.now", "django.db.models.functions.Now", "django.db.models.functions.datetime.Now"),
}
WITHOUT_ARGUMENT = {"django.utils.timezone.localtime", "django.utils.timezone.localdate"}
SQL = re.compile(r"\bnow\(\)|\b(?:current_|transaction_|statement_|clock_|local)timestamp\b", re.IGNORECASE)


def is_interface(path: str) -> bool:
    *folders, name = path.split("/")
    return bool(INTERFACE_FILES.fullmatch(name) or INTERFACE_FOLDERS & set(folders))


def clock_reads(source: Source) -> list[str]:
    """List the lines on which a module reads the wall clock. Monotonic clocks are allowed."""
    with_argument = {
        id(node.func) for node in ast.walk(source.tree) if isinstance(node, ast.Call) and (node.args or node.keywords)
    }
    lines = {
        line
        for name, node, line in used_names(source)
        if name in ALWAYS or (name in WITHOUT_ARGUMENT and id(node) not in with_argument)
    }
    for node in ast.walk(source.tree):
        if isinstance(node, ast.keyword) and node.arg in {"auto_now", "auto_now_add"}:
            lines.add(node.value.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
            lines.add(node.lineno)
    return [f"{source.path}:{line}" for line in sorted(lines)]


def forbidden_clock_reads(sources: Iterable[Source]) -> list[str]:
    return [
        read
        for source in sources
        if not is_interface(source.path) and source.path not in EXCEPTIONS
        for read in clock_reads(source)
    ]


def statements_with_a_clock(files: Iterable[Source]) -> list[str]:
    return [source.path for source in files if SQL.search(source.text)]


def test_only_interfaces_read_the_clock() -> None:
    assert forbidden_clock_reads(project_sources(*APPS, "config")) == []


def test_no_statement_in_a_file_reads_the_clock() -> None:
    assert statements_with_a_clock(project_sources(*APPS, ending="sql")) == []


def test_control_a_statement_that_reads_the_clock_is_caught() -> None:
    texts = ["WHERE due_at <= now()", "WHERE due_at <= $1", "SET at = Current_Timestamp"]
    seeded = [Source(f"drives/capacity/{number}.sql", text) for number, text in enumerate(texts)]
    assert statements_with_a_clock(seeded) == ["drives/capacity/0.sql", "drives/capacity/2.sql"]


@pytest.mark.parametrize("app", APPS)
def test_the_check_looks_at_the_actions_rules_and_models_of_every_app(app: str) -> None:
    timeless = [source for source in project_sources(app) if not is_interface(source.path)]
    assert 15 <= len(timeless) < len(project_sources(app))
    assert any("models" in source.parts for source in timeless)


def test_every_exception_still_reads_the_clock() -> None:
    readers = {source.path for source in project_sources(*APPS, "config") if clock_reads(source)}
    assert EXCEPTIONS.keys() <= readers


@pytest.mark.parametrize(
    "path",
    [
        *("drives/domain/x.py", "drives/booking/hold.py", "drives/booking/queries.py", "drives/new_subject/words.py"),
        *("notifications/rules.py", "notifications/actions/outbox.py", "organizations/models/users.py"),
        *("volunteers/verification.py", "config/schema.py", "drives/views.py", "drives/booking/forms.py"),
    ],
)
def test_control_a_seeded_read_is_caught(path: str) -> None:
    seeded = Source(path, "from django.utils import timezone\n\ndef due():\n    return timezone.now()\n")
    assert forbidden_clock_reads([seeded]) == [f"{path}:4"]


@pytest.mark.parametrize(
    "path",
    [
        *("drives/web/public/book.py", "drives/api/views/day.py", "drives/management/commands/demo.py"),
        *("drives/booking/views_donor.py", "drives/booking/api.py", "drives/tasks.py", "notifications/tasks.py"),
    ],
)
def test_an_interface_may_read_the_clock(path: str) -> None:
    assert forbidden_clock_reads([Source(path, "from django.utils.timezone import now\nnow()\n")]) == []


@pytest.mark.parametrize(
    "text",
    [
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "from datetime import datetime as moment\nmoment.utcnow()",
        "import datetime\ndatetime.datetime.now(tz=datetime.UTC)",
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "import datetime as dt\ndt.date.today()",
        "from datetime import date\ndate.today()",
        "import time\ntime.time()",
        "from time import time\ntime()",
        "from time import time as seconds\nseconds()",
        "from django.utils.timezone import now\nnow()",
        "from django.utils.timezone import now as clock\nclock()",
        "import django.utils.timezone\ndjango.utils.timezone.now()",
        "from django.utils import timezone as tz\nread = tz.now",
        "from django.utils import timezone\ntimezone.localdate()",
        "from django.utils import timezone\ntimezone.localtime()",
        "from django.db import models\nmodels.DateTimeField(auto_now_add=True)",
        "from django.db.models.functions import Now\nNow()",
        "from django.db.models import functions\nfunctions.Now()",
        "sweep = ''\nsql = 'DELETE FROM drives_reservedspot WHERE until < now()'",
        "sweep = ''\nsql = 'SELECT CURRENT_TIMESTAMP'",
    ],
)
def test_control_every_clock_function_is_caught(text: str) -> None:
    assert forbidden_clock_reads([Source("drives/rules.py", text)]) == ["drives/rules.py:2"]


@pytest.mark.parametrize(
    "text",
    [
        "from django.utils import timezone\ntimezone.localtime(moment, zone)",
        "from django.utils import timezone\ntimezone.localdate(value=moment)",
        "import time\ntime.monotonic()",
        "def late(now, date):\n    return now > date.today",
    ],
)
def test_arithmetic_with_times_is_allowed(text: str) -> None:
    assert forbidden_clock_reads([Source("drives/rules.py", text)]) == []
