"""The beat table and the broker's settings."""

from config import celery
from config.celery import SWEEPS


def test_a_tick_that_nobody_took_expires() -> None:
    schedule = celery.app.conf.beat_schedule.values()
    assert [entry["options"]["expires"] <= entry["schedule"].total_seconds() for entry in schedule] == [True] * len(
        SWEEPS
    )


def test_a_task_cannot_outlive_the_time_after_which_it_is_delivered_again() -> None:
    options = celery.app.conf.broker_transport_options
    assert celery.app.conf.task_time_limit * 10 < options["visibility_timeout"]


def test_a_door_bell_is_acknowledged_when_it_is_heard_and_one_is_heard_at_a_time() -> None:
    """What is due stands in PostgreSQL: a bell that was lost with its worker is rung again by the next tick."""
    assert not celery.app.conf.task_acks_late
    assert (celery.app.conf.worker_prefetch_multiplier, celery.app.conf.task_ignore_result) == (1, True)
