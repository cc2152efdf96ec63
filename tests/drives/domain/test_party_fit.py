"""Arrival times of parties.

If any arrangement fits, the search finds the one with the earliest last arrival.
"""

from collections.abc import Callable
from itertools import combinations_with_replacement, pairwise, product
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drives.domain import grid, party_fit
from drives.domain.grid import VisitShape
from drives.domain.party_fit import FreeCapacity
from drives.domain.rules import MAX_PARTY_SIZE, PARTY_SIZES

FIRST, RETURNING, PLAIN = VisitShape(3, 3), VisitShape(1, 3), VisitShape(0, 1)

kinds = st.builds(VisitShape, st.integers(0, 2), st.integers(1, 2))
parties = st.lists(kinds, min_size=1, max_size=2, unique=True).flatmap(
    lambda two: st.lists(st.sampled_from(two), min_size=1, max_size=3)
)
rooms = st.lists(
    st.tuples(st.integers(-1, 3), st.integers(-1, 3), st.sampled_from([True, True, True, False])),
    min_size=1,
    max_size=8,
).map(lambda rows: FreeCapacity(*(list(column) for column in zip(*rows, strict=True))))


def empty(steps: int, chairs: int, screening: int) -> FreeCapacity:
    return FreeCapacity([screening] * steps, [chairs] * steps, [True] * steps)


def fits(room: FreeCapacity, party: list[VisitShape], at: tuple[int, ...]) -> bool:
    """Return whether the party fits at these arrival times. Count the free capacity in every step."""
    screening, chairs = list(room.free_screening), list(room.free_chairs)
    for shape, arrival in zip(party, at, strict=True):
        if not room.may_arrive[arrival] or arrival + shape.steps > len(chairs):
            return False
        for n, (screened, seated) in grid.compute_deltas(grid.compute_footprint(arrival, shape)).items():
            screening[n] -= screened
            chairs[n] -= seated
            if (screened and screening[n] < 0) or (seated and chairs[n] < 0):
                return False
    gap = max(shape.chair_steps for shape in party)
    return all(after - before <= gap for before, after in pairwise(sorted(at)))


def by_force(room: FreeCapacity, first: int, party: list[VisitShape]) -> int | None:
    """Try all arrangements that start at step `first`. Return the earliest last arrival, or None if nothing fits.

    Visits of the same shape are interchangeable.
    """
    steps, of_kind = range(first, len(room.may_arrive)), {shape: party.count(shape) for shape in party}
    in_order = [shape for shape, people in of_kind.items() for _ in range(people)]
    ways = (
        tuple(step for steps_of_kind in way for step in steps_of_kind)
        for way in product(*(combinations_with_replacement(steps, people) for people in of_kind.values()))
    )
    return min((max(at) for at in ways if min(at) == first and fits(room, in_order, at)), default=None)


def check_against_force(room: FreeCapacity, party: list[VisitShape]) -> bool:
    """Compare the result for each first step with brute force. Return whether the party fits at any step."""
    answers = [party_fit.fit_party(room, first, party) for first in range(len(room.may_arrive))]
    for first, found in enumerate(answers):
        assert (max(found) if found else None) == by_force(room, first, party)
        assert found is None or (min(found) == first and fits(room, party, tuple(found)))
    return any(answers)


@given(rooms, parties)
@settings(max_examples=400)
def test_a_fit_has_the_earliest_possible_last_arrival(room: FreeCapacity, party: list[VisitShape]) -> None:
    check_against_force(room, party)


