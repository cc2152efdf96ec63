"""Estimate the number of a link's visitors, from one bit per visitor (linear counting).

A keyed hash selects the visitor's bit, and many visitors share each bit. So repeated visits change nothing, and the
bits do not identify visitors.
"""

import math

BITS = 4096


def build_empty_field() -> bytes:
    return bytes(BITS // 8)


def choose_bit(digest: bytes) -> int:
    return int.from_bytes(digest[:4], "big") % BITS


def estimate_visitors(field: bytes) -> int:
    zeros = BITS - sum(byte.bit_count() for byte in field)
    return round(-BITS * math.log(max(zeros, 1) / BITS))
