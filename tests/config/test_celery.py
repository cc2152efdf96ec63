"""The beat schedule and the broker's settings."""

from typing import Any

from kombu import Connection

from config import celery
from config.schedule import SWEEPS

CODE_SWEEPS = {"notifications.tasks.deliver_codes", "drives.tasks.send_search_codes"}


def test_a_task_that_no_worker_takes_expires() -> None:
    schedule = celery.app.conf.beat_schedule.values()
    assert [entry["options"]["expires"] <= entry["schedule"].total_seconds() for entry in schedule] == [True] * len(
        SWEEPS
    )


def test_a_task_cannot_outlive_the_time_after_which_it_is_delivered_again() -> None:
    options = celery.app.conf.broker_transport_options
    assert celery.app.conf.task_time_limit * 10 < options["visibility_timeout"]


def test_tasks_are_acknowledged_early_and_taken_one_at_a_time() -> None:
    """A lost task does no harm.

    The queue of messages is in PostgreSQL, and beat starts the next task soon.
    """
    assert not celery.app.conf.task_acks_late
    assert (celery.app.conf.worker_prefetch_multiplier, celery.app.conf.task_ignore_result) == (1, True)


def test_sweeps_of_codes_go_to_their_own_queue_and_all_others_to_the_usual_one() -> None:
    celery.app.loader.import_default_modules()
    with Connection("memory://") as broker:
        options: dict[str, Any] = {"connection": broker}
        queues = {name: queue.bind(broker.default_channel) for name, queue in celery.app.amqp.queues.items()}
        for queue in queues.values():
            queue.declare()
        for task in SWEEPS:
            celery.app.tasks[task].apply_async(**options)
        taken = {name: set[str]() for name in queues}
        for name, queue in queues.items():
            while message := queue.get(no_ack=True):
                taken[name].add(message.headers["task"])
    assert taken == {"codes": CODE_SWEEPS, "celery": SWEEPS.keys() - CODE_SWEEPS}
