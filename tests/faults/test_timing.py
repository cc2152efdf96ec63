"""Response times do not reveal whether a contact is known. `python -m bench.soak timing` measures more precisely."""

import random

import pytest

from tests import figures
from tests.faults.timing import DOORS, area, leaking, told_by_time

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("timing")]
PAIRS = 150  # the standard error of a figure is then 0.033
CONTROL_PAIRS = 60  # the seeded leak is so large that a standard error of 0.053 is enough
TELLS_NOTHING = 0.15


def test_the_figure_follows_its_definition() -> None:
    assert area([2.0, 3.0], [1.0, 2.0]) == 0.875
    assert area([1.0], [1.0]) == 0.5


def test_known_and_unknown_contacts_are_answered_in_the_same_time(request: pytest.FixtureRequest) -> None:
    told = told_by_time(PAIRS, random.Random())
    figures.note(request, "known took longer in", told)
    assert {door: figure for door, figure in told.items() if abs(figure - 0.5) > TELLS_NOTHING} == {}


def test_control_a_look_up_before_verification_shows_at_every_endpoint(request: pytest.FixtureRequest) -> None:
    with leaking(looks=3):  # with so few pairs, a small leak shows only on an idle machine
        told = told_by_time(CONTROL_PAIRS, random.Random())
    figures.note(request, "known took longer in", told)
    assert {door: figure for door, figure in told.items() if figure > 0.5 + TELLS_NOTHING}.keys() == set(DOORS)
