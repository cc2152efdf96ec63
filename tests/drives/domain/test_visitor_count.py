"""A bit field records a link's visitors. The service estimates their number from the bits that are set."""

import hashlib

import pytest

from drives.domain import visitor_count


def field_of(visitors: int) -> bytes:
    field = int.from_bytes(visitor_count.build_empty_field(), "big")
    for number in range(visitors):
        field |= 1 << visitor_count.choose_bit(hashlib.sha256(f"visitor {number}".encode()).digest())
    return field.to_bytes(visitor_count.BITS // 8, "big")


@pytest.mark.parametrize(("visitors", "error"), [(0, 0), (1, 0), (10, 0), (50, 1), (1_000, 30), (5_000, 300)])
def test_the_estimate_is_close(visitors: int, error: int) -> None:
    assert abs(visitor_count.estimate_visitors(field_of(visitors)) - visitors) <= error


def test_a_full_field_has_an_estimate() -> None:
    assert visitor_count.estimate_visitors(b"\xff" * (visitor_count.BITS // 8)) > visitor_count.BITS
