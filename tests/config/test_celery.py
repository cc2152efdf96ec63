"""The beat schedule and the broker's settings."""

from config import celery
from config.celery import SWEEPS


def test_a_task_that_no_worker_takes_expires() -> None:
    schedule = celery.app.conf.beat_schedule.values()
    assert [entry["options"]["expires"] <= entry["schedule"].total_seconds() for entry in schedule] == [True] * len(
        SWEEPS
    )


def test_a_task_cannot_outlive_the_time_after_which_it_is_delivered_again() -> None:
    options = celery.app.conf.broker_transport_options
    assert celery.app.conf.task_time_limit * 10 < options["visibility_timeout"]


def test_tasks_are_acknowledged_early_and_taken_one_at_a_time() -> None:
    """The queue is in PostgreSQL, so if a task is lost with its worker, beat starts the next one."""
    assert not celery.app.conf.task_acks_late
    assert (celery.app.conf.worker_prefetch_multiplier, celery.app.conf.task_ignore_result) == (1, True)