large_parties = st.lists(
    st.builds(VisitShape, st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=2, unique=True
).flatmap(lambda two: st.lists(st.sampled_from(two), min_size=4, max_size=MAX_PARTY_SIZE))
# Examples in which most parties fit. With full steps, they would only test that nothing fits.
open_rooms = st.integers(1, 3).flatmap(
    lambda chairs: st.lists(
        st.tuples(
            st.integers(1, 3), st.sampled_from([chairs] * 6 + [chairs - 1]), st.sampled_from([True] * 7 + [False])
        ),
        min_size=6,
        max_size=9,
    ).map(lambda rows: FreeCapacity(*(list(column) for column in zip(*rows, strict=True))))
)


@given(open_rooms, large_parties)
@settings(max_examples=150)
def test_large_parties_match_brute_force(room: FreeCapacity, party: list[VisitShape]) -> None:
    check_against_force(room, party)


def test_the_examples_for_large_parties_mostly_fit() -> None:
    """If no party fit, the comparison with brute force would compare nothing."""
    placed: list[bool] = []

    @given(open_rooms, large_parties)
    @settings(max_examples=100, derandomize=True, database=None)
    def place(room: FreeCapacity, party: list[VisitShape]) -> None:
        placed.append(any(party_fit.fit_party_at_each_step(room, party)))

    place()
    assert sum(placed) >= len(placed) // 4


def one_chair_less(search: Any, arrival: int, people: int) -> int:
    return int(arrival + people // search.most_chairs * search.shortest - search.spread)


def blind_to_screening(search: Any, arrival: int, people: int) -> int:
    return int(arrival + (people - 1) // search.most_chairs * search.shortest)


def by_the_longest_visit(search: Any, arrival: int, people: int) -> int:
    return int(arrival + (people - 1) // search.most_chairs * search.gap - search.spread)


@pytest.mark.parametrize(
    ("seeded", "chairs", "party"),
    [
        (one_chair_less, [1, 2, 2, 2, 2, 2], [VisitShape(0, 2)] * 3 + [VisitShape(1, 2)]),
        (blind_to_screening, [1, 2, 2, 2, 2, 1], [PLAIN] * 3 + [VisitShape(1, 2)]),
        (by_the_longest_visit, [1, 2, 2, 2, 2, 2], [PLAIN] * 3 + [VisitShape(1, 2)]),
    ],
)
def test_control_a_wrong_bound_is_detected(
    monkeypatch: pytest.MonkeyPatch, seeded: Callable[..., int], chairs: list[int], party: list[VisitShape]
) -> None:
    """Each seeded bound is a little too high, so the search stops before it finds the best arrangement."""
    room = FreeCapacity([2] * 6, chairs, [True] * 6)
    check_against_force(room, party)
    monkeypatch.setattr(party_fit._Search, "_compute_earliest_last_arrival", seeded)
    with pytest.raises(AssertionError):
        check_against_force(room, party)


@given(rooms, parties)
def test_looking_changes_nothing(room: FreeCapacity, party: list[VisitShape]) -> None:
    before = (list(room.free_screening), list(room.free_chairs))
    assert list(party_fit.fit_party_at_each_step(room, party)) == list(party_fit.fit_party_at_each_step(room, party))
    assert (list(room.free_screening), list(room.free_chairs)) == before


def test_a_long_day_in_small_steps_is_searched_quickly() -> None:
    """With six members, two visit types and two chairs, trying every arrangement would take too long."""
    room, party = empty(144, 2, 2), [VisitShape(3, 9)] * 4 + [VisitShape(9, 9)] * 2
    begun = process_time()
    found = list(party_fit.fit_party_at_each_step(room, party))
    assert process_time() - begun < 2
    assert len(found) > 90
    assert all(fits(room, party, tuple(each)) for each in found)


def room_with(steps: int, *, closed: set[int], fewer_chairs: set[int]) -> FreeCapacity:
    chairs = [4 if n in fewer_chairs else 5 for n in range(steps)]
    return FreeCapacity([1] * steps, chairs, [n not in closed for n in range(steps)])


def test_a_search_ends_after_three_thousand_placements() -> None:
    """In one case, the search finds the best arrangement after 2,997 placements.

    In the other case, the best one would take 3,019, so the search returns a worse one.
    """
    party = [VisitShape(2, 4)] * 4 + [VisitShape(5, 8)] * 2
    in_time = room_with(
        66, closed={2, 17, 23, 27, 28, 35, 37, 38, 40}, fewer_chairs={0, 2, 3, 4, 5, 6, 9, 12, 13, 19, 25, 26, 28, 43}
    )
    too_late = room_with(
        56, closed={1, 2, 19, 20, 29, 35, 37, 38, 40}, fewer_chairs={3, 4, 6, 8, 9, 10, 11, 20, 21, 28, 43, 48}
    )
    last = [max(party_fit.fit_party(room, 0, party) or []) for room in (in_time, too_late)]
    assert last == [13, 14]


def test_with_enough_chairs_all_arrive_together() -> None:
    assert party_fit.fit_party(empty(8, 4, 4), 2, [RETURNING] * 3) == [2, 2, 2]


def test_with_few_chairs_members_arrive_one_after_another() -> None:
    assert party_fit.fit_party(empty(8, 2, 0), 0, [PLAIN] * 3) == [0, 0, 1]
    assert party_fit.fit_party(empty(12, 1, 1), 0, [RETURNING] * 3) == [0, 3, 6]


def test_a_first_visit_and_return_visits_share_the_chairs() -> None:
    assert party_fit.fit_party(empty(12, 2, 2), 0, [FIRST, RETURNING, RETURNING]) == [1, 0, 0]


def test_a_party_that_would_end_after_closing_does_not_fit() -> None:
    assert party_fit.fit_party(empty(6, 1, 1), 0, [RETURNING, RETURNING]) is None
    assert party_fit.fit_party(empty(4, 2, 2), 9, [RETURNING]) is None
    assert party_fit.fit_party(empty(4, 2, 2), 0, []) is None


def test_a_party_is_at_most_six() -> None:
    assert (MAX_PARTY_SIZE, list(PARTY_SIZES)) == (6, [1, 2, 3, 4, 5, 6])


def test_the_first_arrival_may_be_the_last_step_at_most() -> None:
    room = empty(4, 1, 0)
    assert party_fit.fit_party(room, 3, [PLAIN]) == [3]
    assert party_fit.fit_party(room, 4, [PLAIN]) is None
    assert party_fit.fit_party(room, -1, [PLAIN]) is None


def test_the_next_member_arrives_at_the_latest_when_the_chair_is_free() -> None:
    room = FreeCapacity([0] * 4, [1, 0, 1, 1], [True] * 4)
    assert party_fit.fit_party(room, 0, [PLAIN, PLAIN]) is None
    assert party_fit.fit_party(room, 2, [PLAIN, PLAIN]) == [2, 3]
