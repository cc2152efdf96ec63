"""The order of a race does not depend on the speed of the machine."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from tests import storm
from tests.storm import meet, pause

pytestmark = pytest.mark.django_db(transaction=True)


def thinker(name: str, said: list[str], *, thoughts: int = 1) -> Callable[[], str]:
    def act() -> str:
        for thought in range(thoughts):
            said.append(f"{name} {thought}")
            pause()
        said.append(f"{name} done")
        return name

    return act


def locker(name: str, said: list[str]) -> Callable[[], None]:
    def act() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(99, 99)")
            said.append(f"{name} has it")
            pause()
            said.append(f"{name} lets go")

    return act


def test_in_turn_the_order_is_always_the_same() -> None:
    for _run in range(5):
        said: list[str] = []
        meet([thinker("Ana", said, thoughts=2), thinker("Ben", said), thinker("Cleo", said, thoughts=0)], in_turn=True)
        assert said == ["Ana 0", "Ben 0", "Cleo done", "Ana 1", "Ben done", "Ana done"]


@pytest.mark.parametrize("in_turn", [False, True])
def test_no_action_goes_on_before_all_have_paused(*, in_turn: bool) -> None:
    said: list[str] = []
    assert meet([thinker(str(number), said) for number in range(8)], in_turn=in_turn) == list("01234567")
    assert sorted(said[:8]) == [f"{number} 0" for number in range(8)]


@pytest.mark.parametrize("in_turn", [False, True])
def test_a_lock_holder_goes_on_while_others_wait(*, in_turn: bool) -> None:
    said: list[str] = []
    assert meet([locker(name, said) for name in ("Ana", "Ben", "Cleo")], in_turn=in_turn) == [None] * 3
    assert [words.split()[1] for words in said] == ["has", "lets"] * 3


def test_an_exception_is_an_answer() -> None:
    answers = storm.at_once(2, lambda number: 1 // number)
    assert [type(answer) for answer in answers] == [ZeroDivisionError, int]


def test_a_single_action_does_not_wait() -> None:
    pause()


def test_actions_that_never_meet_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storm, "LOOKS", 5)
    never = threading.Event()

    def thinks(number: int) -> None:
        if number == 0:
            pause()
            never.set()
        never.wait()

    with pytest.raises(AssertionError, match="neither paused nor ended"):
        storm.at_once(2, thinks)
