"""Beat's own Celery app."""

from typing import Any

import pytest
from celery.beat import Scheduler
from kombu import Connection

from config import beat
from config.schedule import SWEEPS
from tests import loaded_modules
from tests.architecture.sources import APPS

CODE_SWEEPS = {"notifications.tasks.deliver_codes", "drives.tasks.send_search_codes"}
BEAT = "from config import beat; from celery.apps import beat as program; beat.app.loader.init_worker()"
WITH_DJANGO = f"{BEAT}; import django; django.setup()"


def list_apps(code: str) -> set[str]:
    """List the parts of the service that a process with this code has loaded."""
    return {name.partition(".")[0] for name in loaded_modules.list_modules(code)} & {*APPS, "allauth", "rest_framework"}


def test_beat_loads_no_app() -> None:
    assert list_apps(BEAT) == set()


def test_control_an_app_that_beat_loads_is_caught() -> None:
    assert list_apps(WITH_DJANGO) >= {"drives", "notifications", "allauth"}


@pytest.mark.parametrize("module", ["django.http", "django.db", "celery.bin"])
def test_beat_does_without_a_large_module(module: str) -> None:
    assert module not in loaded_modules.list_modules(f"{BEAT}; from django.conf import settings; settings.LOGGING")


def test_beat_puts_each_sweep_into_its_queue_until_it_expires() -> None:
    scheduler = Scheduler(app=beat.app, schedule={}, lazy=True)
    scheduler.merge_inplace(beat.app.conf.beat_schedule)
    with Connection("memory://beat") as broker:
        queues = {name: queue.bind(broker.default_channel) for name, queue in beat.app.amqp.queues.items()}
        for queue in queues.values():
            queue.declare()
        producer = beat.app.amqp.Producer(broker.default_channel, auto_declare=False)
        for entry in scheduler.schedule.values():
            scheduler.apply_async(entry, producer=producer, advance=False)
        taken = {name: _take_tasks(queue) for name, queue in queues.items()}
    assert {name: tasks.keys() for name, tasks in taken.items()} == {
        "codes": CODE_SWEEPS,
        "celery": SWEEPS.keys() - CODE_SWEEPS,
    }
    assert all(expires for tasks in taken.values() for expires in tasks.values())


def _take_tasks(queue: Any) -> dict[str, str]:
    taken = {}
    while message := queue.get(no_ack=True):
        taken[message.headers["task"]] = message.headers["expires"]
    return taken
